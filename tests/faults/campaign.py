"""The faults by name, and the table of what happened when they were put in."""

from __future__ import annotations

import ctypes
import multiprocessing
import random
import time
import traceback
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from tests.faults.check import violations
from tests.faults.rig import Rig, Skip, reap

#: Draws and number of the trial to violations found; raises Skip, and AssertionError for what never came about.
Trial = Callable[[random.Random, int], list[str]]

FAULTS: dict[str, Fault] = {}


@dataclass(frozen=True)
class Fault:
    """A way to hurt the daemon."""

    name: str
    what: str
    trial: Trial
    full: int | Callable[[], int]  # trials in a full campaign
    sample: int  # in the sample of every change


@dataclass
class Tally:
    """The results of the trials of one fault."""

    name: str
    what: str
    trials: int = 0
    seconds: float = 0.0  # of all trials together, as if one had come after the other
    skipped: str = ""
    bad: list[tuple[str, list[str]]] = field(default_factory=list)  # (how to repeat it, violations)
    figures: dict[str, list[float]] = field(default_factory=dict)

    def add(self, report: Report, seed: int) -> None:
        """Count a trial."""
        self.seconds += report.seconds
        if report.skipped:
            self.skipped = report.skipped
            return
        self.trials += 1
        if report.found:
            self.bad.append((f"--seed {seed} --only {self.name} --first {report.number} --trials 1", report.found))
        for name, values in report.figures.items():
            self.figures.setdefault(name, []).extend(values)


@dataclass(frozen=True)
class Report:
    """The result of one trial."""

    number: int
    found: list[str]
    seconds: float
    skipped: str
    figures: dict[str, list[float]]


#: Of the trial that runs in this process.
_seen: dict[str, list[float]] = {}


def measure(name: str, value: float) -> None:
    """Keep a figure of the trial that runs, for the table."""
    _seen.setdefault(name, []).append(value)


def fault(name: str, what: str, *, full: int | Callable[[], int], sample: int) -> Callable[[Trial], Trial]:
    """Register a trial that returns its violations itself."""

    def register(trial: Trial) -> Trial:
        FAULTS[name] = Fault(name, what, trial, full, sample)
        return trial

    return register


def on_a_rig(hurt: Callable[[Rig], None]) -> Trial:
    """A trial on a fresh store that the checker looks at afterwards."""

    def trial(rng: random.Random, number: int) -> list[str]:
        rig = Rig(rng, number)
        try:
            hurt(rig)
            return violations(rig)
        finally:
            rig.close()

    return trial


def run_fault(fault: Fault, numbers: range, seed: int, jobs: int) -> Tally:
    """Run trials of a fault, ``jobs`` at a time; trial n of a seed is the same whenever it is run."""
    tally = Tally(fault.name, fault.what)
    work = [(fault.name, number, seed) for number in numbers]
    with multiprocessing.get_context("fork").Pool(min(jobs, len(work)), adopt_orphans) as pool:
        for report in pool.imap_unordered(_run_one, work):
            tally.add(report, seed)
            if report.skipped:
                break
    return tally


def _run_one(work: tuple[str, int, int]) -> Report:
    name, number, seed = work
    _seen.clear()
    skipped, began = "", time.monotonic()
    try:
        found = FAULTS[name].trial(random.Random(f"{name}-{seed}-{number}"), number)
    except Skip as reason:
        found, skipped = [], str(reason)
    except Exception as problem:
        found = [f"{type(problem).__name__}: {problem}", "".join(traceback.format_tb(problem.__traceback__)[-4:])]
    reap()
    return Report(number, found, time.monotonic() - began, skipped, dict(_seen))


def adopt_orphans() -> None:
    """Become the parent of daemons that lose theirs, so that zombies are ours to find and to reap."""
    ctypes.CDLL(None, use_errno=True).prctl(36, 1, 0, 0, 0)


def table(tallies: Iterable[Tally]) -> str:
    """Markdown: fault, trials, violations, time, what was measured."""
    lines = ["| fault | what | trials | violations | s a trial | seen |", "|---|---|---:|---:|---:|---|"]
    for tally in tallies:
        if tally.skipped:
            lines.append(f"| {tally.name} | {tally.what} | skipped: {tally.skipped} | | | |")
            continue
        each = tally.seconds / max(1, tally.trials)
        seen = ", ".join(_summary(name, values) for name, values in sorted(tally.figures.items()))
        lines.append(f"| {tally.name} | {tally.what} | {tally.trials} | {len(tally.bad)} | {each:.1f} | {seen} |")
    return "\n".join(lines)


def _summary(name: str, values: list[float]) -> str:
    """Sums of what is counted, middle and largest of what is measured (names with a unit in brackets)."""
    if "(" not in name:
        return f"{name}: {sum(values):g}"
    ordered = sorted(values)
    return f"{name}: median {ordered[len(ordered) // 2]:.3g}, largest {ordered[-1]:.3g}"
