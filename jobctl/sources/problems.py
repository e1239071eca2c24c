"""The problems of an input, and their places."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Self

from jobctl.domain.payload import Fault
from jobctl.errors import InputRejected

#: The number of problems that are described; further ones are only counted.
PROBLEMS_SHOWN = 20
#: The code of a carriage return that does not end a line.
LINE_END = "line_end"
LINE_END_ADVICE = "tr '\\r' '\\n' < FILE ends the lines of old Mac files in LF"
ENCODING_ADVICE = "name its encoding: --encoding cp1252 (Excel on Windows), latin-1, shift_jis; file -i FILE guesses it"
#: The code of an empty row, and its message.
EMPTY_ROW = "empty_row"
#: The code of a row of a workbook with a cell that has no value.
BAD_CELL = "cell"
EMPTY = Fault(None, EMPTY_ROW, "every field is empty")


class Problem(NamedTuple):
    """One problem, with the line where its record begins, and the number of the record (the header is not counted)."""

    line: int | None
    record: int | None
    column: str | None
    code: str
    message: str

    @property
    def place(self) -> str:
        """``line 7, record 6, column 'id'``; empty if nothing of it is known."""
        places = []
        if self.line is not None:
            places.append(f"line {self.line}")
        if self.record is not None:
            places.append(f"record {self.record}")
        if self.column is not None:
            places.append(f"column {self.column!r}")
        return ", ".join(places)

    def sentence(self) -> str:
        """Place and reason in one line."""
        return f"{self.place}: {self.message}" if self.place else self.message


class RejectedRow(NamedTuple):
    """A row that was rejected: the reason, its fields as far as they could be separated, and its text in the file.

    Bytes that are not UTF-8 are surrogates in the fields (``surrogateescape``). Only the beginning of an overlong line
    is kept.
    """

    problem: Problem
    fields: tuple[str, ...]
    raw: bytes


class InspectedRecord(NamedTuple):
    """A record that was checked by itself: its payload, or its fault."""

    line: int | None
    raw: bytes
    fields: tuple[str, ...]
    payload: bytes
    fault: Fault | None = None

    @classmethod
    def broken(cls, line: int | None, raw: bytes, fault: Fault) -> Self:
        """A record that cannot be separated into fields."""
        return cls(line, raw, (raw.decode("utf-8", "surrogateescape"),), b"", fault)


class RowsRejected(InputRejected):
    """Rows of the input cannot be accepted, and ``problems`` has their places."""

    def __init__(self, message: str, problems: Problems, *, hint: str, details: Sequence[str]) -> None:
        super().__init__(message, hint=hint, details=details)
        self.problems = problems

    def leave_out_lines(self) -> None:
        """Name no lines, because those of the input are not those of the text that its author wrote."""
        without = {each.sentence(): each._replace(line=None).sentence() for each in self.problems.described}
        self.details = tuple(without.get(line, line) for line in self.details)
        self.problems.first = [each._replace(line=None) for each in self.problems.first]
        if self.problems.damage is not None:
            self.problems.damage = self.problems.damage._replace(line=None)


@dataclass(slots=True)
class Problems:
    """The first problems of an input, and the number of all problems."""

    first: list[Problem] = field(default_factory=list)
    total: int = 0
    #: The codes of all problems that were added.
    codes: set[str] = field(default_factory=set)
    damage: Problem | None = None

    def add(self, problem: Problem) -> None:
        """Count a problem; describe it if it is among the first."""
        self.total += 1
        self.codes.add(problem.code)
        if len(self.first) < PROBLEMS_SHOWN:
            self.first.append(problem)

    @property
    def advice(self) -> str:
        """The remedy for the rows that were added."""
        if self.codes == {EMPTY_ROW}:
            if any(problem.line is None for problem in self.first):  # of a Parquet file
                return "leave such rows out with --invalid skip"
            return "spreadsheets leave such rows at the end: delete them, or leave them out with --invalid skip"
        if self.codes == {"encoding"}:
            return f"{ENCODING_ADVICE}; or accept its good rows with --invalid skip"
        if self.codes == {LINE_END}:
            return f"{LINE_END_ADVICE}; or accept its good rows with --invalid skip"
        skip = "correct the file, or accept its good rows with --invalid skip"
        return f"{skip}, or take such cells as text with --invalid keep" if BAD_CELL in self.codes else skip

    def set_damage(self, damage: Problem) -> None:
        """Count a problem that makes the rest unreadable. It is always described, as it may cause all the others."""
        self.total += 1
        self.damage = damage

    @property
    def described(self) -> list[Problem]:
        """The problems that are described, the damage last."""
        return self.first if self.damage is None else [*self.first, self.damage]

    def rejection(self, name: str, hint: str, notices: Sequence[str] = ()) -> RowsRejected:
        """The error that refuses the input, with all problems that were found, and how the input was read."""
        noun = "1 problem" if self.total == 1 else f"{self.total:,} problems"
        details = [*self.sentences(), *notices]
        return RowsRejected(f"{name}: {noun}, nothing was accepted", self, hint=hint, details=details)

    def sentences(self) -> list[str]:
        """A line for each described problem, and one about the others."""
        lines = [problem.sentence() for problem in self.described]
        more = self.total - len(lines)
        if more:
            lines.insert(len(self.first), f"... and {more:,} more")
        return lines


class Damaged(Exception):
    """The whole input cannot be used, even with ``--invalid skip``."""

    def __init__(
        self, code: str, message: str, line: int | None = None, record: int | None = None, *, hint: str | None = None
    ) -> None:
        super().__init__(message)
        #: The advice, if it is not to correct the file.
        self.hint = hint
        self.problem = Problem(line, record, None, code, message)


def encrypted_workbook() -> Damaged:
    """The error for a workbook with a password."""
    hint = "open it in a spreadsheet program and save it without a password"
    return Damaged("workbook", "the workbook is encrypted with a password", hint=hint)
