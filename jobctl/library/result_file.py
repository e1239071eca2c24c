"""A result file of a job, as the library gives it."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jobctl.library.records import wrap
from jobctl.services.output.results import Results

if TYPE_CHECKING:
    from jobctl.config import Home
    from jobctl.library.documents import ResultsDocument


class ResultFile:
    """Rows of a finished job that ended in one way. Iterating reads the file, one row at a time.

    >>> [(row["id"], row["_jobctl"]["exit_code"]) for row in job.results("failed")]
    [(2, 1)]
    """

    def __init__(self, home: Home, found: Results) -> None:
        """Made by ``Job.results``."""
        self._home = home
        self._found = found
        file = found.one()
        #: The whole file. A selection of rows (``cause``, ``where``, ``items``) is only in the iterator and in copies.
        self.path: Path = file.path
        #: The number of rows in the whole file.
        self.rows: int = file.rows
        #: Its checksum as hexadecimal digits; empty for rejected rows.
        self.sha256: str = file.sha256

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """Yield the rows: the columns of the input as they were, then ``jobctl_...`` columns with the outcome.

        Rows of JSON keep their values, and have the outcome in the member ``_jobctl``; rows of tables are texts.
        Raises NotFound if the file was removed.
        """
        from jobctl.services.output.result_dicts import dicts_of

        return dicts_of(self._home, self._found)

    async def __aiter__(self) -> AsyncIterator[dict[str, Any]]:
        """Yield the rows in a task; a thread reads the file."""
        from jobctl.library.tasks import StoreTasks

        tasks = StoreTasks(self._home, threads=1)
        try:
            async for row in tasks.each(self.__iter__):
                yield row
        finally:
            tasks.close()

    def __fspath__(self) -> str:
        """The path, so that ``open`` and ``pandas.read_csv`` take it."""
        return str(self.path)

    def __repr__(self) -> str:
        return f"ResultFile({str(self.path)!r}, rows={self.rows})"

    def copy(self, path: str | os.PathLike[str]) -> ResultsDocument:
        """Copy the selected rows to a path, completely or not at all; returns what was written.

        Raises NotFound if the file was removed, UsageError for a folder, HomeError.
        """
        from jobctl.library.documents import ResultsDocument

        return wrap(self._found.copied(os.fspath(path)), ResultsDocument)
