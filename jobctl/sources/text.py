"""Inputs that are text, checked in blocks of lines.

The quick way checks a block of lines at once. If it finds anything unusual, the slow way reads the block again, record
by record, and finds each problem and its place.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Sequence

from jobctl.domain.payload import Fault
from jobctl.sources.problems import InspectedRecord
from jobctl.sources.source import Source
from jobctl.sources.stream import CHUNK, TOO_LONG, OverlongLine

_BLANKS = b"\0 \t"


def has_blank(payloads: Sequence[bytes]) -> bool:
    """True if one of the rows has only blanks in all its fields. The first test is cheap and mostly sufficient."""
    return bool(payloads) and min(payloads) < b"!" and not all(map(is_filled, payloads))


def is_filled(payload: bytes) -> bool:
    """True if a row has any character that is not a blank."""
    return bool(payload.strip(_BLANKS))


class TextSource(Source):
    """A source whose records are lines or groups of lines."""

    _open_record = b""  # the end of the last block, if its record continues

    def _checked_batches(self) -> Iterator[list[bytes]]:
        for block in self._read_blocks():
            payloads = self._quick(block)
            selected = None if payloads is None else self._selected(payloads)
            if payloads is None or selected is None:
                yield self._accept(self._slow(block))
            else:
                self._records += len(payloads)
                yield selected
            self._line += block.count(b"\n") - self._open_record.count(b"\n")

    def _selected(self, payloads: list[bytes]) -> list[bytes] | None:
        """The selected rows, or None unless all of them are certainly good."""
        keys, first = self._rules.keys, self._records + 1
        numbers: Sequence[int] = range(first, first + len(payloads))
        selected = payloads
        if self._selection is not None and keys is None:
            selected = self._selection.select(payloads, first)
        elif self._selection is not None:
            numbers, selected = self._selection.select_numbered(payloads, first)
        if keys is None:
            return selected if self._all_pass(selected) else None
        return selected if self._all_pass(selected) and keys.all_good(selected, numbers) else None

    def _all_pass(self, payloads: list[bytes]) -> bool:
        safe, check = self._rules.safe_length, self._rules.check
        if safe >= 0 and (not payloads or max(map(len, payloads)) <= safe):
            return True
        return all(len(payload) <= safe or check(payload) is None for payload in payloads)

    def _read_line_blocks(self) -> Iterator[bytes]:
        """Blocks of a format whose records are single lines; it rejects overlong lines."""
        while True:
            try:
                block = self._blocks.read()
            except OverlongLine as overlong:
                self._reject_overlong(overlong)
                continue
            if not block:
                return
            yield block

    def _reject_overlong(self, overlong: OverlongLine) -> None:
        self._records += 1
        if self._selection is None or self._selection.selects_number(self._records):
            fault = Fault(None, "too_long", f"the line is {TOO_LONG}")
            self._reject_row(InspectedRecord.broken(self._line, overlong.head, fault))
        self._line += 1

    @staticmethod
    def _refuse_page(block: bytes) -> None:
        """Raises Damaged for a web page: servers send one to a download without a login."""
        if block.lstrip()[:1] == b"<":
            from jobctl.sources.foreign import refuse_page

            refuse_page(block)

    def _detect_terminator(self, block: bytes) -> None:
        end = block.find(b"\n", 0, CHUNK)
        if end > 0 and block[end - 1 : end] == b"\r":
            self._terminator = "\r\n"

    @abstractmethod
    def _read_blocks(self) -> Iterator[bytes]:
        """The content in blocks of whole records."""

    @abstractmethod
    def _quick(self, block: bytes) -> list[bytes] | None:
        """Payloads of a block, or None unless every record in it is certainly good."""

    @abstractmethod
    def _slow(self, block: bytes) -> Iterator[InspectedRecord]:
        """The records of a block one by one."""
