"""The parts that all kinds of work share: values of a row, variables of an attempt, limits of the system."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from jobctl.domain import content, undo
from jobctl.domain.payload import Fault, json_values
from jobctl.domain.policy import Policy
from jobctl.domain.ports import SLOT_MARK
from jobctl.errors import InputRejected

#: Longest argument or NAME=VALUE with its NUL: MAX_ARG_STRLEN of Linux.
ARGUMENT_LIMIT = 128 << 10
#: Bytes of arguments that certainly fit together with a large environment, also where ARG_MAX is smaller than on Linux.
TOTAL_LIMIT = min(os.sysconf("SC_ARG_MAX"), 2 << 20) // 2
POINTER = 8  # bytes that each argument costs in addition
OWN_VARIABLES = 256  # JOBCTL_ITEM, JOBCTL_ATTEMPT, JOBCTL_TOKEN
MISSING = "the row has no such key, and the command needs it"

Fields = Callable[[bytes], Sequence[bytes]]


class StoredJob(Protocol):
    """The fields of a stored job that a handler needs."""

    @property
    def uid(self) -> str: ...
    @property
    def handler(self) -> str: ...
    @property
    def command(self) -> Any: ...
    @property
    def input_format(self) -> str: ...
    @property
    def columns(self) -> Sequence[str]: ...
    @property
    def work_options(self) -> Mapping[str, Any]: ...
    @property
    def item_key(self) -> str | None: ...
    @property
    def root_uid(self) -> str | None: ...


class RowReader:
    """Takes the values of a row out of its payload."""

    def __init__(self, input_format: str, columns: Sequence[str] | None) -> None:
        self.format = input_format
        self.is_json = input_format == "jsonl"
        self.columns = None if input_format == "lines" else tuple(columns or ())

    def reader(self, used: Sequence[int]) -> Fields:
        """A function from a payload to its fields by position; of a JSON row only the fields that are used."""
        if self.format == "lines":
            return lambda payload: (payload,)
        if not self.is_json:
            return lambda payload: payload.split(b"\0")
        names = self.names(used)
        size = max(used, default=-1) + 1
        if tuple(used) == tuple(range(size)):
            return lambda payload: json_values(payload, names)
        return lambda payload: _spread(json_values(payload, names), used, size)

    def names(self, used: Sequence[int]) -> tuple[str, ...]:
        """The names of columns by position. Raises InputRejected if the first row has fewer."""
        columns = self.columns or ()
        if max(used, default=-1) >= len(columns):
            raise InputRejected("the first row has no keys to fill the command with", hint="it is an empty object")
        return tuple(columns[index] for index in used)


def _spread(values: Sequence[bytes], positions: Sequence[int], size: int) -> list[bytes]:
    fields = [b""] * size
    for position, value in zip(positions, values, strict=True):
        fields[position] = value
    return fields


class Tokens:
    """JOBCTL_TOKEN: the same for every attempt of an unchanged row, and different for every other row.

    The number of a row in its job identifies it. A row with a key of its own (``--item-key``) is identified by its
    content, or by its key and the columns that count, also in other jobs: here, all jobs of one name have the same
    ``uid``, so an unchanged row that is submitted again from a result file keeps its token.
    """

    def __init__(self, uid: str, *, named: bool | tuple[str | int, ...] = False) -> None:
        self.uid = uid
        self.named = named
        # A token without a name is made of the whole payload.
        self._content: content.Content = bytes if isinstance(named, bool) else content.reader(named)
        self._hash = hashlib.blake2b(uid.encode() + b"\0", digest_size=16)

    def environment(self, item: int, attempt: int, payload: bytes) -> tuple[bytes, ...]:
        """The variables that differ between attempts."""
        token = self._hash.copy()
        token.update(b"\0%b" % self._content(payload) if self.named else b"%d\0%b" % (item, payload))
        return (
            b"JOBCTL_ITEM=%d" % item,
            b"JOBCTL_ATTEMPT=%d" % attempt,
            b"JOBCTL_TOKEN=" + token.hexdigest().encode(),
        )


class UndoTokens(Tokens):
    """The variables of an item of an undo job.

    Its token is that of the success that it takes back: the same in every undo job of that success, so a receiver can
    tell a repeated undo from another one.
    """

    def __init__(self, uid: str, input_format: str, columns: Sequence[str]) -> None:
        super().__init__(uid, named=content.counted_columns(input_format, columns, undo.IDENTITY))
        self._values: Callable[[bytes], list[bytes]] = (
            (lambda payload: json_values(payload, undo.COLUMNS))
            if input_format == "jsonl"
            else (lambda payload: payload.split(b"\0")[-len(undo.COLUMNS) :])
        )

    def environment(self, item: int, attempt: int, payload: bytes) -> tuple[bytes, ...]:
        """The variables that differ between attempts, with those about the row that is taken back."""
        own = super().environment(item, attempt, payload)
        values = dict(zip(undo.COLUMNS, self._values(payload), strict=True))
        if len(values[undo.UNDO_RESULT]) > undo.LONGEST_VARIABLE:
            del values[undo.UNDO_RESULT]
        return (*own, *(name.upper().encode() + b"=" + value for name, value in values.items()))


def tokens_of(job: StoredJob) -> Tokens:
    """The tokens of a job's rows."""
    if getattr(job, "undo_of", None) is not None:  # code that only shows commands has no such field
        return UndoTokens(job.root_uid or job.uid, job.input_format, job.columns)
    if job.item_key is None:
        return Tokens(job.uid)
    policy: Policy | None = getattr(job, "policy", None)  # code that only shows commands has none
    if policy is None or not policy.new_by:
        return Tokens(job.root_uid or job.uid, named=True)
    # The key always counts: two rows that differ in it alone must not have one token.
    counted = content.counted_columns(job.input_format, job.columns, (*policy.new_by, job.item_key))
    return Tokens(job.root_uid or job.uid, named=counted)


def too_long(argv: Sequence[bytes], environment: Sequence[bytes], column: str | None) -> Fault | None:
    """The reason why the system would not start a command, or None; ``column`` is the column at fault, if any."""
    longest = max(map(len, (*argv, *environment)), default=0)
    if longest >= ARGUMENT_LIMIT:
        message = f"an argument of {longest:,} bytes; the system allows {ARGUMENT_LIMIT - 1:,}"
        return Fault(column, "too_long", message)
    total = sum(len(text) + 1 + POINTER for text in (*argv, *environment)) + OWN_VARIABLES
    if total > TOTAL_LIMIT:
        return Fault(column, "too_long", f"the command has {total:,} bytes; the limit is {TOTAL_LIMIT:,}")
    return None


def words_of(argv: Sequence[bytes]) -> tuple[str, ...]:
    """Arguments as text for people: the slot is 1, bytes that are not UTF-8 are surrogates."""
    return tuple(text.replace(SLOT_MARK, b"1").decode("utf-8", "surrogateescape") for text in argv)
