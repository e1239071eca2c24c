"""The question before anything is cancelled or runs again."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Static

from jobctl.render.inert import inert_log

YES, OTHER, NO = "yes", "other", "no"


class Confirm(ModalScreen[str]):
    """A question with the answers yes and no, and sometimes another yes; the other keys leave it open."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", f"answer('{YES}')", "yes"),
        Binding("t", f"answer('{OTHER}')", "the other yes"),
        Binding("n,escape,q", f"answer('{NO}')", "no"),
    ]
    DEFAULT_CSS = """
    Confirm { align: center middle; }
    Confirm > Vertical { width: auto; max-width: 96%; height: auto; max-height: 100%; border: round $error;
        padding: 0 1; background: $surface; overflow-y: auto; }
    Confirm Static { width: auto; max-width: 100%; height: auto; }
    Confirm .answer { margin: 0; color: $text; }
    """

    def __init__(self, question: str, consequence: str, other: str = "") -> None:
        """``other`` says what the answer with the key t does; empty if there is no such answer."""
        super().__init__()
        self._question, self._consequence, self._other = inert_log(question), inert_log(consequence), other

    def compose(self) -> ComposeResult:
        """The question, the consequence of a yes, the keys."""
        with Vertical():
            yield Static(self._question, markup=False, id="question")
            yield Static(self._consequence + "\n", markup=False)
            yield Answer("y  yes", YES)
            if self._other:
                yield Answer(f"t  {self._other}", OTHER)
            yield Answer("n  no", NO)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """The other yes exists only if it was offered."""
        return bool(self._other) if (action, parameters) == ("answer", (OTHER,)) else True

    def action_answer(self, answer: str) -> None:
        """Close with the answer."""
        self.dismiss(answer)


class Answer(Static):
    """An answer that a mouse can choose."""

    def __init__(self, text: str, answer: str) -> None:
        super().__init__(text, markup=False, classes="answer")
        self._answer = answer

    def on_click(self) -> None:
        """Close with this answer."""
        self.screen.dismiss(self._answer)
