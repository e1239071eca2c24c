"""A file while it is read: the common part of all formats. It takes one pass and bounded memory, and checks every row.

Rows that are not selected are neither items nor rejected; their faults do not matter.
"""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import TYPE_CHECKING, Any, BinaryIO, NoReturn, Self

from jobctl.domain.payload import SEPARATOR, RowRules
from jobctl.errors import InputRejected
from jobctl.sources.options import InputOptions, ResolvedOptions
from jobctl.sources.problems import EMPTY, Damaged, InspectedRecord, Problem, Problems, RejectedRow
from jobctl.sources.stream import Blocks, RawInput, utf8_chunks

if TYPE_CHECKING:
    from jobctl.sources.row_selection import RowSelection

Bytes = bytes  # inside the class, ``bytes`` is a number
Reject = Callable[[RejectedRow], None]
_NO_RULES = RowRules(lambda _payload: None, safe_length=1 << 62)


class Source(ABC):
    """The rows of one input. ``columns`` are known at once, the counts and hashes when ``batches`` is exhausted."""

    _no_rows = "there are no rows"
    _is_text = True

    #: Names by position; none for plain lines.
    columns: tuple[str, ...] = ()
    #: ``jobctl_job`` of the first row, if this is a result file of an earlier job.
    resubmit_of: str | None = None
    #: Called after every batch that was read.
    watch: Callable[[Source], None] | None = None
    rows = 0
    rejected = 0
    #: Rows of the file that were not selected, known when all of them were read.
    not_selected = 0
    #: Hash of the unchanged file, known when all of it was read.
    sha256 = ""
    #: Hash of the accepted rows in order, known when all were read. A BOM, line ends and quoting do not change it.
    rows_sha256 = ""
    _records = 0  # read so far, rejected ones too
    _line = 1  # physical, of the next block
    _selection: RowSelection | None = None  # None: all rows are selected
    _terminator = "\n"
    _rules = _NO_RULES
    _reject: Reject | None = None

    def __init__(self, file: BinaryIO, resolved: ResolvedOptions, options: InputOptions, size: int | None) -> None:
        """``size`` is the number of bytes of the file, None if it is unknown. Raises InputRejected, UsageError."""
        self.format = resolved.format
        self.size = size  # for a progress bar, together with ``bytes``
        self.problems = Problems()
        #: Decisions about the input that no option demanded, in whole sentences for the user.
        self.notices: list[str] = []
        self._options = options
        self._resolved = resolved
        self._file = file
        self._raw = RawInput(file)
        self._rows_hash = hashlib.sha256()
        try:
            self._begin()
        except Damaged as damage:
            file.close()
            raise self._refusal(damage) from damage
        except BaseException:
            file.close()
            raise

    def _begin(self) -> None:
        """Find the columns, and the selection of rows, which names columns. Raises Damaged, UsageError."""
        self._blocks = self._make_blocks() if self._is_text else Blocks(iter(()))
        self._open()
        if self._options.selection:
            from jobctl.sources.row_selection import make_selection

            self._selection = make_selection(self._options, self.format, self.columns)

    def _make_blocks(self) -> Blocks:
        chunks = utf8_chunks(self._raw.chunks(), self._resolved.encoding)
        if self._options.comment is None:
            return Blocks(chunks)
        from jobctl.sources.comments import UncommentedBlocks

        return UncommentedBlocks(chunks, self._options.comment, has_quotes=self.format in ("csv", "tsv"))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._file.close()

    @property
    def bytes(self) -> int:
        """Bytes of the file read so far."""
        return self._raw.bytes

    @property
    def records(self) -> int:
        """Rows read so far, including rejected ones."""
        return self._records

    @property
    def dialect(self) -> dict[str, Any]:
        """The format of the file, to write result files in the same way."""
        selection = self._options.selection
        return {
            "delimiter": self._resolved.delimiter,
            "header": self._resolved.header,
            "lineterminator": self._terminator,
            **({"selection": selection, "not_selected": self.not_selected} if selection else {}),
        }

    def batches(self, rules: RowRules = _NO_RULES, reject: Reject | None = None) -> Iterator[list[Bytes]]:
        """Payloads of good rows in lists of some thousands; ``reject`` is called with each rejected row.

        Raises InputRejected at the end if there was any problem (with ``invalid='skip'``: if the whole file is bad, or
        no row is good). After the first problem, it yields no more rows unless bad rows may be skipped.
        """
        self._rules, self._reject = rules, reject
        try:
            batches = self._usable_batches()
            for payloads in batches if self._selection is None else self._selection.sampled(batches):
                self._rows_hash.update(SEPARATOR if self.rows else b"")
                self._rows_hash.update(SEPARATOR.join(payloads))
                self.rows += len(payloads)
                yield payloads
            if not self.rows and not self.problems.total:
                self._refuse_no_rows()
        except Damaged as damage:
            raise self._refusal(damage) from damage
        self._finish()

    def _usable_batches(self) -> Iterator[list[Bytes]]:
        for payloads in self._checked_batches():
            if self.watch is not None:
                self.watch(self)
            if payloads and (not self.problems.total or self._options.invalid == "skip"):
                yield payloads

    def _refuse_no_rows(self) -> NoReturn:
        if not self._records:
            raise Damaged("empty", self._no_rows)
        selection = " ".join(f"--{option} {value!r}" for option, value in self._options.selection.items())
        records = "its only row" if self._records == 1 else f"any of its {self._records:,} rows"
        raise InputRejected(
            f"{self._options.name}: {selection} does not select {records}, nothing was accepted",
            hint=f"columns: {', '.join(self.columns)}" if self.columns else "change the selection",
        )

    def _accept(self, candidates: Iterator[InspectedRecord]) -> list[Bytes]:
        accepted = []
        for candidate in candidates:
            self._records += 1
            if not self._is_selected(candidate):
                continue
            fault = candidate.fault or self._rules.check(candidate.payload)
            if fault is None and self._rules.keys is not None:
                fault = self._rules.keys.fault(candidate.payload, self._records)
            if fault is None:
                accepted.append(candidate.payload)
            else:
                self._reject_row(candidate._replace(fault=fault))
        return accepted

    def _is_selected(self, candidate: InspectedRecord) -> bool:
        """True if a record is selected. Without fields to test, a record is selected unless its number excludes it."""
        if self._selection is None:
            return True
        if not self._selection.selects_number(self._records):
            return False
        is_broken = candidate.fault is not None and candidate.fault is not EMPTY and not candidate.payload
        return is_broken or self._selection.selects(candidate.payload)

    def _reject_row(self, candidate: InspectedRecord) -> None:
        assert candidate.fault is not None
        column, code, message = candidate.fault
        problem = Problem(candidate.line, self._records, column, code, message)
        self.problems.add(problem)
        self.rejected += 1
        if self._reject is not None and self._options.invalid == "skip":
            self._reject(RejectedRow(problem, candidate.fields, candidate.raw))

    def _finish(self) -> None:
        self.not_selected = self._records - self.rows - self.rejected
        self.sha256 = self._raw.hash.hexdigest()
        self.rows_sha256 = self._rows_hash.hexdigest()
        if self.problems.total and self._options.invalid != "skip":
            raise self._rejection(self.problems.advice)
        if not self.rows:
            raise self._rejection("no row is good: is the format right? See --format")

    def _refusal(self, damage: Damaged) -> Exception:
        self.problems.set_damage(damage.problem)
        hint = "this cannot be skipped; correct the file" if self._options.invalid == "skip" else "correct the file"
        return self._rejection(damage.hint or hint)

    def _rejection(self, hint: str) -> InputRejected:
        return self.problems.rejection(self._options.name, hint, self.notices)

    @abstractmethod
    def _open(self) -> None:
        """Find the columns. Raises Damaged."""

    @abstractmethod
    def _checked_batches(self) -> Iterator[list[Bytes]]:
        """Good rows in batches; calls ``_reject_row`` for the others, and counts all in ``_records``."""
