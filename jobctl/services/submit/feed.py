"""The rows of a source, in batches for the database, and the file of the rows that are not accepted."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from jobctl.config import REJECTS
from jobctl.process import private
from jobctl.sources.problems import RejectedRow

Batch = list[bytes]

#: An input up to this size is read before anything is locked and then accepted in one transaction.
HEAD_BYTES = 4 << 20
#: The rows of a larger one are written in transactions of this size, so that other writers wait at most 0.1 s.
PART_BYTES = 4 << 20
_COPY_AT_ONCE = 1 << 20


class Feed:
    """Batches of rows, which can be iterated once. The first ones wait in memory."""

    def __init__(self, batches: Iterator[Batch]) -> None:
        self._batches = batches
        self._head: list[Batch] = []

    def read_head(self) -> bool:
        """Read up to HEAD_BYTES; returns whether that was all. Raises the errors of the source."""
        size = 0
        for batch in self._batches:
            self._head.append(batch)
            size += sum(map(len, batch))
            if size > HEAD_BYTES:
                return False
        return True

    def __iter__(self) -> Iterator[Batch]:
        head, self._head = self._head, []
        yield from head
        del head
        yield from self._batches


def parts(batches: Iterable[Batch]) -> Iterator[list[Batch]]:
    """Group batches into parts of about PART_BYTES."""
    part: list[Batch] = []
    size = 0
    for batch in batches:
        part.append(batch)
        size += sum(map(len, batch))
        if size >= PART_BYTES:
            yield part
            part, size = [], 0
    if part:
        yield part


class Rejects:
    """``rejected.csv``: rows that were not accepted, each with its place and the reason.

    They are collected in a file without a name, which no crash leaves behind, until the job has a number to keep it
    under.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._descriptor = -1
        self._kept: Path | None = None

    def add(self, row: RejectedRow) -> None:
        """Note a row."""
        if self._descriptor < 0:
            self._begin()
        problem = row.problem
        self._writer.writerow([problem.line, problem.record, problem.column or "", problem.message, *row.fields])

    def _begin(self) -> None:
        from jobctl.domain.csvtext import row_writer  # of no use to inputs whose rows are all accepted

        self._descriptor = self._nameless()
        self._file = open(  # noqa: SIM115 - closed by ``close``
            self._descriptor, "w", encoding="utf-8", errors="surrogateescape", newline="", closefd=False
        )
        self._writer = row_writer(self._file.write, "\n")
        self._writer.writerow(["line", "record", "column", "reason", "row"])

    def _nameless(self) -> int:
        """Open a file without a name, which no crash leaves behind. It is outside the store until the store exists."""
        if not self._folder.is_dir():
            import tempfile

            with tempfile.TemporaryFile() as file:
                return os.dup(file.fileno())
        path = self._folder / f".{REJECTS}-{os.getpid()}"
        descriptor = private.create(path, os.O_RDWR)
        path.unlink()
        return descriptor

    def keep(self, folder: Path) -> str | None:
        """Make the file durable in the folder of the job; returns its path, or None if no row was rejected."""
        if self._descriptor < 0:
            return None
        self._file.flush()
        private.make_folder(self._folder)
        private.make_folder(folder)
        path = folder / REJECTS
        target = private.create(path)
        self._kept = path
        try:
            self._copy(target)
            os.fsync(target)
        finally:
            os.close(target)
        return str(path)

    def _copy(self, target: int) -> None:
        os.lseek(self._descriptor, 0, os.SEEK_SET)
        while data := os.read(self._descriptor, _COPY_AT_ONCE):
            while data:
                data = data[os.write(target, data) :]

    def discard(self) -> None:
        """Remove the kept file, because no job was accepted."""
        if self._kept is not None:
            self._kept.unlink(missing_ok=True)

    def close(self) -> None:
        """Close the file without a name, which removes it."""
        if self._descriptor >= 0:
            self._file.close()
            os.close(self._descriptor)
            self._descriptor = -1
