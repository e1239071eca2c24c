"""``jobctl config set``, ``unset`` and ``edit``."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from jobctl.config import Home
from tests.terminal import Terminal
from tests.trusted import write_trusted


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file of the user; the working directory is a project without a file."""
    (tmp_path / "project").mkdir()
    monkeypatch.chdir(tmp_path / "project")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "user"))
    monkeypatch.setenv("XDG_CONFIG_DIRS", str(tmp_path / "system"))
    for name in ("VISUAL", "EDITOR"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path / "user" / "jobctl" / "config.toml"


def _editor(folder: Path, script: str) -> str:
    """A command that changes the file that it gets, as the script says with $1 in place of the file."""
    path = folder / "an editor.sh"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return f"'{path}'"


def _value(jobctl, key: str) -> object:
    return next(value for value in jobctl("config", "show", "--json").document["values"] if value["key"] == key)[
        "value"
    ]


def test_a_key_is_set_and_removed(jobctl, config: Path) -> None:
    done = jobctl("config", "set", "submit.timeout", "10m")
    assert (done.code, done.err) == (0, f"submit.timeout is 10m now, in {config}\n")
    assert config.read_text() == '[submit]\ntimeout = "10m"\n'
    assert stat.S_IMODE(config.stat().st_mode) == 0o600
    assert jobctl("config", "set", "attempts", "5").code == 0, "the section may be left out if only one has the key"
    assert (_value(jobctl, "submit.timeout"), _value(jobctl, "submit.attempts")) == ("10m", 5)
    document = jobctl("config", "set", "submit.env", "A=1", "B=2", "--json").document
    assert (document["value"], document["before"], document["in_effect"]) == (["A=1", "B=2"], None, True)
    assert "it was 10m" in jobctl("config", "unset", "submit.timeout").err
    assert jobctl("config", "unset", "timeout").err == f"submit.timeout was not set in {config}\n"
    assert _value(jobctl, "submit.timeout") == "none"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("submit.slots many", 'submit.slots = "many": it must be a whole number from 1'),
        ("submit.timeout soon", "submit.timeout: 'soon' is not a duration; it must be a duration such as"),
        ("submit.halt maybe", 'it must be "soon" or "now"'),
        ("submit.slots 1 2", "submit.slots takes one value, and these are 2"),
        ("submit.tmeout 5m", "there is no key 'submit.tmeout'\n  did you mean submit.timeout?"),
        ("slots 4", "slots is a key of several sections\n  write submit.slots or daemon.slots"),
        ("submit.slots", "VALUE... is missing"),
    ],
)
def test_a_mistake_changes_nothing(jobctl, config: Path, words: str, said: str) -> None:
    done = jobctl("config", "set", *words.split())
    assert done.code == 2 and said in done.err
    assert not config.exists()


def test_comments_links_and_permissions_stay(jobctl, config: Path, tmp_path: Path) -> None:
    dotfiles = tmp_path / "dotfiles.toml"
    dotfiles.write_text("# mine\n[submit]\nslots = 4 # why\n")
    dotfiles.chmod(0o640)
    config.parent.mkdir(parents=True)
    config.symlink_to(dotfiles)
    assert jobctl("config", "set", "submit.slots", "5").code == 0
    assert config.is_symlink() and dotfiles.read_text() == "# mine\n[submit]\nslots = 5 # why\n"
    assert stat.S_IMODE(dotfiles.stat().st_mode) == 0o640
    assert sorted(os.listdir(tmp_path)) == ["dotfiles.toml", "project", "user"], "nothing is left"


def test_a_file_with_another_mistake_is_named_and_can_be_repaired(jobctl, config: Path) -> None:
    config.parent.mkdir(parents=True)
    config.write_text("[submit]\nslotz = 4\n")
    done = jobctl("config", "set", "submit.slots", "5")
    assert done.code == 2 and "unknown key 'slotz' in [submit]" in done.err
    assert config.read_text() == "[submit]\nslotz = 4\n"
    assert jobctl("config", "unset", "submit.slotz").code == 0
    assert jobctl("config", "set", "submit.slots", "5").code == 0
    config.write_text("submit = {slots = 4}\n")
    by_hand = jobctl("config", "set", "submit.halt", "now")
    assert by_hand.code == 2 and "a way that only a person can change\n  jobctl config edit" in by_hand.err


def test_it_is_said_if_a_key_has_no_effect(jobctl, config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JOBCTL_SUBMIT_SLOTS", "2")
    done = jobctl("config", "set", "submit.slots", "5")
    assert "in effect here is 2, from JOBCTL_SUBMIT_SLOTS in the environment\n" in done.err
    assert not jobctl("config", "set", "submit.slots", "5", "--json").document["in_effect"]
    assert (
        "a daemon reads this when it starts: jobctl daemon restart\n" in jobctl("config", "set", "daemon.slots", 5).err
    )


def test_the_file_of_a_project(jobctl, config: Path) -> None:
    project = Path("jobctl.toml").absolute()
    assert jobctl("config", "set", "submit.on-done", "true", "--project").code == 0
    assert not config.exists() and project.read_text() == '[submit]\non-done = ["true"]\n'
    assert _value(jobctl, "submit.on-done") == ["true"], "a file that this command has made is trusted"
    assert jobctl("config", "set", "submit.slots", "3", "--project").code == 0
    assert _value(jobctl, "submit.on-done") == ["true"], "and stays so"
    with project.open("a") as file:
        file.write("# somebody else was here\n")
    done = jobctl("config", "set", "submit.on-done", "false", "--project")
    assert done.code == 0 and "has changed since it was trusted, so this key has no effect; " in done.err
    assert _value(jobctl, "submit.on-done") is None
    assert jobctl("config", "unset", "submit.on-done", "--project", "--json").document["before"] == ["false"]


def test_a_file_that_is_not_read_is_not_written(jobctl, config: Path) -> None:
    config.parent.mkdir(parents=True)
    config.write_text("")
    config.chmod(0o666)
    done = jobctl("config", "set", "submit.slots", "5")
    assert done.code == 2 and "is not read: everybody can write it" in done.err
    assert config.read_text() == ""


def test_an_editor_changes_the_file(jobctl, config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDITOR", _editor(tmp_path, 'printf "[submit]\\nslots = 7\\n" > "$1"'))
    done = jobctl("config", "edit")
    assert (done.code, done.err) == (0, f"{config} has changed\n")
    assert config.read_text() == "[submit]\nslots = 7\n" and os.listdir(config.parent) == ["config.toml"]
    assert jobctl("config", "edit").err == f"{config} is unchanged\n"
    monkeypatch.setenv("VISUAL", "true")
    assert jobctl("config", "edit", "--json").document["changed"] is False
    write_trusted(Path("jobctl.toml"), "[submit]\nslots = 1\n")
    monkeypatch.delenv("VISUAL")
    assert jobctl("config", "edit", "--project", "--json").document["trust"] == "trusted"


def test_a_new_file_that_nobody_changes_is_not_made(jobctl, config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDITOR", "true")
    assert jobctl("config", "edit").code == 0
    assert not config.exists() and os.listdir(config.parent) == []


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ('echo "slots = " > "$1"', "is not TOML"),
        ('printf "[submit]\\nslotz = 3\\n" > "$1"', "unknown key 'slotz' in [submit]"),
        ('echo "[submit]" > "$1"; exit 3', "ended with code 3; nothing was changed"),
        (
            'echo "[submit]" > "$1"; echo "# new" >> "$XDG_CONFIG_HOME/jobctl/config.toml"',
            "has changed while you edited",
        ),
    ],
)
def test_text_with_a_mistake_is_kept(
    jobctl, config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, said: str
) -> None:
    config.parent.mkdir(parents=True)
    config.write_text("[submit]\nslots = 1\n")
    monkeypatch.setenv("EDITOR", _editor(tmp_path, script))
    done = jobctl("config", "edit")
    assert done.code == 2 and said in done.err
    assert config.read_text().startswith("[submit]\nslots = 1\n")
    (draft,) = [path for path in config.parent.iterdir() if path != config]
    assert f"your text is kept in {draft}" in done.err and draft.read_text().startswith(("slots", "[submit]"))


@pytest.mark.parametrize(("variable", "said"), [("nope", "does not exist: nope"), ("a 'b", "is not a command")])
def test_an_editor_that_does_not_exist(jobctl, config: Path, monkeypatch, variable: str, said: str) -> None:
    monkeypatch.setenv("EDITOR", variable)
    done = jobctl("config", "edit")
    assert done.code == 2 and said in done.err and "EDITOR=nano" in done.err


def test_without_a_terminal_an_editor_must_be_named(jobctl, config: Path, tmp_path: Path, monkeypatch) -> None:
    done = jobctl("config", "edit")
    assert done.code == 2 and "there is no editor here" in done.err and not config.parent.exists()
    monkeypatch.setenv("EDITOR", _editor(tmp_path, 'echo drawing; echo "[submit]" > "$1"'))
    assert jobctl("config", "edit", "--json").document["changed"] is True, "what an editor prints is not the output"


def test_a_terminal_is_asked_whether_to_edit_again(home: Home, config: Path, tmp_path: Path) -> None:
    script = 'if [ -e "$0.twice" ]; then echo "[submit]" > "$1"; else touch "$0.twice"; echo "x = " > "$1"; fi'
    environ = {"XDG_CONFIG_HOME": str(tmp_path / "user"), "EDITOR": _editor(tmp_path, script)}
    terminal = Terminal(home, "config", "edit", columns=200, **environ)
    terminal.await_text("edit again? [Y/n]")
    assert "is not TOML" in terminal.text()
    terminal.child.send(b"\r")
    terminal.await_text("has changed")
    assert terminal.end() == 0 and config.read_text() == "[submit]\n"
    Path(tmp_path / "an editor.sh.twice").unlink()
    terminal = Terminal(home, "config", "edit", columns=200, **environ)
    terminal.await_text("edit again? [Y/n]")
    terminal.child.send(b"n\r")
    terminal.await_text("your text is kept in")
    assert terminal.end() == 2 and config.read_text() == "[submit]\n"
