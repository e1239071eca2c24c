"""Items that wait for processes although their command has ended, from a file of the supervisor."""

from __future__ import annotations

import os
from typing import NamedTuple

from jobctl.config import Home
from jobctl.domain.wording import plural
from jobctl.process import leaders
from jobctl.process.identity import name_of
from jobctl.process.leaders import LeaderEntry, LeadersFile

_LIVE = {leaders.WAITS, leaders.STUCK, leaders.BARRED}


class ProcessWait(NamedTuple):
    """An item, and the processes for which it waits."""

    item: int
    state: int  # one of process.leaders
    processes: int
    named: str

    def sentence(self) -> str:
        """Return a sentence about the item, without its number."""
        what = plural(self.processes, "process", "processes")
        if self.state == leaders.WAITS:
            return f"has exited and waits for {what} that it left behind: {self.named}"
        if self.state == leaders.STUCK:
            return f"cannot be ended and keeps its slot: {self.named}"
        return f"does not start: {what} of an earlier attempt cannot be ended: {self.named}"


def process_waits(home: Home, job: int) -> list[ProcessWait]:
    """Return the items of a job that wait for processes, in their order; valid only while a daemon runs."""
    return sorted(_process_wait(entry) for entry in _entries(home) if entry.attempt[0] == job)


def unkillable(home: Home) -> list[str]:
    """Return a sentence about each item, of all jobs, with processes that cannot be ended."""
    return [
        f"item {entry.attempt[0]}.{entry.attempt[1]} {_process_wait(entry).sentence()}"
        for entry in sorted(_entries(home), key=lambda entry: entry.attempt)
        if entry.state != leaders.WAITS
    ]


def _entries(home: Home) -> list[LeaderEntry]:
    record = LeadersFile(os.path.join(home.root, leaders.NAME))
    return [entry for entry in record.entries if entry.state in _LIVE and entry.left]


def _process_wait(entry: LeaderEntry) -> ProcessWait:
    return ProcessWait(entry.attempt[1], entry.state, entry.count, _named(entry.left, entry.count))


def _named(pids: list[int], count: int) -> str:
    named = [f"{pid} {name_of(pid)}".rstrip() for pid in pids if pid > 0]
    more = f" and {count - len(pids)} more" if count > len(pids) else ""
    return ", ".join(named) + more
