"""Makes the endings of items that fail before they start, because a variable is missing or a row is damaged."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from jobctl.domain.endings import Ending
from jobctl.domain.outcome import ENV_MISSING
from jobctl.domain.ports import Dispatch, Finished


def missing_sentence(names: Sequence[str]) -> str:
    """Name the missing variables and the remedy: the cause of the items and of their stop. Empty if none is missing."""
    if not names:
        return ""
    word = "variable" if len(names) == 1 else "variables"
    first = names[0]
    return (
        f"the daemon has no {word} {', '.join(names[:5])}{', ...' if len(names) > 5 else ''}: start it again with"
        f" {first} set, or use --env-file or --env {first}=VALUE, then retry"
    )


#: The cause of an item whose row in the database was changed by a person or by a fault of the disk.
UNREADABLE = "the row of the item in the database is damaged, so nothing was started for it; submit the row again"


def not_started(dispatches: Iterable[Dispatch], message: str, now: int, code: int = ENV_MISSING) -> list[Finished]:
    """The endings of claimed attempts that are not handed to an executor."""
    words = message.encode("utf-8", "backslashreplace")
    return [
        Finished(
            *(made.job, made.item, made.attempt, Ending.NOT_STARTED, code),
            *(0, now, 0, 0, 0, 0, 0, 0, 0, 0, 0),
            *(b"", words),
        )
        for made in dispatches
    ]
