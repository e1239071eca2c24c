"""The errors that end an engine, or that keep it from a commit."""

from __future__ import annotations


class Fenced(Exception):
    """Another engine has begun a newer epoch, so this one must not write."""


class Limited(Exception):
    """A limit of this process, which no waiting changes, keeps it from writing."""


class Unwritten(Exception):
    """A stop was requested and nothing runs, but what ended cannot be written; the supervisor keeps it."""


class StoreGone(Exception):
    """The database was removed, or another one was put in its place: nothing can be recorded."""


class Replaced(Exception):
    """A file of the database was removed or replaced, but the store still exists. The argument is the file's name."""


class Unsettled(Exception):
    """The outcomes of a job could not be settled for an unexpected reason, which is in ``__cause__``."""

    def __init__(self, job: int) -> None:
        super().__init__(job)
        self.job = job
