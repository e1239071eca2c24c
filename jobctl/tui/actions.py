"""Actions on jobs and items from the screens, through the services of the commands and with the same sentences."""

from __future__ import annotations

from collections.abc import Callable
from threading import Thread
from typing import TYPE_CHECKING

from jobctl.config import Home
from jobctl.domain.option_values import read_text
from jobctl.domain.selection import Selection
from jobctl.errors import JobctlError
from jobctl.process.moment import now as now_us
from jobctl.services.control import cancel, pause, retry, retry_forecast
from jobctl.services.control.targets import Target

if TYPE_CHECKING:
    from jobctl.domain.documents.status import StatusDocument
    from jobctl.services.control.retry_forecast import RetryForecast, Rules


Say = Callable[[str, bool], object]  # (sentence, whether it is an error)
Later = Callable[[Callable[[], object]], object]  # calls a function in the thread that draws


class Actions:
    """Runs each action in a thread: a cancel waits until the running items have ended, and the screen must not wait."""

    def __init__(self, home: Home, say: Say, later: Later) -> None:
        self._home, self._say, self._later = home, say, later

    def cancel(self, job: int, item: int | None = None) -> None:
        """Cancel a job or an item."""
        target = Target(job, item)

        def act() -> str:
            (done,) = cancel.cancel(self._home, [target], at_once=False, reason="", now=now_us())
            return done.sentence

        self._do(act)

    def retry(self, job: int, selection: Selection, rules: Rules = ()) -> None:
        """Begin another round for the selected items, with other rules if some are given."""

        def act() -> str:
            values = {option: read_text(option, text) for option, text in rules}
            return retry.retry_all(self._home, {job: selection}, values, now=now_us())[0].sentence

        self._do(act)

    def forecast(self, job: StatusDocument, selection: Selection, then: Callable[[RetryForecast], object]) -> None:
        """Count what a retry runs again, which takes a while for millions of items; then call ``then``."""

        def act() -> str:
            forecast = retry_forecast.forecast(self._home, job, selection, now=now_us())
            self._later(lambda: then(forecast))
            return ""

        self._do(act)

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
            if sentence := act():
                self._say(sentence, False)
        except JobctlError as error:
            self._say(f"{error.message}\n{error.hint or ''}".strip(), True)
