"""Start-up: the CPU time of short commands, compared with the import of the library that reads the command line."""

from __future__ import annotations

import os
import pty
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from benchmarks import peers
from benchmarks.figure import Figure, Scale
from benchmarks.pairs import Paired, compare_all
from benchmarks.usage import environment, measure

TITLE = "CPU time of short commands, compared with python -c 'import typer'"
NOTES = """
The figures are the user and system time of the process and of all processes that it waited for, in a store with three
finished jobs of ten rows. `submit` and `run` get a fresh copy of that store each time. The byte code is on disk, as
after an installation.
"""
ROWS = 10
#: (figure, words, target, on a terminal, changes the store)
_Case = tuple[str, tuple[str, ...], float, bool, bool]
CASES: tuple[_Case, ...] = (
    ("--version", ("--version",), 0.5, False, False),
    ("completion of job ids", ("__complete", "jobs"), 0.5, False, False),
    ("status --json", ("status", "--json"), 1.5, False, False),
    ("status, a table on a terminal", ("status",), 2.3, True, False),
    ("submit of ten rows", ("submit", "rows.csv", "--", "true", "{id}"), 1.7, False, True),
    ("run -q of ten rows of true", ("run", "-q", "rows.csv", "--", "true"), 5.0, False, True),
)


def run(scale: Scale) -> list[Figure]:
    """Measure all commands in turn, in many rounds, because each takes only a few hundredths of a second."""
    with tempfile.TemporaryDirectory(dir=os.environ.get("BENCH_DIR")) as folder:
        place = _Place(Path(folder))
        for case in CASES:  # makes the byte code and other files that are made only once
            place.act(case)()
        taken = compare_all([_reference, *(place.act(case) for case in CASES)], scale.of(25, 5))
    return [
        Paired(mine, taken[0]).figure(name, target, "ms", 1e-3)
        for (name, _, target, _, _), mine in zip(CASES, taken[1:], strict=True)
    ]


def _reference() -> float:
    return measure([sys.executable, "-c", "import typer"]).cpu_s


class _Place:
    """A folder with rows and a store."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._store = root / "store"
        rows = "".join(f"{n},row {n}\n" for n in range(1, ROWS + 1))
        (root / "rows.csv").write_text(f"id,text\n{rows}")
        for _ in range(3):
            self._measure(CASES[-1][1], self._store)

    def act(self, case: _Case) -> Callable[[], float]:
        """Return a function that runs a command once and returns its CPU seconds."""
        _, words, _, on_terminal, changes = case
        if on_terminal:
            return lambda: _on_terminal([*peers.jobctl(), *words], environment(self._env(self._store)))
        return lambda: self._measure(words, self._copy() if changes else self._store)

    def _measure(self, words: tuple[str, ...], store: Path) -> float:
        return measure([*peers.jobctl(), *words], env=self._env(store), cwd=self._root).cpu_s

    def _env(self, store: Path) -> dict[str, str]:
        return {"JOBCTL_HOME": str(store), "TERM": "xterm-256color", "COLUMNS": "100", "LINES": "30"}

    def _copy(self) -> Path:
        copy = self._root / "copy"
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(self._store, copy, ignore=shutil.ignore_patterns("wake"))  # a FIFO cannot be copied
        return copy


def _on_terminal(argv: list[str], env: dict[str, str]) -> float:
    """Return the CPU seconds of a command whose output is a terminal that we read."""
    ours, theirs = pty.openpty()
    try:
        child = subprocess.Popen(argv, stdin=theirs, stdout=theirs, stderr=theirs, env=env)
        os.close(theirs)
        _read_all(ours)
        _, status, used = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode:
            raise RuntimeError(f"{argv} ended with {child.returncode}")
    finally:
        os.close(ours)
    return used.ru_utime + used.ru_stime


def _read_all(descriptor: int) -> None:
    try:
        while os.read(descriptor, 65_536):
            pass
    except OSError:  # Linux reports EIO when the other end is closed
        return
