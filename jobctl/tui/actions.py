"""Laying hands on work from the screens, through the services of the commands; said in the same sentences."""

from __future__ import annotations

from collections.abc import Callable
from threading import Thread
from typing import TYPE_CHECKING

from jobctl.config import Home
from jobctl.domain.selection import Selection
from jobctl.domain.wording import plural
from jobctl.errors import JobctlError
from jobctl.services.control import cancel as control
from jobctl.services.control import pause as holding
from jobctl.services.control import retry
from jobctl.services.control.targets import Target
from jobctl.tui.reading import now_us

if TYPE_CHECKING:
    from jobctl.domain.documents.status import StatusDocument


Say = Callable[[str, bool], object]  # (sentence, whether it is trouble)
Act = Callable[[], str]


class Hands:
    """Does one thing after another beside the screen: a cancel waits until what runs has ended."""

    def __init__(self, home: Home, say: Say) -> None:
        self._home, self._say = home, say

    def cancel(self, job: int, item: int | None = None) -> None:
        """End a job or an item."""
        target = Target(job, item)

        def act() -> str:
            (done,) = control.cancel(self._home, [target], at_once=False, reason="", now=now_us())
            return done.sentence

        self._do(act)

    def retry(self, job: int, selection: Selection | None = None) -> None:
        """Another round for what did not succeed, or what is selected."""
        self._do(lambda: retry.retry(self._home, job, selection or Selection(), now=now_us()).sentence)

    def pause(self, job: StatusDocument) -> None:
        """Pause a job, or let a paused one go on."""
        number, paused = job["job"], job["state"] == "paused"

        def act() -> str:
            if paused:
                return holding.resume(self._home, [number], now=now_us())[0].sentence("goes on")
            return holding.pause(self._home, [number], reason="", now=now_us())[0].sentence("paused")

        self._do(act)

    def _do(self, act: Act) -> None:
        # A daemon thread: who leaves does not wait for a process that takes its time to end.
        Thread(target=self._guarded, args=(act,), name="hands", daemon=True).start()

    def _guarded(self, act: Act) -> None:
        try:
            self._say(act(), False)
        except JobctlError as error:
            self._say(f"{error.message}\n{error.hint or ''}".strip(), True)


def question_of_cancel(job: StatusDocument) -> tuple[str, str]:
    """(question, consequence) before a job is ended."""
    counts = job["counts"]
    waiting = counts["queued"] + counts["retrying"]
    parts = [
        f"{plural(counts['running'], 'running item')} will be stopped" if counts["running"] else "",
        f"{plural(waiting, 'waiting item')} will not run" if waiting else "",
    ]
    consequence = ", ".join(filter(None, parts)) + "."
    return f"End job {job['job']} ({job['name']})?", consequence
