"""Names that another user chose, completed in real shells: Enter runs nothing, and the inserted text is the name."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from jobctl.cli.commands.completion import FILES
from jobctl.config import Home
from tests.cli.completion.test_shells import PATIENCE_S, SCRIPTS, environment, need, spawn
from tests.factories import make_store
from tests.interactive import end
from tests.stages import few
from tests.wait import wait_until

ROOT = Path(__file__).parents[3]
#: By what is typed before TAB. Each would leave a file if any of it ran.
HOSTILE = {
    "aa": "aa$(touch PWNED)",
    "ab": "ab`touch PWNED`",
    "ac": "ac; touch PWNED #",
    "ad": "ad' ; touch PWNED ; '",
    "ae": 'ae"$(touch PWNED)"',
    "af": "af && touch PWNED",
    "ag": "ag > PWNED",
    "ah": "ah two  words ",
    "ai": "ai\\$(touch PWNED)",
    "aj": "aj:colon=\\:$(touch PWNED)",
    "ak": "ak*?[a]{b,c}~!$HOME%s&|<(touch PWNED)",
    "al": "al(touch PWNED)",
    "am": "am\u00e9 \U0001f600$(touch PWNED)",
}
#: Two with a beginning in common that must not be inserted as it is.
TWINS = ("t$(touch PWNED)1", "t$(touch PWNED)2")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with hostile queues, files and recipes, and a ``jobctl`` that writes down how it was called."""
    place = tmp_path_factory.mktemp("hostile")
    program = place / "bin" / "jobctl"
    program.parent.mkdir()
    real = f"PYTHONPATH={ROOT} exec {sys.executable} -m jobctl"
    program.write_text(
        f'#!/bin/sh\n[ "$1" = __complete ] && {{ {real} "$@"; }}\nprintf "%s\\0" "$@" END >> {place}/called\n'
    )
    program.chmod(0o755)
    (place / "rows.txt").write_text("a\n")
    store = make_store(Home(place / "store"))
    for queue in (*HOSTILE.values(), *TWINS):
        store.job("q", queue=queue)
    for name in HOSTILE.values():
        (place / name).write_text("a\n")
    return place


class Shell:
    """An interactive shell with our completions."""

    def __init__(self, place: Path, name: str) -> None:
        self._place = place
        program = need(name)
        if name == "bash":
            self.terminal = spawn(program, ["--norc", "--noprofile"], place)
            self.terminal.sendline(f"source {SCRIPTS}/{FILES['bash']}; bind 'set bell-style none'; PS1='ready''> '")
        elif name == "zsh":
            self.terminal = spawn(program, ["-f"], place)
            folder = place / "functions"
            folder.mkdir(exist_ok=True)
            shutil.copy(SCRIPTS / FILES["zsh"], folder)
            ready = "unsetopt beep; unset zle_bracketed_paste; PS1='ready''> '"
            self.terminal.sendline(
                f"fpath=({folder} $fpath); autoload -U compinit; compinit -u -d {place}/dump; {ready}"
            )
        else:
            self.terminal = spawn(program, ["--no-config"], place)
            prompt = "function fish_prompt; echo 'ready''> '; end; function fish_greeting; end"
            self.terminal.sendline(f"source {SCRIPTS}/{FILES['fish']}; {prompt}")

    def enter(self, typed: str) -> list[str] | None:
        """Type, complete, press Enter; the words that jobctl was called with, None for no call."""
        called = self._place / "called"
        called.unlink(missing_ok=True)
        self.terminal.expect_exact("ready> ")
        self.terminal.send(f"{typed}\t")
        self.terminal.send("\t\x0b")  # a second one lists what there is, and must not change a thing
        self.terminal.send("\n")
        try:
            wait_until(lambda: called.exists() and called.read_bytes().endswith(b"END\0"), PATIENCE_S, "a call")
        except AssertionError:
            raise AssertionError(self.terminal.read_nonblocking(100_000, 1)) from None
        return called.read_bytes().decode().split("\0")[:-2]

    def close(self) -> None:
        end(self.terminal)


@pytest.fixture(params=few(["bash", "zsh", "fish"], ["bash"]))
def shell(request: pytest.FixtureRequest, place: Path) -> object:
    (place / "PWNED").unlink(missing_ok=True)
    shell = Shell(place, request.param)
    yield shell
    shell.close()


def test_a_hostile_queue_is_inserted_as_one_quoted_word(shell: Shell, place: Path) -> None:
    for typed, name in HOSTILE.items():
        words = shell.enter(f"jobctl queue set {typed}")
        assert words == ["queue", "set", name], shell.terminal.before
        assert not (place / "PWNED").exists(), name


@pytest.mark.slow
def test_a_hostile_file_is_inserted_as_one_quoted_word(shell: Shell, place: Path) -> None:
    for typed, name in HOSTILE.items():
        words = shell.enter(f"jobctl submit {typed}")
        assert words == ["submit", name], shell.terminal.before
        assert not (place / "PWNED").exists(), name


def test_the_common_beginning_of_two_names_runs_nothing(shell: Shell, place: Path) -> None:
    words = shell.enter("jobctl queue set t")
    assert words is not None
    assert words[:2] == ["queue", "set"]
    assert words[2] in ("t", TWINS[0][:-1], *TWINS)
    assert not (place / "PWNED").exists()


def test_bash_inserts_nothing_that_needs_quotes_after_an_open_quote(place: Path) -> None:
    (place / "PWNED").unlink(missing_ok=True)
    shell = Shell(place, "bash")
    try:
        assert shell.enter('jobctl queue set "aa\t"')[:2] == ["queue", "set"]
        assert not (place / "PWNED").exists()
    finally:
        shell.close()


def test_the_output_of_completion_is_inert(place: Path) -> None:
    folder = place / "project"
    folder.mkdir()
    (folder / "jobctl.toml").write_text(
        '[recipe."x\\u001b[2J"]\nshell = "a"\n[recipe."y\\nz"]\nshell = "a"\n[recipe."--force"]\nshell = "a"\n'
        '[recipe.fine]\nsummary = "s\\u001b[31m\\ttab"\nshell = "a"\n'
    )
    environ = environment(place) | {"PYTHONPATH": str(ROOT)}
    for words in (("config", "trust"), ("__complete", "recipes")):
        command = [sys.executable, "-m", "jobctl", *words]
        found = subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True, check=True)
    assert found.stdout == "fine\ts?[31m?tab\n"
    command = [sys.executable, "-m", "jobctl", "__complete", "queues", "--", "aa"]
    found = subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True, check=True)
    assert found.stdout == "aa$(touch PWNED)\tqueue\n"
