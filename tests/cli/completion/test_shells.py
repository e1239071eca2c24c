"""Completion in the shells themselves: real bash, zsh and fish, a real store."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pexpect
import pytest

from jobctl.cli.commands.completion import FILES
from tests.interactive import end
from tests.stages import few

ROOT = Path(__file__).parents[3]
SCRIPTS = ROOT / "completions"
PATIENCE_S = 60


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an input, a store with two jobs, a recipe, and ``jobctl`` in a folder for PATH."""
    place = tmp_path_factory.mktemp("completion")
    program = place / "bin" / "jobctl"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nPYTHONPATH={ROOT} exec {sys.executable} -m jobctl "$@"\n')
    program.chmod(0o755)
    (place / "rows.txt").write_text("a\nb\n")
    (place / "jobctl.toml").write_text('[recipe.thumbnails]\nsummary = "Small pictures"\ncommand = ["true"]\n')
    subprocess.run([program, "config", "trust"], cwd=place, env=environment(place), check=True, capture_output=True)
    for name in ("nightly", "weekly"):
        arguments = ("submit", "rows.txt", "--name", name, "--queue", f"{name}-lane", "--new-queue", "--", "true")
        subprocess.run([program, *arguments], cwd=place, env=environment(place), check=True, capture_output=True)
    return place


def environment(place: Path) -> dict[str, str]:
    return {
        "PATH": f"{place}/bin:/usr/bin:/bin",
        "HOME": str(place),
        "JOBCTL_HOME": str(place / "store"),
        "XDG_CONFIG_HOME": str(place / "config"),
        "TERM": "dumb",
        "LC_ALL": "C.UTF-8",
    }


def need(shell: str) -> str:
    found = shutil.which(shell)
    if found is None:
        pytest.skip(f"{shell} is not installed")
    return found


#: Typed up to the cursor, and what has to be offered or filled in, the same for every shell.
CASES = {
    "command": ("jobctl explai", "explain"),
    "command of a group": ("jobctl daemon sto", "stop"),
    "option": ("jobctl submit --max-f", "--max-failures"),
    "value": ("jobctl submit --format js", "jsonl"),
    "value after =": ("jobctl submit --halt=so", "soon"),
    "file": ("jobctl submit ro", "rows.txt"),
    "the other command": ("jobctl submit rows.txt -- mkte", "mktemp"),
    "its file": ("jobctl submit rows.txt -- cat ro", "rows.txt"),
    "states of items": ("jobctl items 1 --state failed,unp", "failed,unprocessed"),
    "queue": ("jobctl pause --queue wee", "weekly-lane"),
    "queue as an argument": ("jobctl queue set nig", "nightly-lane"),
    "recipe": ("jobctl submit rows.txt --recipe thu", "thumbnails"),
    "rule": ("jobctl set 1 time", "timeout="),
    "shell": ("jobctl completion fi", "fish"),
}
#: Several are offered, with what they are.
OFFERS = ("jobctl status ", ("1", "2", "nightly (queued)", "weekly (queued)"))


class Bash:
    """Interactive bash."""

    def __init__(self, place: Path) -> None:
        program = need("bash")
        self._terminal = spawn(program, ["--norc", "--noprofile"], place)
        self._terminal.sendline(f"source {SCRIPTS}/{FILES['bash']}; bind 'set bell-style none'; PS1='ready''> '")

    def fill(self, typed: str, wanted: str) -> None:
        self._terminal.expect_exact("ready> ")
        self._terminal.send(f"{typed}\t")
        self._terminal.expect_exact(typed[: typed.rindex(wanted[:2])] + wanted)
        self._terminal.send("\x03")

    def offer(self, typed: str, wanted: tuple[str, ...]) -> None:
        self._terminal.expect_exact("ready> ")
        self._terminal.send(f"{typed}\t\t")
        self._terminal.expect_exact(typed)
        self._terminal.expect_exact("ready> ")
        assert all(text in self._terminal.before for text in wanted), self._terminal.before

    def close(self) -> None:
        end(self._terminal)


class Zsh(Bash):
    """Interactive zsh."""

    def __init__(self, place: Path) -> None:
        self._terminal = spawn(need("zsh"), ["-f"], place)
        ready = "unsetopt beep; unset zle_bracketed_paste; PS1='ready''> '"
        folder = place / "functions"
        folder.mkdir(exist_ok=True)
        shutil.copy(SCRIPTS / FILES["zsh"], folder)
        self._terminal.sendline(f"fpath=({folder} $fpath); autoload -U compinit; compinit -u -d {place}/dump; {ready}")


class Fish:
    """fish asked for its completions."""

    def __init__(self, place: Path) -> None:
        self._program, self._place = need("fish"), place

    def _ask(self, typed: str) -> str:
        code = f"source {SCRIPTS}/{FILES['fish']}; complete -C '{typed}'"
        command = [self._program, "--no-config", "-c", code]
        found = subprocess.run(
            command, cwd=self._place, env=environment(self._place), capture_output=True, text=True, timeout=PATIENCE_S
        )
        assert not found.stderr
        return found.stdout

    def fill(self, typed: str, wanted: str) -> None:
        offered = [line.partition("\t")[0] for line in self._ask(typed).splitlines()]
        assert [word for word in offered if word in (wanted, f"--halt={wanted}")]

    def offer(self, typed: str, wanted: tuple[str, ...]) -> None:
        offered = self._ask(typed)
        assert all(text in offered for text in wanted)

    def close(self) -> None:
        pass


def spawn(program: str, arguments: list[str], place: Path) -> pexpect.spawn[str]:
    return pexpect.spawn(
        program,
        arguments,
        cwd=str(place),
        env=environment(place),
        encoding="utf-8",
        timeout=PATIENCE_S,
        dimensions=(50, 200),
    )


@pytest.fixture(params=[Bash, Zsh, Fish], ids=["bash", "zsh", "fish"])
def shell(request: pytest.FixtureRequest, place: Path) -> object:
    make: Callable[[Path], Bash | Zsh | Fish] = request.param
    shell = make(place)
    yield shell
    shell.close()


@pytest.mark.parametrize("case", few(CASES, ["command of a group", "value after =", "file", "queue"]))
def test_a_word_is_filled_in(shell: Bash | Zsh | Fish, case: str) -> None:
    shell.fill(*CASES[case])


def test_jobs_are_offered_with_name_and_state(shell: Bash | Zsh | Fish) -> None:
    shell.offer(*OFFERS)


def complete(place: Path, *arguments: str) -> list[str]:
    command = [place / "bin" / "jobctl", "__complete", *arguments]
    found = subprocess.run(command, cwd=place, env=environment(place), capture_output=True, text=True, check=True)
    return found.stdout.splitlines()


def test_ids_are_answered_newest_first_and_by_name(place: Path) -> None:
    assert complete(place, "jobs") == ["2\tweekly (queued)", "1\tnightly (queued)"]
    assert complete(place, "jobs", "--", "nigh") == ["1\tnightly (queued)"]
    assert complete(place, "jobs", "--home", str(place / "elsewhere"), "--") == []
    assert complete(place, "nonsense") == []


def test_ids_are_answered_without_the_command_tree(place: Path) -> None:
    code = (
        "import sys; from jobctl.__main__ import answer; answer(['__complete', 'jobs']);"
        "print(sorted({'typer', 'rich', 'sqlalchemy', 'tomllib', 'platformdirs'} & set(sys.modules)))"
    )
    env = environment(place) | {"PYTHONPATH": str(ROOT)}
    found = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True)
    assert found.stdout.splitlines()[-1] == "[]"


def test_the_command_prints_the_installed_script(place: Path) -> None:
    for shell, name in FILES.items():
        command = [place / "bin" / "jobctl", "completion", shell]
        found = subprocess.run(command, env=environment(place) | os.environ, capture_output=True, text=True, check=True)
        assert found.stdout == (SCRIPTS / name).read_text(encoding="utf-8")
