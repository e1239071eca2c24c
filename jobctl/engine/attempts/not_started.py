"""Items that cannot start: they fail before that, and their cause names the variable that nobody has, or the row."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from jobctl.domain.outcome import ENV_MISSING
from jobctl.domain.ports import Dispatch, Ending, Finished


def said_of(names: Sequence[str]) -> str:
    """Which variables are missing and what helps, as the cause of the items and of the stop of their job."""
    word = "variable" if len(names) == 1 else "variables"
    first = names[0]
    return (
        f"the daemon has no {word} {', '.join(names[:5])}{', ...' if len(names) > 5 else ''}: start it again with"
        f" {first} set, or use --env-file or --env {first}=VALUE, then retry"
    )


#: Of a row that a hand or a fault of the disk has changed in the database.
UNREADABLE = "the row of the item in the database is damaged, so nothing was started for it; submit the row again"


def not_started(dispatches: Iterable[Dispatch], message: str, now: int, code: int = ENV_MISSING) -> list[Finished]:
    """The endings of attempts that were claimed and are not handed to any executor."""
    words = message.encode("utf-8", "backslashreplace")
    return [
        Finished(
            *(made.job, made.item, made.attempt, Ending.NOT_STARTED, code),
            *(0, now, 0, 0, 0, 0, 0, 0, 0, 0, 0),
            *(b"", words),
        )
        for made in dispatches
    ]
