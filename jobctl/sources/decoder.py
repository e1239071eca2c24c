"""The code that reads a workbook or a Parquet file in a child process, and the base class of the decoders.

The child is bounded in memory and processor time (``DecodedTable._bounds``). If it crashes, its parent reports that in
a message. To add a format, write a ``Decoder`` for the child and a ``DecodedTable`` for the parent that names it.
"""

from __future__ import annotations

import io
import json
import os
import sys
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from importlib import import_module
from typing import Any, BinaryIO, cast

from jobctl.domain.payload import Fault
from jobctl.errors import UsageError
from jobctl.process.confined import Parent, enter
from jobctl.sources.cells import BadCell
from jobctl.sources.header import check_header, is_encodable
from jobctl.sources.problems import BAD_CELL, EMPTY, Damaged
from jobctl.sources.stream import RECORD_LIMIT, TOO_LONG
from jobctl.sources.table import BATCH, text_of

#: The largest batch, unless a single row is larger.
_BATCH_BYTES = 4 << 20
#: The number of characters of each field that are sent of a row that is too long.
_FIELD_EXCERPT = 1_000


class Decoder(ABC):
    """Reads one file, in the child. Exceptions other than those named below become messages as well."""

    #: True if a row without any value is skipped, as in sheets; otherwise it is rejected.
    skips_empty_rows = False

    def __init__(self, file: BinaryIO, settings: dict[str, Any]) -> None:
        self._file = file
        self._settings = settings  # from ``DecodedTable._settings``
        #: Sentences for ``Source.notices`` about decisions of ``header`` and ``rows``.
        self.notices: list[str] = []
        #: Call it with the share of the file that was read while no rows are sent; rows report progress themselves.
        self.watch: Callable[[float], None] = lambda _share: None
        #: Bad cells are kept as their texts and are not faults.
        self.keeps_bad_cells = False

    @abstractmethod
    def header(self) -> tuple[list[str], int | None]:
        """The names of the columns and their line. Raises Damaged, UsageError."""

    @abstractmethod
    def rows(self) -> Iterator[tuple[int | None, Sequence[Any]]]:
        """Rows of at least as many values as there are names, each with its line. Raises Damaged.

        A value is anything that ``text_of`` accepts, or a BadCell, which makes its row bad.
        """


def main() -> None:
    """Read the file on the descriptor, with the decoder and the settings that the arguments name."""
    parent, (descriptor, name, settings) = enter(sys.argv[1:])
    try:
        last = _read(parent, int(descriptor), name, json.loads(settings))
    except MemoryError:
        last = {"kind": "memory"}
    if last is not None:  # not earlier, because the exception kept the memory of the reading alive
        parent.send(last)
    os._exit(0)  # libraries must not clean up, because some of them hang in doing so


def _read(parent: Parent, descriptor: int, name: str, settings: dict[str, Any]) -> dict[str, Any] | None:
    """Send the rows; returns the rest of the report."""
    module, _, kind = name.partition(":")
    file = cast(BinaryIO, io.BufferedReader(_PositionedFile(descriptor), 1 << 16))
    try:
        decoder: Decoder = getattr(import_module(module), kind)(file, settings)
        _send_rows(parent, decoder)
    except Damaged as damage:
        problem = damage.problem
        facts = {"code": problem.code, "message": problem.message, "line": problem.line, "record": problem.record}
        return {"kind": "damaged", **facts, "hint": damage.hint}
    except UsageError as error:
        return {"kind": "usage", "message": error.message, "hint": error.hint}
    except MemoryError:
        raise
    except Exception as error:  # a library may raise anything for a strange file
        return {"kind": "failed", "message": f"{type(error).__name__}: {str(error)[:500]}"}
    return None


def _send_rows(parent: Parent, decoder: Decoder) -> None:
    decoder.watch = lambda share: parent.send({"kind": "progress", "share": share})
    names, line = decoder.header()
    places = check_header(names, line)
    parent.send({"kind": "header", "names": names, "line": line, "notices": decoder.notices})
    decoder.notices = []
    batch = _DecodedBatch()
    for line, texts, fault in checked_rows(decoder, names):
        batch.add(line, texts, places, fault)
        if batch.is_full():
            parent.send(*batch.message())
            batch = _DecodedBatch()
    parent.send(*batch.message())
    parent.send({"kind": "notices", "notices": decoder.notices})


def checked_rows(decoder: Decoder, names: Sequence[str]) -> Iterator[tuple[int | None, list[str], Fault | None]]:
    """Each row as texts, with its line and its fault."""
    checker = _RowChecker(names, keeps_bad_cells=decoder.keeps_bad_cells)
    for line, row in decoder.rows():
        texts, fault = checker.texts(row)
        if fault is None and not any(map(str.strip, texts)):
            if decoder.skips_empty_rows:
                continue
            fault = EMPTY
        yield line, texts, fault


class _RowChecker:
    """Turns rows into texts and finds their faults."""

    def __init__(self, names: Sequence[str], *, keeps_bad_cells: bool) -> None:
        self._names = names
        self._keeps_bad_cells = keeps_bad_cells

    def texts(self, row: Sequence[Any]) -> tuple[list[str], Fault | None]:
        if set(map(type, row)) == {str}:
            return list(row), self._fault(row)
        texts: list[str] = []
        fault: Fault | None = None
        bad: Fault | None = None
        for place, value in enumerate(row):
            if type(value) is str:
                texts.append(value)
                continue
            if isinstance(value, BadCell):
                texts.append(value.text)
                if bad is None and not self._keeps_bad_cells:
                    bad = Fault(self._name(place), BAD_CELL, f"cell {value.place} {value.message}")
                continue
            if isinstance(value, Fault):
                fault = fault or value._replace(column=self._name(place))
                value = None
            try:
                texts.append(text_of(value))
            except ValueError:
                texts.append("")
                fault = fault or Fault(self._name(place), "encoding", "is bytes that are not UTF-8 text")
        return texts, fault or self._fault(texts) or bad

    def _fault(self, texts: Sequence[str]) -> Fault | None:
        if sum(map(len, texts)) > RECORD_LIMIT // 4:
            return Fault(None, "too_long", f"the record is {TOO_LONG}")
        together = "".join(texts)
        if len(texts) <= len(self._names) and "\0" not in together and is_encodable(together):
            return None
        for place, text in enumerate(texts):
            if text and place >= len(self._names):
                return Fault(None, "ragged", f"{text[:40]!r} is in a column without a name")
            if "\0" in text:
                return Fault(self._name(place), "nul", "contains a NUL character")
            if not is_encodable(text):
                return Fault(self._name(place), "encoding", "is not valid text")
        return None

    def _name(self, place: int) -> str:
        return self._names[place] if place < len(self._names) else str(place + 1)


class _DecodedBatch:
    """Rows that are sent to the parent: good ones as payloads, bad ones as texts with their faults."""

    def __init__(self) -> None:
        self._lines: list[int | None] = []
        self._payloads: list[bytes] = []
        self._faults: dict[int, tuple[Fault, list[str]]] = {}
        self._size = 0

    def add(self, line: int | None, texts: list[str], places: Sequence[int], fault: Fault | None) -> None:
        if fault is not None:
            fields = [text[:_FIELD_EXCERPT] for text in texts] if fault.code == "too_long" else texts
            self._faults[len(self._lines)] = (fault, fields)
            self._size += sum(map(len, fields))
        if fault is None or fault.code == BAD_CELL:
            payload = "\0".join([texts[place] for place in places]).encode()
        else:  # a bad row may have no payload
            payload = b""
        self._lines.append(line)
        self._payloads.append(payload)
        self._size += len(payload)

    def is_full(self) -> bool:
        return len(self._lines) >= BATCH or self._size >= _BATCH_BYTES

    def message(self) -> tuple[dict[str, Any], bytes]:
        head = {"kind": "rows", "lines": self._lines, "sizes": [*map(len, self._payloads)], "faults": self._faults}
        return head, b"".join(self._payloads)


class _PositionedFile(io.RawIOBase):
    """A file over a descriptor that the parent reads at the same time, so it has a position of its own."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        if whence == os.SEEK_CUR:
            offset += self._position
        elif whence == os.SEEK_END:
            offset += os.fstat(self._descriptor).st_size
        self._position = max(0, offset)
        return self._position

    def readinto(self, buffer: Any) -> int:
        data = os.pread(self._descriptor, len(buffer), self._position)
        buffer[: len(data)] = data
        self._position += len(data)
        return len(data)
