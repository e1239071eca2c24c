"""What a function that runs under ``--call`` may raise to say what becomes of its item. Standard library only.

Offered as ``jobctl.Permanent`` and ``jobctl.Retry``; importing ``jobctl`` itself loads nothing of this.
"""

from __future__ import annotations


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
