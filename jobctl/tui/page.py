"""The base of the screens of ``jobctl top``: it draws again when the store has changed, and has the keys that act."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.css.query import NoMatches
from textual.screen import Screen

from jobctl.domain.selection import Selection
from jobctl.errors import JobctlError, NotFound
from jobctl.render.inert import inert_log
from jobctl.store import sqlite
from jobctl.tui.actions import Actions
from jobctl.tui.confirm import OTHER, YES, Confirm
from jobctl.tui.help import Help
from jobctl.tui.program import Program
from jobctl.tui.prompt import Prompt
from jobctl.tui.questions import Question, can, question_of_cancel, question_of_pause, question_of_retry
from jobctl.tui.reader import Reader

if TYPE_CHECKING:
    from jobctl.domain.documents.status import StatusDocument
    from jobctl.services.control.retry_forecast import RetryForecast


#: What is typed in the line of a screen.
FILTER, GO_TO, SEARCH = "filter", "go to", "search"


class JobctlScreen(Screen[None]):
    """A screen about the job ``chosen_job``."""

    JOB_KEYS: ClassVar[list[BindingType]] = [
        Binding("c", "cancel", "cancel"),
        Binding("r", "retry", "retry"),
        Binding("p", "pause", "pause"),
        Binding("p", "resume", "resume"),
    ]
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("question_mark", "help", "help"),
    ]
    busy = False  # an item runs, so the durations on the screen change each second
    #: The part of the screen that has the keys when nothing is typed.
    place_of_keys = ""

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

    @property
    def prompt(self) -> Prompt:
        """The line for filters, numbers and searches."""
        return self.query_one(Prompt)

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
        self.refresh_bindings()

    def on_screen_resume(self) -> None:
        """The screen is visible, perhaps again."""
        self.call_after_refresh(self.refresh_now)

    def on_resize(self) -> None:
        """The terminal has a new size."""
        self.call_after_refresh(self.refresh_now)

    def action_back(self) -> None:
        """Return to the screen before this one."""
        self.dismiss()

    def action_help(self) -> None:
        """Show all keys."""
        parts = [self.focused] if self.focused is not None else []
        self.app.push_screen(Help(f"keys: {self.help_title}", [*parts, self, self.app]))

    #: What the help calls this screen.
    help_title = ""

    def check_action(self, action: str, _parameters: tuple[object, ...]) -> bool | None:
        """A key that has no effect now is not shown; while something is typed, keys are letters."""
        return self.is_mounted and not self.prompt.is_open and self.acts(action)

    def acts(self, action: str) -> bool:
        """Return whether an action has an effect now."""
        if action in ("cancel", "retry", "pause", "resume"):
            job = self.chosen_job
            return job is not None and can(action, job)
        return True

    def on_prompt_closed(self, event: Prompt.Closed) -> None:
        """Nothing was typed."""
        self.give_keys_back()
        self.on_typed(event.kind, None, done=True)

    def on_prompt_typed(self, event: Prompt.Typed) -> None:
        """Something is typed."""
        if event.done:
            self.give_keys_back()
        self.on_typed(event.kind, event.text, done=event.done)

    def give_keys_back(self) -> None:
        """After something was typed, the keys act on the screen again."""
        self.set_focus(self.query_one(self.place_of_keys))

    def on_typed(self, kind: str, text: str | None, *, done: bool) -> None:
        """Use what is typed in the line; None after Escape."""

    def ask_for_number(self, label: str) -> None:
        """Ask for the number of a job or an item."""
        self.prompt.ask(GO_TO, label)

    def go_to(self, text: str) -> None:
        """Open the job or the item that a word names, such as 42, nightly or 42.17."""
        try:
            target = self.reader.target(text.strip())
        except JobctlError as error:
            self.notify(inert_log(f"{error.message}\n{error.hint or ''}".strip()), severity="error", markup=False)
            return
        self.program.open_target(target)

    def action_cancel(self) -> None:
        """Cancel the job, if the answer is yes."""
        job = self.chosen_job
        if job is None:
            return
        self.ask(question_of_cancel(job), lambda: self.actions.cancel(job["job"]))

    def ask(self, question: Question, act: Callable[[], object], other: Callable[[], object] | None = None) -> None:
        """Ask, and call ``act`` if the answer is yes, or ``other`` if it is the other yes. No question: act at once."""
        if not question.text:
            act()
            return

        def answered(answer: str | None) -> None:
            if answer == YES:
                act()
            elif answer == OTHER and other is not None:
                other()

        self.app.push_screen(Confirm(question.text, question.consequence, question.other), answered)

    def action_retry(self) -> None:
        """Begin another round of the job, if the answer is yes."""
        if self.chosen_job is not None:
            self.ask_retry(self.chosen_job, Selection())

    def ask_retry(self, job: StatusDocument, selection: Selection) -> None:
        """Count the items that a selection runs again, then ask."""

        def counted(forecast: RetryForecast) -> None:
            if self.is_current:
                question = question_of_retry(job, forecast)
                self.ask(
                    question,
                    lambda: self.actions.retry(job["job"], selection),
                    lambda: self.actions.retry(job["job"], selection, forecast.rules),
                )

        self.actions.forecast(job, selection, counted)

    def action_pause(self) -> None:
        """Pause the job, if the answer is yes when much of it is under way."""
        job = self.chosen_job
        if job is not None:
            self.ask(question_of_pause(job), lambda: self.actions.pause(job))

    def action_resume(self) -> None:
        """Resume a paused job."""
        if self.chosen_job is not None:
            self.actions.pause(self.chosen_job)
