"""The interface for functions that run under ``--call``. Standard library only, of any Python from 3.7 on.

Functions use it as ``jobctl.current``, ``jobctl.Permanent`` and ``jobctl.Retry``; ``import jobctl`` does not load it.
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False  # as typing's own, which takes longer to import than this
if TYPE_CHECKING:
    from typing import Any

#: The name of the module of the worker while it makes calls.
_WORKER = "_jobctl_worker"


class Permanent(Exception):
    """The item has failed, and trying again would not help."""


class Retry(Exception):
    """Try again later, as long as the item has attempts left."""

    def __init__(self, message: str = "", *, after: float | None = None) -> None:
        """``after`` is the wait in seconds; without it the job's own backoff counts. Raises ValueError below 0."""
        if after is not None and not 0 <= after < float("inf"):
            raise ValueError(f"after={after!r} is not a number of seconds")
        super().__init__(message)
        self.after = after


class Current:
    """The item that a function was called for, as the variables of a command's environment name it."""

    __slots__ = ("attempt", "item", "job", "token")

    def __init__(self, job: int, item: int, attempt: int, token: str) -> None:
        self.job = job
        self.item = item
        self.attempt = attempt
        #: The same for every attempt of an unchanged row, and no other's: an idempotency key for effects elsewhere.
        self.token = token

    def __repr__(self) -> str:
        return f"<item {self.job}.{self.item}, attempt {self.attempt}>"


def current() -> Current:
    """The item that runs now. Raises RuntimeError anywhere but in a call that jobctl made."""
    worker: Any = sys.modules.get(_WORKER)
    if worker is None or worker.now is None:
        raise RuntimeError("there is no item: jobctl.current() is for functions that jobctl calls")
    return Current(*worker.identity())
