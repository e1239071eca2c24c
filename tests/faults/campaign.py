"""The faults by name, and the table of what happened when they were put in."""

from __future__ import annotations

import ctypes
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
    """What came of the trials of one fault."""

    fault: Fault
    trials: int = 0
    seconds: float = 0.0
    skipped: str = ""
    bad: list[tuple[str, list[str]]] = field(default_factory=list)  # (seed, violations)


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


def run_fault(fault: Fault, trials: int, seed: int, first: int = 0) -> Tally:
    """Run trials ``first``.. of a fault; trial n of a seed is the same whenever it is run."""
    tally = Tally(fault)
    began = time.monotonic()
    for number in range(first, first + trials):
        try:
            found = fault.trial(random.Random(f"{fault.name}-{seed}-{number}"), number)
        except Skip as reason:
            tally.skipped = str(reason)
            break
        except Exception as problem:
            found = [f"{type(problem).__name__}: {problem}", "".join(traceback.format_tb(problem.__traceback__)[-4:])]
        tally.trials += 1
        if found:
            tally.bad.append((f"--seed {seed} --only {fault.name} --first {number} --trials 1", found))
        reap()
    tally.seconds = time.monotonic() - began
    return tally


def adopt_orphans() -> None:
    """Become the parent of daemons that lose theirs, so that zombies are ours to find and to reap."""
    ctypes.CDLL(None, use_errno=True).prctl(36, 1, 0, 0, 0)


def table(tallies: Iterable[Tally]) -> str:
    """Markdown: fault, trials, violations, time."""
    lines = ["| fault | what | trials | violations | s a trial |", "|---|---|---:|---:|---:|"]
    for tally in tallies:
        fault = tally.fault
        if tally.skipped:
            lines.append(f"| {fault.name} | {fault.what} | skipped: {tally.skipped} | | |")
            continue
        each = tally.seconds / max(1, tally.trials)
        lines.append(f"| {fault.name} | {fault.what} | {tally.trials} | {len(tally.bad)} | {each:.2f} |")
    return "\n".join(lines)
