"""S11 for every text in the database: whatever column a stranger's name got into, no command lets it act."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import pexpect
import pytest

from tests.factories import JobMaker
from tests.interactive import Program
from tests.security.test_terminal import HARMFUL, OWN

EVIL = "\x1b]0;PWNED\x07\x1b[2J\x9b31m\u202e\u2028[red]x"
#: Texts with a form of their own; what they name is in other columns, or is JSON with a name in it.
FORMS = {
    "jobs": {
        "uid": None,
        "handler": None,
        "state": None,
        "stop": None,
        "policy": None,
        "input_format": None,
        "input_dialect": None,
        "work_options": None,
        "after": None,
        "results": None,
        "root_uid": None,
        "item_key": None,
        "rows_sha256": None,
        "labels": json.dumps({f"k{EVIL}": EVIL}),
        "command": json.dumps([EVIL, "{id}", "{url}"]),
        "columns": json.dumps(["id", "url"]),
        "env": None,
        "env_names": json.dumps([EVIL]),
    },
    "journal": {"event": None, "data": None},
    "attempts": {"outcome": None, "kind": None, "code": None},
    "deliveries": {"state": None, "event": None, "body": None, "kind": None, "method": None, "payload": None},
    "queues": {"rate": None},
    "requests": {"verb": None, "data": None, "arguments": None},
    "daemon": {"state": None, "phase": None, "crew": None, "mode": None, "version": None, "boot_id": None},
    "meta": {"key": None, "value": None},
    "figures": {},
    "prunings": {},
}
COMMANDS = [
    ("status",), ("status", "--all"), ("status", "1"), ("status", "2"), ("items", "1"),
    ("items", "1", "--state", "failed"),
    ("explain", "1"), ("explain", "1.2"), ("results", "1"), ("notify", "list"), ("queue", "list"), ("daemon", "status"),
    ("prune", "--dry-run", "--older-than", "0s"), ("wait", "2", "--timeout", "0"), ("metrics",), ("doctor",),
    ("retry", "2", "--dry-run"), ("logs", "1"), ("cancel", "1"), ("pause", "1"), ("resume", "1"),
    ("queue", "set", f"q{EVIL}", "slots=1"), ("pause", "--queue", EVIL), ("resume", "--queue", EVIL), ("status", EVIL),
    ("cancel", EVIL), ("set", "1", f"{EVIL}=1"), ("submit", "rows", "--label", EVIL, "--", "true"),
    ("submit", "rows", "--queue", EVIL, "--", "true"), ("submit", "rows", "--recipe", EVIL, "--", "true"),
    ("recipe", "show", EVIL), ("config", "trust", EVIL), ("completion", EVIL),
    ("submit", "rows", "--", f"bash{EVIL}", "-c", "{}"),
]  # fmt: skip


@pytest.fixture
def evil(store: JobMaker, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> JobMaker:
    """Two jobs, live and done, with every text that has no form of its own made hostile."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rows").write_text("a\n")
    now = time.time_ns() // 1000
    store.job("qrtsf")
    store.job("sf", state="partial", started_at=now - 9, finished_at=now)
    for (table,) in store.database.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
        _poison(store, table)
    return store


def _poison(store: JobMaker, table: str) -> None:
    forms = FORMS.get(table, {})
    for row in store.database.execute(f"PRAGMA table_info({table})").fetchall():
        name, kind, required, in_key = row[1], row[2], row[3], row[5]
        value = forms.get(name, f"{name}{EVIL}")
        if kind != "VARCHAR" or value is None or in_key:
            continue
        with store.database.transaction():
            where = "" if required else f' WHERE "{name}" IS NOT NULL'
            store.database.execute(f'UPDATE OR IGNORE "{table}" SET "{name}" = ?{where}', (value,))


def test_no_text_of_the_database_acts_through_a_pipe(evil: JobMaker, jobctl) -> None:
    for words in (words for words in COMMANDS if words != ("metrics",)):  # whose labels are data for a collector
        said = jobctl(*words)
        assert "Traceback" not in said.err, (words, said.err)
        assert "this is a bug" not in said.err, (words, said.err)
        assert HARMFUL.findall(said.out + said.err) == [], (words, said.out + said.err)


def test_no_text_of_the_database_acts_on_a_terminal(evil: JobMaker, home, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same in one interpreter on a real terminal, as JSON too."""
    script = (
        "import json; from jobctl.cli.edge import run\nfor words in json.loads(open('commands').read()): run(words)"
    )
    seen = [*map(list, COMMANDS), *([*words, "--json"] for words in COMMANDS if "--" not in words)]
    Path("commands").write_text(json.dumps(seen))
    monkeypatch.setenv("JOBCTL_HOME", str(home.root))
    monkeypatch.setenv("TERM", "xterm-256color")
    screen = Program(
        sys.executable,
        ["-c", script],
        encoding="utf-8",
        codec_errors="surrogateescape",
        dimensions=(50, 120),
        timeout=100,
    )
    screen.expect(pexpect.EOF)
    shown = screen.before
    assert "PWNED" in shown
    assert "Traceback" not in shown, shown[shown.index("Traceback") :]
    own = OWN.sub("", shown).replace("\r\n", "\n")
    assert [own[max(0, at.start() - 80) : at.end() + 20] for at in HARMFUL.finditer(own)][:3] == []
