"""No command makes or changes anything in the home of another user, or leaves anything when it is refused."""

from __future__ import annotations

import os
import stat

import pytest

from jobctl.store.opening.open import open_database
from tests.cli.every_command import every_command

NOBODY = 65534
#: They do not work on a store.
ELSEWHERE = ("worker", "completion", "man", "recipe ", "config ", "daemon install")


def tree(root):
    """(path, owner, mode, size) of a folder and all in it."""
    found = [(root, root.lstat())] if root.exists() else []
    found += [(path, path.lstat()) for path in root.rglob("*")]
    return sorted((str(p), s.st_uid, oct(s.st_mode), s.st_size if stat.S_ISREG(s.st_mode) else 0) for p, s in found)


#: There is no daemon; the terminal is missing.
SAYS_SOMETHING_ELSE = ("top", "daemon logs", "daemon stop", "doctor")
MORE = {
    "doctor --repair": ["doctor", "--repair"],
    "doctor --restore": ["doctor", "--restore"],
    "run --shell": ["run", "rows.txt", "--shell", "true {}"],
    "submit --follow": ["submit", "rows.txt", "--wait", "--", "true"],
    "daemon run --drain": ["daemon", "run", "--drain"],
    "prune all": ["prune", "--older-than", "0s"],
    "pause queue": ["pause", "--queue", "default"],
}
COMMANDS = every_command() | MORE


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can act on the store of another user")
@pytest.mark.parametrize("kind", ["fresh", "used"])
@pytest.mark.parametrize("name", sorted(name for name in COMMANDS if not name.startswith(ELSEWHERE)))
def test_root_changes_nothing_in_the_home_of_another(name, kind, home, jobctl, tmp_path, monkeypatch):
    home.root.mkdir(mode=0o700)
    if kind == "used":
        open_database(home, create=True).close()
    for path in (home.root, *home.root.rglob("*")):
        os.chown(path, NOBODY, NOBODY)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rows.txt").write_text("1\n")
    before = tree(home.root)
    said = jobctl(*COMMANDS[name])
    assert tree(home.root) == before, said.err
    if name not in (*SAYS_SOMETHING_ELSE, *MORE):
        assert said.code != 0 and "belongs to" in said.err + said.out


REFUSED = {
    "no such option": ["submit", "rows.txt", "--no-such", "--", "true"],
    "no such file": ["submit", "missing.txt", "--", "true"],
    "a bad file": ["submit", "bad.csv", "--", "echo", "{id}"],
    "an unknown column": ["submit", "rows.csv", "--", "echo", "{nothing}"],
    "a bad duration": ["run", "rows.txt", "--timeout", "soon", "--", "true"],
    "run of a bad file": ["run", "bad.csv", "--", "echo", "{id}"],
    "a dry run": ["submit", "rows.txt", "--dry-run", "--", "true"],
    "no daemon": ["submit", "rows.txt", "--wait", "--timeout", "0.1s", "--", "true"],
    "a wrong queue": ["queue", "set", "mail", "slots=-1"],
    "a wrong daemon": ["daemon", "start", "--slots", "0"],
    "a wrong cluster": ["daemon", "start", "--scheduler", "not an address"],
}
LOOKING = ("status", "items", "logs", "explain", "wait", "results", "verify", "report", "metrics", "prune", "cancel")


@pytest.mark.parametrize("words", REFUSED.values(), ids=REFUSED)
def test_a_refused_command_leaves_no_home(words, home, jobctl, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rows.txt").write_text("1\n")
    (tmp_path / "rows.csv").write_text("id\n1\n")
    (tmp_path / "bad.csv").write_text("id,name\n1\n")
    said = jobctl(*words)
    assert said.code not in (0, 1) or "--dry-run" in words, said.err
    assert not home.root.exists(), tree(home.root)


@pytest.mark.parametrize("name", LOOKING)
def test_a_look_at_a_home_that_is_not_there_makes_none(name, home, jobctl, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    jobctl(*every_command()[name])
    assert not home.root.exists()
