"""What every screen of ``jobctl top`` has: drawn again when the store has changed, keys that act on its job."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.css.query import NoMatches
from textual.screen import Screen

from jobctl.errors import NotFound
from jobctl.render.inert import inert_log
from jobctl.store import sqlite
from jobctl.tui.actions import Hands, question_of_cancel
from jobctl.tui.confirm import Confirm
from jobctl.tui.reading import Reader

if TYPE_CHECKING:
    from jobctl.domain.documents.status import StatusDocument


if TYPE_CHECKING:
    from jobctl.tui.app import Top


class Page(Screen[None]):
    """A screen about the job ``chosen_job``."""

    HANDS: ClassVar[list[BindingType]] = [
        Binding("c", "cancel", "cancel"),
        Binding("r", "retry", "retry"),
        Binding("p", "pause", "pause"),
    ]
    busy = False  # whether something runs, so that clocks go on

    @property
    def top(self) -> Top:
        """The program."""
        from jobctl.tui.app import Top

        assert isinstance(self.app, Top)
        return self.app

    @property
    def reader(self) -> Reader:
        """What there is to see."""
        return self.top.reader

    @property
    def hands(self) -> Hands:
        """What can be done."""
        return self.top.hands

    @property
    def chosen_job(self) -> StatusDocument | None:
        """The job that keys act on; None = there is none."""
        raise NotImplementedError

    def show_now(self) -> None:
        """Draw what there is now. Raises NotFound when what this is about was removed."""
        raise NotImplementedError

    def refresh_now(self) -> None:
        """Draw what there is now; leave when it is gone."""
        if not self.is_mounted or not self.is_current:
            return
        try:
            self.show_now()
        except NotFound as gone:
            self.notify(inert_log(gone.message), severity="warning", markup=False)
            self.dismiss()
        except sqlite.Error as error:  # it is kept by somebody else, say: shown as it was, looked at again
            self.notify(f"the store cannot be read now: {error}", severity="error", markup=False)
        except NoMatches:  # a change was told of while the screen is taken down
            return
        self.top.watcher.busy = self.busy

    def on_screen_resume(self) -> None:
        """It is seen (again)."""
        self.call_after_refresh(self.refresh_now)

    def on_resize(self) -> None:
        """The terminal has another size."""
        self.call_after_refresh(self.refresh_now)

    def action_back(self) -> None:
        """The screen before."""
        self.dismiss()

    def action_cancel(self) -> None:
        """End the job, after a yes."""
        job = self.chosen_job
        if job is None:
            return
        if job["done"]:
            self.notify(f"job {job['job']} is {job['state']} already")
            return
        self.ask(*question_of_cancel(job), lambda: self.hands.cancel(job["job"]))

    def ask(self, question: str, consequence: str, act: object) -> None:
        """Do something after a yes."""

        def answered(yes: bool | None) -> None:
            if yes and callable(act):
                act()

        self.app.push_screen(Confirm(question, consequence), answered)

    def action_retry(self) -> None:
        """Another round."""
        if self.chosen_job is not None:
            self.hands.retry(self.chosen_job["job"])

    def action_pause(self) -> None:
        """Pause the job, or let it go on."""
        if self.chosen_job is not None:
            self.hands.pause(self.chosen_job)
