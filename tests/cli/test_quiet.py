"""``-q`` leaves out messages and nothing that was asked for: standard output is the same with it and without it."""

from __future__ import annotations

import shutil

import pytest

from jobctl.config import Home
from tests.cli.every_command import PROCESSES, every_command
from tests.factories import make_store

#: What they print differs from one call to the next.
OF_THE_MOMENT = {"metrics", "doctor", "report", "serve token add"}


@pytest.fixture
def fresh(tmp_path, monkeypatch, home):
    """Makes the same store again: most commands change something."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))  # trust is recorded there
    (tmp_path / "rows.txt").write_text("a\nb\n")
    (tmp_path / "jobctl.toml").write_text("[submit]\nslots = 2\n")

    def make():
        shutil.rmtree(home.root, ignore_errors=True)
        store = make_store(Home(home.root))
        store.job("ffuu", state="failed", finished_at=9, started_at=1, name="first")
        store.job("qqqq", state="queued", name="waits")
        store.database.close()

    return make


def lines():
    found = {name: words for name, words in every_command().items() if name not in PROCESSES}
    changed = {"set": ["set", "2", "slots=2"], "pause": ["pause", "2"], "resume": ["resume", "2"]}
    found |= {name: changed.get(name, words) for name, words in found.items()}
    found["pause --queue"] = ["pause", "--queue", "default"]
    found["resume --queue"] = ["resume", "--queue", "default"]
    found["prune --dry-run"] = ["prune", "--older-than", "0s", "--include-failed", "--dry-run"]
    found["submit --dry-run"] = ["submit", "--dry-run", "rows.txt", "--", "true"]
    return found


def without_headings(text):
    """The output of items; its headings are messages of jobctl."""
    return "".join(line for line in text.splitlines(keepends=True) if not line.startswith("==> "))


@pytest.mark.parametrize("name", sorted(lines()))
def test_quiet_keeps_the_requested_output_and_drops_messages(name, fresh, jobctl):
    words = lines()[name]
    fresh()
    loud = jobctl(*words)
    fresh()
    quiet = jobctl(words[0], "-q", *words[1:]) if " " not in name or "--" in name else jobctl(*words, "-q")
    assert quiet.code == loud.code
    requested = without_headings(loud.out) if name == "logs" else loud.out
    if name not in OF_THE_MOMENT:
        assert quiet.out == requested
    assert bool(quiet.out) == bool(requested)
    if quiet.code == 0:
        assert quiet.err == ""
