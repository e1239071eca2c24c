"""The rows of a source on their way into the database: the first of them in memory, the rest in parts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

Batch = list[bytes]

#: An input up to this size is read before anything is locked and then accepted in one transaction.
HEAD_BYTES = 4 << 20
#: Rows of a larger one are written in transactions of this size, so that others wait a tenth of a second at most.
PART_BYTES = 4 << 20


class Feed:
    """Batches of rows, which can be iterated once."""

    def __init__(self, batches: Iterator[Batch]) -> None:
        self._batches = batches
        self._head: list[Batch] = []

    def read_head(self) -> bool:
        """Read up to HEAD_BYTES; whether that was all. Raises what reading the source raises."""
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
    """Batches by PART_BYTES of rows."""
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
