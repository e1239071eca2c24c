"""Inputs that are tables of values: workbooks and Parquet. Each value becomes a text in exactly one way.

Whole numbers have no ``.0``, dates and times are ISO 8601, durations are H:MM:SS, booleans are ``true`` or ``false``,
null is empty, nested values are JSON. From then on, such an input is treated like a CSV file with a header.

The libraries that read such files may crash or take gigabytes, so a child process reads them. ``DecodedTable`` is the
parent's side, and a ``Decoder`` (``jobctl.sources.decoder``) runs in the child. A format is a pair of such classes.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from importlib.util import find_spec
from types import TracebackType
from typing import Any

from jobctl.domain.payload import Fault
from jobctl.errors import UsageError
from jobctl.process.isolated import ChildBounds, ChildEnded, IsolatedChild
from jobctl.sources.cells import number_text
from jobctl.sources.header import check_header
from jobctl.sources.moments import timedelta_text
from jobctl.sources.problems import Damaged, InspectedRecord
from jobctl.sources.source import Bytes, Source

#: The most rows that the child sends at once.
BATCH = 5_000
_CHILD = "jobctl.sources.decoder"
#: The usual allocators of Arrow reserve much more than they use.
_ENV = {"ARROW_DEFAULT_MEMORY_POOL": "system", "OMP_NUM_THREADS": "1"}


def text_of(value: Any) -> str:
    """A value as text. Raises ValueError for bytes that are not text."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return number_text(value)
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, timedelta):
        return timedelta_text(value)
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, bytes):
        return value.decode()
    if isinstance(value, dict | list | tuple):
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=text_of)
    return str(value)


class DecodedTable(Source):
    """Rows of values with named columns, which a child process reads.

    A format names itself and its ``Decoder`` in class attributes.
    """

    _is_text = False
    _no_rows = "there is no row with a value in it"
    #: The end of "the input is ..." in messages.
    _description: str
    #: The library that the decoder imports, and the extra of jobctl that installs it.
    _package: str
    _extra: str
    #: ``module:Class`` of the decoder.
    _decoder: str
    _bounds: ChildBounds
    #: The advice for a file that exceeds the limits of the reader.
    _remedy: str
    _child: IsolatedChild | None = None
    _share: float | None = None  # the share of the file that the child has read, if it reports that

    def __exit__(self, *exception: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._end_child()
        super().__exit__(*exception)

    def _end_child(self) -> None:
        if self._child is not None:
            self._child.close()

    def _settings(self) -> dict[str, Any]:
        """The settings for the decoder, as JSON."""
        return {}

    def _open(self) -> None:
        if self.size is None:
            raise UsageError(f"{self._description} cannot be read from a pipe", hint="give the path of the file")
        self._check_package()
        self.format = "csv"
        self._state = self._file_state()
        file = self._file.fileno()
        words = [str(file), self._decoder, json.dumps(self._settings())]
        self._child = IsolatedChild(_CHILD, words, (file,), self._bounds, _ENV)
        try:
            self._read_header(self._child)
        except BaseException:
            self._end_child()
            raise

    def _check_package(self) -> None:
        """Raises UsageError when the library that reads the file is not installed."""
        if find_spec(self._package) is None:
            raise missing_package(self._description, self._extra)

    def _read_header(self, child: IsolatedChild) -> None:
        for _ in self._raw.chunks():
            pass  # this counts and hashes the file while the child starts
        self._frames = self._checked_frames(child)
        head = next((head for head, _ in self._frames if head["kind"] == "header"), None)
        if head is None:
            raise self._failure(ChildEnded("crash", "sent nothing"))
        self.notices += head["notices"]
        self._names: list[str] = head["names"]
        self._places = check_header(self._names, head["line"])
        self.columns = tuple(self._names[place] for place in self._places)

    def _checked_frames(self, child: IsolatedChild) -> Iterator[tuple[dict[str, Any], Bytes]]:
        """The frames of the child. Raises Damaged or UsageError if the child reports one, Damaged if it crashes."""
        try:
            for head, body in child.frames():
                match head["kind"]:
                    case "usage":
                        raise UsageError(head["message"], hint=head["hint"])
                    case "damaged":
                        raise Damaged(head["code"], head["message"], head["line"], head["record"], hint=head["hint"])
                    case "memory":
                        raise ChildEnded("memory", "")
                    case "failed":
                        message = f"{self._reader} failed{self._where()}: {head['message']}"
                        raise Damaged(self._extra, message, hint=self._remedy)
                    case "notices":
                        self.notices += head["notices"]
                    case "progress":
                        self._share = head["share"]
                        yield {"kind": "rows", "lines": [], "sizes": [], "faults": {}}, b""
                    case _:
                        yield head, body
        except ChildEnded as end:
            raise self._known_damage(str(end)) or self._failure(end) from end

    def _known_damage(self, _message: str) -> Damaged | None:
        """The damage that the message of a crash reveals; None if the message is not known."""
        return None

    @property
    def _reader(self) -> str:
        return f"the reader ({self._package})"

    def _where(self) -> str:
        return f" after {self._records:,} rows" if self._records else ""

    def _failure(self, end: ChildEnded) -> Damaged:
        if end.reason == "memory":
            room = f"{self._bounds.memory >> 20:,} MiB of memory"
            message = f"{self._reader} needs more than {room} from record {self._records + 1:,} on"
        elif end.reason == "time":
            message = (
                f"{self._reader} worked {self._bounds.cpu_s} seconds{self._where()} and did not reach the next row"
            )
        else:
            message = f"{self._reader} crashed{self._where()}: it {end}"
        return Damaged(self._extra, message, hint=self._remedy)

    def _checked_batches(self) -> Iterator[list[Bytes]]:
        for head, body in self._frames:
            yield self._accept(self._candidates(head, body))
        self._share = None
        yield []  # the whole file is read
        if self._file_state() != self._state:
            raise Damaged("changed", "the file was written to while it was read", hint="try again when it is complete")

    def _candidates(self, head: dict[str, Any], body: Bytes) -> Iterator[InspectedRecord]:
        faults: dict[str, Any] = head["faults"]
        start = 0
        for number, (line, size) in enumerate(zip(head["lines"], head["sizes"], strict=True)):
            payload = body[start : start + size]
            start += size
            if (bad_row := faults.get(str(number))) is not None:
                fault, fields = bad_row
                yield InspectedRecord(line, b"", tuple(fields), payload, Fault(*fault))
                continue
            yield InspectedRecord(line, b"", (), payload)

    def _reject_row(self, candidate: InspectedRecord) -> None:
        """The fields of a good row are separated only here, because few good rows are rejected for another reason."""
        if not candidate.fields:
            candidate = candidate._replace(fields=tuple(candidate.payload.decode().split("\0")))
        super()._reject_row(candidate)

    @property
    def bytes(self) -> int:
        """Bytes of the file that the child has read so far."""
        return self._raw.bytes if self._share is None else int(self._raw.bytes * self._share)

    def _file_state(self) -> tuple[int, int]:
        facts = os.fstat(self._file.fileno())
        return facts.st_size, facts.st_mtime_ns


def missing_package(what: str, extra: str) -> UsageError:
    """The error for an input whose library is in an extra that is not installed."""
    return UsageError(
        f"the input is {what}, and the package that reads it is not installed",
        hint=f"pip install 'jobctl[{extra}]', or save it as CSV",
    )
