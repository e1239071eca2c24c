"""Runs the same rows through jobctl and other programs, each started as a user starts it."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks import peers
from benchmarks.usage import Usage, measure


@contextmanager
def bench(count: int, slots: int | None = None) -> Iterator[Bench]:
    """Make a folder with a file of ``count`` rows, and remove it afterwards. ``BENCH_DIR`` names its parent."""
    with tempfile.TemporaryDirectory(dir=os.environ.get("BENCH_DIR")) as folder:
        made = Bench(Path(folder), count, slots or os.cpu_count() or 1)
        made.file.write_text("".join(f"{number}\n" for number in range(count)))
        yield made


@dataclass(frozen=True, slots=True)
class Bench:
    """A file of rows. Each method runs ``true`` for each row in a number of slots and returns the usage."""

    folder: Path
    count: int
    slots: int

    @property
    def file(self) -> Path:
        """The file of the rows, one per line."""
        return self.folder / "rows.txt"

    def jobctl(self, *options: str, command: str = "true", spawners: int = 1) -> Usage:
        """``jobctl run`` on a separate store that exists already, as for the second job of a user."""
        with tempfile.TemporaryDirectory(dir=self.folder) as home:
            settings = self.folder / "config" / "jobctl" / "config.toml"
            settings.parent.mkdir(parents=True, exist_ok=True)
            settings.write_text(f"[daemon]\nspawners = {spawners}\n")
            env = {"JOBCTL_HOME": home, "XDG_CONFIG_HOME": str(self.folder / "config")}
            measure([*peers.jobctl(), "status"], env=env)
            options = ("--slots", str(self.slots), *options)
            return measure([*peers.jobctl(), "run", self.file, *options, "--", command], env=env)

    def xargs(self) -> Usage:
        """``xargs -P -n1``: records nothing."""
        return measure(["xargs", f"-P{self.slots}", "-n1", "true"], stdin=self.file)

    def make(self) -> Usage:
        """``make -j``: one target per row, records nothing."""
        path = self.folder / "Makefile"
        names = " ".join(f"t{number}" for number in range(self.count))
        path.write_text(f".PHONY: all {names}\nall: {names}\n{names}:\n\t@true $@\n")
        return measure(["make", f"-j{self.slots}", "-f", path, "all"])

    def parallel(self, *, results: bool = True) -> Usage:
        """GNU parallel with a job log, and by default with outputs kept."""
        with tempfile.TemporaryDirectory(dir=self.folder) as kept:
            words = ["--joblog", f"{kept}/joblog", *(["--results", f"{kept}/results"] if results else [])]
            argv = [peers.program("GNU parallel"), "--will-cite", f"-j{self.slots}", *words, "true", "{}"]
            return measure([*argv, "::::", self.file], env={"HOME": kept})

    def hyperqueue(self) -> Usage:
        """A LocalCluster of the Python package, with output files, which are its default."""
        argv = [sys.executable, "-m", "benchmarks._hyperqueue", str(self.count), str(self.slots)]
        return measure(argv, cwd=Path(__file__).parents[1])

    def task_spooler(self) -> Usage:
        """A ``tsp`` call per row, then a wait for the last one; with output files, which are its default."""
        # The server of tsp ends after ``tsp -K`` has returned, and may still remove files of the folder.
        with tempfile.TemporaryDirectory(dir=self.folder, ignore_cleanup_errors=True) as place:
            tsp = peers.program("task-spooler")
            env = {"TS_SOCKET": f"{place}/socket", "TMPDIR": place, "TS_MAXFINISHED": str(self.count + 10)}
            script = f"{tsp} -S {self.slots}; while read n; do {tsp} true $n; done; {tsp} -w; {tsp} -K"
            return measure(["sh", "-c", script], env=env, stdin=self.file)


def wall(act: Callable[[], Usage]) -> Callable[[], float]:
    """Return a function that runs ``act`` and returns its wall time in seconds."""
    return lambda: act().wall_s
