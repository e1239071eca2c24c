"""Writes figures for people, spelled alike everywhere: counts, shares, sizes, rates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Protocol

    class EndedCounts(Protocol):
        """The counts of a job that ended: those of its items, and of the rows that are not items."""

        @property
        def total(self) -> int: ...
        @property
        def succeeded(self) -> int: ...
        @property
        def failed(self) -> int: ...
        @property
        def unprocessed(self) -> int: ...
        @property
        def rejected(self) -> int: ...
        @property
        def skipped(self) -> int: ...


_UNITS = ("B", "KiB", "MiB", "GiB", "TiB", "PiB")


def number(value: int) -> str:
    """``9999`` without separators, ``10,000`` and more with them."""
    return f"{value:,}" if abs(value) >= 10_000 else str(value)


def plural(value: int, noun: str, many: str | None = None) -> str:
    """``1 item``, ``2 items``, ``10,000 items``; ``many`` is a plural that does not just end in s."""
    return f"{number(value)} {noun}" if value == 1 else f"{number(value)} {many or f'{noun}s'}"


def percent(part: float, whole: float) -> str:
    """``2.4 %``; never ``0 %`` for a part that is not zero, nor ``100 %`` for a part that is not the whole."""
    share = 100 * part / whole if whole else 0.0
    if part and share < 0.1:
        return "< 0.1 %"
    if part < whole and share > 99.9:
        return "> 99.9 %"
    return f"{share:.0f} %" if share in (0, 100) else f"{share:.1f} %"


#: The beginning of the daemon's pressure while its files cannot be written.
UNWRITTEN_RESULTS = "result files of job"
UNWRITABLE_STORE = "the database cannot be written"


def hindrance(pressure: str) -> str:
    """The sentence about a daemon that cannot work: files cannot be written, or processes cannot be started."""
    if pressure.startswith((UNWRITTEN_RESULTS, UNWRITABLE_STORE)):
        return pressure
    return f"the machine refuses to start processes: {pressure}"


def size(count: int) -> str:
    """Bytes in binary units: ``512 B``, ``47.1 KiB``."""
    value = float(count)
    for unit in _UNITS:
        if value < 1024 or unit == _UNITS[-1]:
            break
        value /= 1024
    return f"{count} B" if unit == "B" else f"{value:.1f} {unit}"


def rate(per_second: float) -> str:
    """``120/s``, ``6.8/s``, and for slow work ``4.2/min`` or ``3.0/h``."""
    if per_second >= 9.95:
        return f"{number(round(per_second))}/s"
    if per_second >= 0.95:
        return f"{per_second:.1f}/s"
    if per_second * 60 >= 0.95:
        return f"{per_second * 60:.1f}/min"
    return f"{per_second * 3600:.1f}/h"


def open_elsewhere(followed: Sequence[tuple[int, int]]) -> str:
    """The sentence about rows of a job that are open in other jobs: (other job, rows); empty if there are none.

    ``12 rows are open in job 4; they wait for its end and run here only if they did not succeed there with the same
    content and command``. A row that is open there with other content runs here in any case, so the sentence says so.
    """
    parts = [
        f"{plural(rows, 'row')} {'is' if rows == 1 else 'are'} open in job {job}" for job, rows in followed if rows
    ]
    if not parts:
        return ""
    total = sum(rows for _, rows in followed)
    they, wait, run = ("it", "waits", "runs") if total == 1 else ("they", "wait", "run")
    whose = "its" if len(parts) == 1 else "their"
    then = f"{they} {wait} for {whose} end and {run} here only if {they} did not succeed there"
    return f"{', '.join(parts)}; {then} with the same content and command"


def ended_sentence(state: str, reason: str, counts: EndedCounts) -> str:
    """The reason for the end of a job, with figures; ``reason`` says why it was stopped, and is empty if it was not."""
    names = ("succeeded", "failed", "unprocessed", "rejected", "skipped")
    parts = [f"{number(getattr(counts, name))} {name}" for name in names if getattr(counts, name)]
    if not counts.total and counts.skipped:
        return f"nothing to do: {plural(counts.skipped, 'row')} done already in an earlier job of that name"
    if state == "succeeded" and len(parts) == 1:
        return "the item succeeded" if counts.total == 1 else f"all {plural(counts.total, 'item')} succeeded"
    figures = ", ".join(parts)
    return f"{reason}: {figures}" if reason else figures
