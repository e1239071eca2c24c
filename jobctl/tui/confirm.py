"""The question before anything is cancelled."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Static

from jobctl.render.inert import inert_log


class Confirm(ModalScreen[bool]):
    """A question with the answers yes and no; every key but y means no."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "answer(True)", "yes"),
        Binding("n,escape,q", "answer(False)", "no"),
    ]
    DEFAULT_CSS = """
    Confirm { align: center middle; }
    Confirm > Vertical { width: auto; max-width: 90%; height: auto; border: round $error; padding: 1 2;
        background: $surface; }
    Confirm Static { width: auto; height: auto; }
    """

    def __init__(self, question: str, consequence: str) -> None:
        super().__init__()
        self._question, self._consequence = inert_log(question), inert_log(consequence)

    def compose(self) -> ComposeResult:
        """The question, the consequence of a yes, the keys."""
        with Vertical():
            yield Static(self._question, markup=False, id="question")
            yield Static(self._consequence, markup=False)
            yield Static("\ny  yes      n  no", markup=False)

    def action_answer(self, yes: bool) -> None:
        """Close with the answer."""
        self.dismiss(yes)
