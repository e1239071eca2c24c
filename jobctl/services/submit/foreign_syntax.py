"""Find words of a shell or of GNU parallel in a command, and say how jobctl does the same."""

from __future__ import annotations

import os
from collections.abc import Sequence

from jobctl.errors import UsageError

#: Words that a shell interprets, and with which a program can rarely do anything.
_OPERATORS = frozenset({"|", "&&", "||", "&", ">", ">>", "2>", "2>&1", "&>"})
#: Words that begin the arguments of GNU parallel.
_SOURCES = frozenset({":::", "::::", ":::+", "::::+"})


def refuse_foreign_syntax(command: Sequence[str]) -> None:
    """Raises UsageError for rows given as arguments, and for a command line in one word that is not a program."""
    source = next((word for word in command if word in _SOURCES), None)
    if source is not None:
        raise UsageError(
            f"{source} begins rows for GNU parallel; here they come from FILE",
            hint="printf '%s\\n' a b c | jobctl run - --format lines -- COMMAND {}",
        )
    if len(command) == 1 and len(command[0].split()) > 1 and not _is_program(command[0]):
        raise UsageError(
            f"the command is one word with blanks in it, and no program is called so: {command[0]!r}",
            hint="for a shell give it after --shell; else write the command and each argument by itself",
        )


def _is_program(text: str) -> bool:
    """Return whether a program has this name with its blanks. The row may name the program."""
    import shutil  # compression libraries, which few submissions need

    return text.startswith("{") or shutil.which(os.path.expanduser(text)) is not None


def shell_words(command: Sequence[str]) -> list[str]:
    """Return the words of a command that look as if they were meant for a shell."""
    return [word for word in command[1:] if word in _OPERATORS]
