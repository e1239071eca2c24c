"""Job logs to and from GNU parallel itself."""

from __future__ import annotations

import shutil
import subprocess

import pytest

pytestmark = pytest.mark.skipif(
    shutil.which("parallel") is None
    or b"GNU parallel" not in subprocess.run(["parallel", "--version"], capture_output=True).stdout,
    reason="GNU parallel is not installed: apt-get install parallel",
)

VALUES = ["1", "2 words", "3'quote", '4"quote', "5$dollar", "6;semi", "7*star", "8\\slash", "9 and  two"]
#: Says what it was given, and fails for those that begin with an even number until ``good`` is there.
PROGRAM = """#!/bin/sh
printf '%s\\n' "$1" >> ran.txt
case "$1" in [2468]*) [ -e good ] || exit 7;; esac
"""


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch):
    """A folder with a program that fails for some values."""
    (tmp_path / "program").write_text(PROGRAM)
    (tmp_path / "program").chmod(0o755)
    (tmp_path / "values.txt").write_text("\n".join(VALUES) + "\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def parallel(*words):
    """GNU parallel with two slots; its exit code is the number of failures."""
    command = ["parallel", "--will-cite", "-j2", "--joblog", "log", *words]
    return subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=60).returncode


def ran(place):
    """The arguments of the program since the last call, in any order."""
    path = place / "ran.txt"
    found = sorted(path.read_text().splitlines()) if path.exists() else []
    path.unlink(missing_ok=True)
    return found


def even(values):
    return [value for value in values if int(value[0]) % 2 == 0]


def test_what_failed_under_parallel_runs_here(jobctl, place):
    assert parallel("./program", "{}", "::::", "values.txt") == len(even(VALUES))
    assert ran(place) == VALUES
    again = jobctl("run", "log", "--from-joblog", "--attempts", "1")
    assert again.code == 4  # none of them succeeded
    assert ran(place) == even(VALUES)
    (place / "good").touch()
    assert jobctl("run", "log", "--from-joblog").code == 0
    assert ran(place) == even(VALUES)


def test_what_parallel_made_good_meanwhile_does_not_run_here(jobctl, place):
    parallel("./program", "{}", "::::", "values.txt")
    (place / "good").touch()
    assert parallel("--resume-failed", "./program", "{}", "::::", "values.txt") == 0
    ran(place)
    assert jobctl("submit", "log", "--from-joblog").code == 7  # no row is left
    assert ran(place) == []


@pytest.mark.parametrize("how", [("--resume-failed", "./program", "{}", "::::", "values.txt"), ("--retry-failed",)])
def test_what_failed_here_runs_under_parallel(jobctl, place, how):
    assert jobctl("run", "values.txt", "--attempts", "1", "--", "./program", "{}").code == 3
    assert ran(place) == VALUES
    assert jobctl("export", "last", "--joblog", "-o", "log").code == 0
    assert parallel(*how) == len(even(VALUES))
    assert ran(place) == even(VALUES)
    (place / "good").touch()
    assert parallel(*how) == 0
    assert ran(place) == even(VALUES)
