"""A file being read: what all formats have in common. One pass, memory bounded, every row judged.

The quick way judges a block of lines at once. If anything in it is not as it should be, the block is read again
record by record, which is slow and says exactly what is wrong and where.
"""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Any, BinaryIO, Self

from jobctl.domain.payload import SEPARATOR, Fault, RowRules
from jobctl.sources.options import InputOptions, Kind
from jobctl.sources.problems import Candidate, Damaged, Problem, Problems, RejectedRow
from jobctl.sources.stream import CHUNK, TOO_LONG, Blocks, OverlongLine, RawInput, utf8_chunks

Bytes = bytes  # inside the class that name is the count
Reject = Callable[[RejectedRow], None]
_NO_RULES = RowRules(lambda _payload: None, safe_length=1 << 62)


class Source(ABC):
    """The rows of one input. ``columns`` are known at once, the counts and hashes when ``batches`` is exhausted."""

    _no_rows = "there are no rows"

    def __init__(self, file: BinaryIO, kind: Kind, options: InputOptions, size: int | None) -> None:
        self.format = kind.format
        #: Names by position; none for plain lines.
        self.columns: tuple[str, ...] = ()
        #: ``jobctl_job`` of the first row, if this is a result file of an earlier job.
        self.resubmit_of: str | None = None
        #: Bytes there are to read, if that is known (for a progress bar beside ``bytes``).
        self.size = size
        self.rows = 0
        self.rejected = 0
        self.problems = Problems()
        self._options = options
        self._kind = kind
        self._file = file
        self._raw = RawInput(file)
        self._rows_hash = hashlib.sha256()
        self._records = 0  # seen so far, rejected ones too
        self._line = 1  # physical, of the next block
        self._open_record = b""  # the end of the last block, if its record goes on
        self._terminator = "\n"
        self._rules = _NO_RULES
        self._reject: Reject | None = None
        try:
            self._blocks = Blocks(utf8_chunks(self._raw.chunks(), kind.encoding))
            self._open()
        except Damaged as damage:
            file.close()
            raise self._refusal(damage) from damage
        except BaseException:
            file.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._file.close()

    @property
    def bytes(self) -> int:
        """Bytes of the file read so far."""
        return self._raw.bytes

    @property
    def sha256(self) -> str:
        """Hash of the file as it is."""
        return self._raw.sha256

    @property
    def rows_sha256(self) -> str:
        """Hash of the accepted rows in order: a BOM, line ends and quoting do not change it."""
        return self._rows_hash.hexdigest()

    @property
    def dialect(self) -> dict[str, Any]:
        """How the file was written, for writing result files the same way."""
        return {
            "delimiter": self._kind.delimiter,
            "header": self._kind.header,
            "lineterminator": self._terminator,
        }

    def batches(self, rules: RowRules = _NO_RULES, reject: Reject | None = None) -> Iterator[list[Bytes]]:
        """Payloads of good rows in lists of some thousands; ``reject`` is told of each row that is left out.

        Raises InputRejected at the end if anything was wrong (with ``invalid='skip'``: if the file as a whole was,
        or no row is good). From the first problem on nothing more is given out unless bad rows may be skipped.
        """
        self._rules, self._reject = rules, reject
        try:
            for payloads in self._judged():
                if payloads and (not self.problems.total or self._options.invalid == "skip"):
                    self._rows_hash.update(SEPARATOR if self.rows else b"")
                    self._rows_hash.update(SEPARATOR.join(payloads))
                    self.rows += len(payloads)
                    yield payloads
            if not self.rows and not self.problems.total:
                raise Damaged("empty", self._no_rows)
        except Damaged as damage:
            raise self._refusal(damage) from damage
        self._conclude()

    def _judged(self) -> Iterator[list[Bytes]]:
        for block in self._read_blocks():
            payloads = self._quick(block)
            if payloads is None or not self._all_pass(payloads):
                yield self._accepted(self._slow(block))
            else:
                self._records += len(payloads)
                yield payloads
            self._line += block.count(b"\n") - self._open_record.count(b"\n")

    def _all_pass(self, payloads: list[Bytes]) -> bool:
        safe, check = self._rules.safe_length, self._rules.check
        if safe >= 0 and (not payloads or max(map(len, payloads)) <= safe):
            return True
        return all(len(payload) <= safe or check(payload) is None for payload in payloads)

    def _accepted(self, candidates: Iterator[Candidate]) -> list[Bytes]:
        accepted = []
        for candidate in candidates:
            self._records += 1
            fault = candidate.fault or self._rules.check(candidate.payload)
            if fault is None:
                accepted.append(candidate.payload)
            else:
                self._turn_down(candidate._replace(fault=fault))
        return accepted

    def _turn_down(self, candidate: Candidate) -> None:
        assert candidate.fault is not None
        column, code, message = candidate.fault
        problem = Problem(candidate.line, self._records, column, code, message)
        self.problems.add(problem)
        self.rejected += 1
        if self._reject is not None and self._options.invalid == "skip":
            self._reject(RejectedRow(problem, candidate.fields, candidate.raw))

    def _conclude(self) -> None:
        if self.problems.total and self._options.invalid == "reject":
            hint = "correct the file, or accept its good rows with --invalid skip"
            raise self.problems.rejection(self._options.name, hint)
        if not self.rows:
            raise self.problems.rejection(self._options.name, "no row is good: is the format right? See --format")

    def _refusal(self, damage: Damaged) -> Exception:
        self.problems.add(damage.problem)
        hint = "this cannot be skipped; correct the file" if self._options.invalid == "skip" else "correct the file"
        return self.problems.rejection(self._options.name, hint)

    def _read_line_blocks(self) -> Iterator[Bytes]:
        """Blocks of a format whose records are single lines; overlong lines are turned down on the way."""
        while True:
            try:
                block = self._blocks.read()
            except OverlongLine as overlong:
                self._turn_down_overlong(overlong)
                continue
            if not block:
                return
            yield block

    def _turn_down_overlong(self, overlong: OverlongLine) -> None:
        self._records += 1
        self._turn_down(Candidate.broken(self._line, overlong.head, Fault(None, "too_long", f"the line is {TOO_LONG}")))
        self._line += 1

    def _see_terminator(self, block: Bytes) -> None:
        end = block.find(b"\n", 0, CHUNK)
        if end > 0 and block[end - 1 : end] == b"\r":
            self._terminator = "\r\n"

    @abstractmethod
    def _open(self) -> None:
        """Find out what the columns are; raises Damaged."""

    @abstractmethod
    def _read_blocks(self) -> Iterator[Bytes]:
        """The content as blocks of whole records."""

    @abstractmethod
    def _quick(self, block: Bytes) -> list[Bytes] | None:
        """Payloads of a block, or None if not every record in it is certainly good."""

    @abstractmethod
    def _slow(self, block: Bytes) -> Iterator[Candidate]:
        """The records of a block one by one."""
