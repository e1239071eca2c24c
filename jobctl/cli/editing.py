"""``jobctl config edit``: the editor, the check, and the question whether to edit again."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from jobctl.cli.session import Session
from jobctl.errors import UsageError

if TYPE_CHECKING:
    from jobctl.services.settings.change import Place
    from jobctl.services.settings.edit import Draft


def edit_settings(shared: Session, place: Place) -> tuple[Draft, bool]:
    """Let the user edit a file until it has no mistakes; returns the draft and whether the file has changed.

    Raises UsageError if the user gives up. The text is kept then, and the message says where.
    """
    from jobctl.process.editor import edit, editor_words
    from jobctl.services.settings.edit import begin

    words = editor_words()
    draft = begin(place)
    while True:
        code = edit(words, draft.path)
        if not draft.is_changed():
            draft.discard()
            return draft, False
        if code != 0:
            raise UsageError(
                f"{words[0]} ended with code {code}; nothing was changed", hint=f"your text is kept in {draft.path}"
            )
        try:
            draft.accept()
        except UsageError as error:
            _ask_again(shared, draft, error)
            continue
        return draft, True


def _ask_again(shared: Session, draft: Draft, error: UsageError) -> None:
    """Show a mistake, and ask whether to edit again. Raises UsageError if not, or without a terminal to ask on."""
    from jobctl.cli.asking import agrees, is_attended
    from jobctl.render.inert import inert

    hint = f"nothing was changed; your text is kept in {draft.path}"
    message = error.message.replace(draft.path, draft.file.path)
    if not is_attended(shared):
        raise UsageError(message, details=[*filter(None, (error.hint,))], hint=hint)
    sys.stderr.write(f"{inert(message)}\n" + (f"  {inert(error.hint)}\n" if error.hint else ""))
    if not agrees("edit again? [Y/n] ", default=True, interrupted=inert(hint)):
        raise UsageError("the settings have a mistake", hint=hint)
