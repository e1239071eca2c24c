"""Actions on jobs and items from the screens, through the services of the commands and with the same sentences."""

from __future__ import annotations

from collections.abc import Callable
from threading import Thread
from typing import TYPE_CHECKING

from jobctl.config import Home
from jobctl.domain.selection import Selection
from jobctl.domain.wording import plural
from jobctl.errors import JobctlError
from jobctl.process.moment import now as now_us
from jobctl.services.control import cancel, pause, retry
from jobctl.services.control.targets import Target

if TYPE_CHECKING:
    from jobctl.domain.documents.status import StatusDocument


Say = Callable[[str, bool], object]  # (sentence, whether it is an error)


class Actions:
    """Runs each action in a thread: a cancel waits until the running items have ended, and the screen must not wait."""

    def __init__(self, home: Home, say: Say) -> None:
        self._home, self._say = home, say

    def cancel(self, job: int, item: int | None = None) -> None:
        """Cancel a job or an item."""
        target = Target(job, item)

        def act() -> str:
            (done,) = cancel.cancel(self._home, [target], at_once=False, reason="", now=now_us())
            return done.sentence

        self._do(act)

    def retry(self, job: int, selection: Selection | None = None) -> None:
        """Begin another round for the items that did not succeed, or for the selected ones."""
        self._do(lambda: retry.retry(self._home, job, selection or Selection(), now=now_us()).sentence)

    def pause(self, job: StatusDocument) -> None:
        """Pause a job, or resume a paused one."""
        number, paused = job["job"], job["state"] == "paused"

        def act() -> str:
            if paused:
                return pause.resume(self._home, [number], now=now_us())[0].sentence("continues")
            return pause.pause(self._home, [number], reason="", now=now_us())[0].sentence("paused")

        self._do(act)

    def _do(self, act: Callable[[], str]) -> None:
        # A daemon thread: the end of top must not wait for a process that takes long to end.
        Thread(target=self._guarded, args=(act,), name="action", daemon=True).start()

    def _guarded(self, act: Callable[[], str]) -> None:
        try:
            self._say(act(), False)
        except JobctlError as error:
            self._say(f"{error.message}\n{error.hint or ''}".strip(), True)


def question_of_cancel(job: StatusDocument) -> tuple[str, str]:
    """The question and the consequence to show before a job is cancelled."""
    counts = job["counts"]
    waiting = counts["queued"] + counts["retrying"]
    parts = [
        f"{plural(counts['running'], 'running item')} will be stopped" if counts["running"] else "",
        f"{plural(waiting, 'waiting item')} will not run" if waiting else "",
    ]
    consequence = ", ".join(filter(None, parts)) + "."
    return f"End job {job['job']} ({job['name']})?", consequence
