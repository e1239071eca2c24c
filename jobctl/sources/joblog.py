"""Reads the failed rows of a GNU parallel joblog: each row is a line with the command of a failed job.

If a run was resumed, the joblog has several endings of one job, and the last one counts.
"""

from __future__ import annotations

from collections.abc import Iterator

from jobctl.domain.payload import Fault
from jobctl.sources.problems import Damaged, InspectedRecord
from jobctl.sources.source import Source
from jobctl.sources.stream import NOT_UTF8, TOO_LONG, OverlongLine, is_utf8

_TITLES = (b"Seq", b"Host", b"Starttime", b"JobRuntime", b"Send", b"Receive", b"Exitval", b"Signal", b"Command")
_SEQ, _EXITVAL, _SIGNAL, _COMMAND = 0, 6, 7, 8
#: The text that GNU parallel writes for a line feed in a command.
_LINE_FEED = b"\0"


class JoblogSource(Source):
    """Lines, each a command that failed."""

    _no_rows = "no job of this joblog failed: there is nothing to run"

    def _open(self) -> None:
        self.format = "lines"
        self._failed: dict[tuple[bytes, bytes], InspectedRecord] = {}
        lines = self._lines()
        first = next(lines, (1, b""))[1]
        if tuple(first.split(b"\t")) != _TITLES:
            raise Damaged(
                "joblog", "this is not a GNU parallel joblog: the first line must be Seq, Host, ... Command", 1
            )
        for line, text in lines:
            self._add(line, text)

    def _lines(self) -> Iterator[tuple[int, bytes]]:
        line = 1
        while True:
            try:
                block = self._blocks.read()
            except OverlongLine as overlong:
                raise Damaged("too_long", f"the line is {TOO_LONG}", line) from overlong
            if not block:
                return
            for text in block.removesuffix(b"\n").split(b"\n"):
                yield line, text.removesuffix(b"\r")
                line += 1

    def _add(self, line: int, text: bytes) -> None:
        fields = text.split(b"\t", _COMMAND)
        if len(fields) <= _COMMAND or not all(_is_number(fields[place]) for place in (_SEQ, _EXITVAL, _SIGNAL)):
            if text.strip():
                malformed = Fault(None, "joblog", "is not a line of a joblog: nine fields, separated by tabs")
                self._failed[text, b""] = InspectedRecord.broken(line, text, malformed)
            return
        command = fields[_COMMAND].replace(_LINE_FEED, b"\n")
        name = (fields[_SEQ], command)
        self._failed.pop(name, None)
        if int(fields[_EXITVAL]) == 0 and int(fields[_SIGNAL]) == 0:
            return
        fault = None if is_utf8(command) else Fault(None, "encoding", NOT_UTF8)
        if fault is None and not command.strip():
            fault = Fault(None, "command", "has no command")
        self._failed[name] = (
            InspectedRecord(line, text, (command.decode(),), command)
            if fault is None
            else InspectedRecord.broken(line, text, fault)
        )

    def _checked_batches(self) -> Iterator[list[bytes]]:
        yield self._accept(iter(self._failed.values()))


def _is_number(field: bytes) -> bool:
    """True if a number is short enough for the database and for Python, which refuses thousands of digits."""
    digits = field.strip().removeprefix(b"-")
    return digits.isdigit() and len(digits) < 19
