"""The base of the screens of ``jobctl top``: it draws again when the store has changed, and has the keys that act."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.css.query import NoMatches
from textual.screen import Screen

from jobctl.errors import NotFound
from jobctl.render.inert import inert_log
from jobctl.store import sqlite
from jobctl.tui.actions import Actions, question_of_cancel
from jobctl.tui.confirm import Confirm
from jobctl.tui.program import Program
from jobctl.tui.reader import Reader

if TYPE_CHECKING:
    from jobctl.domain.documents.status import StatusDocument


class JobctlScreen(Screen[None]):
    """A screen about the job ``chosen_job``."""

    JOB_KEYS: ClassVar[list[BindingType]] = [
        Binding("c", "cancel", "cancel"),
        Binding("r", "retry", "retry"),
        Binding("p", "pause", "pause"),
    ]
    busy = False  # an item runs, so the durations on the screen change each second

    @property
    def program(self) -> Program:
        """The program around the screen."""
        assert isinstance(self.app, Program)
        return self.app

    @property
    def reader(self) -> Reader:
        """The reader of documents."""
        return self.program.reader

    @property
    def actions(self) -> Actions:
        """The actions that keys start."""
        return self.program.actions

    @property
    def chosen_job(self) -> StatusDocument | None:
        """The job that the keys act on, or None."""
        raise NotImplementedError

    def show_now(self) -> None:
        """Read and draw. Raises NotFound when the job was removed."""
        raise NotImplementedError

    def refresh_now(self) -> None:
        """Read and draw; leave the screen when its job was removed."""
        if not self.is_mounted or not self.is_current:
            return
        try:
            self.show_now()
        except NotFound as gone:
            self.notify(inert_log(gone.message), severity="warning", markup=False)
            self.dismiss()
        except sqlite.Error as error:  # another process may lock it: keep the screen, and read again later
            self.notify(f"the store cannot be read now: {error}", severity="error", markup=False)
        except NoMatches:  # a change arrived while the screen is being closed
            return
        self.program.watcher.busy = self.busy

    def on_screen_resume(self) -> None:
        """The screen is visible, perhaps again."""
        self.call_after_refresh(self.refresh_now)

    def on_resize(self) -> None:
        """The terminal has a new size."""
        self.call_after_refresh(self.refresh_now)

    def action_back(self) -> None:
        """Return to the screen before this one."""
        self.dismiss()

    def action_cancel(self) -> None:
        """Cancel the job, if the answer is yes."""
        job = self.chosen_job
        if job is None:
            return
        if job["done"]:
            self.notify(f"job {job['job']} is {job['state']} already")
            return
        self.ask(*question_of_cancel(job), lambda: self.actions.cancel(job["job"]))

    def ask(self, question: str, consequence: str, act: Callable[[], object]) -> None:
        """Ask, and call ``act`` if the answer is yes."""

        def answered(yes: bool | None) -> None:
            if yes:
                act()

        self.app.push_screen(Confirm(question, consequence), answered)

    def action_retry(self) -> None:
        """Begin another round of the job."""
        if self.chosen_job is not None:
            self.actions.retry(self.chosen_job["job"])

    def action_pause(self) -> None:
        """Pause the job, or resume it."""
        if self.chosen_job is not None:
            self.actions.pause(self.chosen_job)
