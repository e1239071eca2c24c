"""The one live line of a wait: what it waits for, how long so far, and how to leave it.

It is on standard error, on a screen alone, and only while the wait lasts longer than a second. At the end nothing of it
is left. A wait calls the line from time to time; the line has no thread, because a command that forks must have none.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, NamedTuple, Self, TextIO

from jobctl.cli.session import Session

if TYPE_CHECKING:
    from jobctl.services.control.targets import Target
    from jobctl.services.daemon.watched_wait import Look

#: Seconds before the line appears: a shorter wait needs none.
SHOW_AFTER_S = 1.0
_CLEAR = "\r\x1b[K"


class Waiting(NamedTuple):
    """What a wait waits for at one moment, as a phrase and in fewer words."""

    phrase: str
    brief: str


class WaitingLine:
    """Draws the line; inside its block, messages go through ``note``."""

    def __init__(
        self,
        shared: Session,
        describe: Callable[[float], Waiting],
        then: str,
        stream: TextIO | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """``describe`` gets the seconds of the wait so far; ``then`` says what happens after Ctrl-C."""
        self._shared = shared
        self._describe = describe
        self._then = then
        self._stream = stream or sys.stderr
        self._clock = clock
        self._began = clock()
        self._drawn = ""
        self.has_begun = False  # the wait has begun, so Ctrl-C only leaves it
        self._is_shown = not (shared.quiet or shared.json) and shared.is_screen(self._stream)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._clear()

    @property
    def look(self) -> Look | None:
        """What a wait has to call; None where no line can be shown."""
        return self.draw if self._is_shown else None

    def note(self, text: str) -> None:
        """Print a message above the line."""
        drawn = self._drawn
        self._clear()
        self._shared.note(text)
        if drawn:
            self._write(drawn)

    def draw(self) -> None:
        """Note that the wait has begun, and draw the line if it can be shown and the wait is long enough."""
        self.has_begun = True
        waited_s = self._clock() - self._began
        if not self._is_shown or waited_s < SHOW_AFTER_S:
            return
        line = self._line(waited_s)
        if line != self._drawn:
            self._write(line)

    def _line(self, waited_s: float) -> str:
        from jobctl.domain.durations import format_duration
        from jobctl.render.inert import inert
        from jobctl.render.waiting import fitting

        found, waited = self._describe(waited_s), format_duration(int(waited_s))
        leave = f"Ctrl-C leaves, {self._then}"
        return fitting(
            (
                (inert(found.phrase), f"waiting for {waited}", leave),
                (inert(found.phrase), waited, leave),
                (inert(found.brief), waited, leave),
                (inert(found.brief), waited, "Ctrl-C leaves"),
                (inert(found.brief), "Ctrl-C leaves"),
                (inert(found.brief),),
            ),
            self._shared.colorless_look(self._stream),
        )

    def _clear(self) -> None:
        if self._drawn:
            self._write("")

    def _write(self, line: str) -> None:
        self._drawn = line
        self._stream.write(f"\r{line}\x1b[K" if line else _CLEAR)
        self._stream.flush()


def for_jobs(shared: Session, jobs: Sequence[int]) -> WaitingLine:
    """The line of a wait for the end of these jobs."""
    then = "the job continues" if len(jobs) == 1 else "the jobs continue"
    return WaitingLine(shared, lambda _: _jobs(shared, jobs), then)


def _jobs(shared: Session, jobs: Sequence[int]) -> Waiting:
    from jobctl.cli.session import now_us
    from jobctl.domain.durations import format_duration
    from jobctl.domain.wording import number, plural
    from jobctl.services.daemon.watched_wait import awaited

    found = awaited(shared.home, jobs, now_us())
    if found is None:
        return Waiting(f"waiting for {plural(len(jobs), 'job')}", plural(len(jobs), "job"))
    who = f"{number(found.done)} of {plural(found.jobs, 'job')} done"
    brief = f"{found.done}/{found.jobs} jobs"
    if found.jobs == 1:
        brief = f"job {jobs[0]}" if found.state == "running" else f"job {jobs[0]} {found.state}"
        who = f"job {jobs[0]} {found.state}"
    if not found.total:
        return Waiting(who, brief)
    left = "" if found.eta_s is None else f", {format_duration(found.eta_s)} left"
    return Waiting(
        f"{who}: {number(found.processed)} of {plural(found.total, 'item')} processed{left}",
        f"{brief}: {number(found.processed)}/{number(found.total)} items{left}",
    )


def for_daemon(shared: Session, then: str) -> WaitingLine:
    """The line of a wait for the end of the daemon."""
    return WaitingLine(shared, lambda _: _daemon(shared), then)


def _daemon(shared: Session) -> Waiting:
    from jobctl.cli.session import now_us
    from jobctl.domain.wording import plural
    from jobctl.services.daemon.watched_wait import running_items

    running = running_items(shared.home, now_us())
    if running is None:  # its database cannot be read
        return Waiting("the daemon waits for its running items", "the daemon stops")
    if not running:
        return Waiting("the daemon writes its last results", "daemon: last results")
    return Waiting(f"the daemon waits for {plural(running, 'running item')}", f"daemon: {running} running")


def for_start(shared: Session) -> WaitingLine:
    """The line of a wait until a daemon that was started is ready."""
    phrase = "the daemon starts and reads the work that is left"
    return WaitingLine(shared, lambda _: Waiting(phrase, "the daemon starts"), "it still starts")


def for_prune(shared: Session) -> WaitingLine:
    """The line of a wait until jobs are removed."""
    phrase = "jobs are removed, and their data are erased from all files"
    return WaitingLine(shared, lambda _: Waiting(phrase, "jobs are removed"), "the next prune finishes it")


def for_cancel(shared: Session, targets: Sequence[Target], *, at_once: bool) -> WaitingLine:
    """The line of a wait until these jobs and items are cancelled."""
    return WaitingLine(shared, _Cancel(shared, targets, at_once=at_once).describe, "the cancel continues")


def for_cancel_of_items(shared: Session, jobs: Sequence[int], *, at_once: bool) -> WaitingLine:
    """The line of a wait until selected items of these jobs are cancelled."""
    from jobctl.services.control.targets import Target

    wait = _Cancel(shared, [Target(job) for job in jobs], at_once=at_once)
    return WaitingLine(shared, wait.describe_selected, "the cancel continues")


class _Cancel:
    def __init__(self, shared: Session, targets: Sequence[Target], *, at_once: bool) -> None:
        self._shared = shared
        self._targets = targets
        self._jobs = list(dict.fromkeys(target.job for target in targets))
        self._grace_s = 0.0 if at_once else None

    def describe(self, waited_s: float) -> Waiting:
        """The running items, and the time until they get KILL."""
        if any(target.item is not None for target in self._targets):
            return self._items(waited_s)
        from jobctl.cli.session import now_us
        from jobctl.domain.wording import plural
        from jobctl.services.daemon.watched_wait import awaited

        one = len(self._jobs) == 1
        found = awaited(self._shared.home, self._jobs, now_us())
        who = f"job {self._jobs[0]}" if one or found is None else f"{found.done} of {plural(found.jobs, 'job')} ended"
        if found is None or not found.running:
            return Waiting(f"{who}: the engine ends it" if one else who, who)
        return Waiting(
            f"{who}: {plural(found.running, 'item')} still running, {self._kill(waited_s)}",
            f"{who}: {found.running} running, {self._kill(waited_s)}",
        )

    def describe_selected(self, waited_s: float) -> Waiting:
        """The jobs, and the time until the items that still run get KILL."""
        who = f"job {self._jobs[0]}" if len(self._jobs) == 1 else f"{len(self._jobs)} jobs"
        return Waiting(f"{who}: selected items still end, {self._kill(waited_s)}", f"{who}: {self._kill(waited_s)}")

    def _items(self, waited_s: float) -> Waiting:
        from jobctl.domain.wording import plural
        from jobctl.services.control.cancel import count_live

        left = plural(count_live(self._shared.home, self._targets), "item")
        return Waiting(f"{left} not ended yet, {self._kill(waited_s)}", f"{left}, {self._kill(waited_s)}")

    def _kill(self, waited_s: float) -> str:
        from jobctl.domain.durations import format_duration
        from jobctl.services.control.cancel import grace_of

        if self._grace_s is None:
            self._grace_s = grace_of(self._shared.home, self._jobs)
        left_s = self._grace_s - waited_s
        return f"KILL in {format_duration(max(1, round(left_s)))}" if left_s > 0 else "KILL was sent"
