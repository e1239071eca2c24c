"""Runs items as calls of a Python function: a row is sent unchanged, and a worker makes the arguments from it."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from functools import partial
from itertools import repeat
from typing import Any

from jobctl.domain.braces import Names
from jobctl.domain.call import Call
from jobctl.domain.endings import Ending
from jobctl.domain.payload import Fault, RowRules, compact_json, fields_of, json_members
from jobctl.domain.ports import CallSpec, Dispatch, Finished, OutputFlag
from jobctl.errors import UsageError
from jobctl.handlers.attempt import RowReader, StoredJob, Tokens, tokens_of
from jobctl.handlers.handler import ABSENT_LIMIT, Kind, LookAhead, Row, at_start, no_check


class CallHandler:
    """One function for all rows."""

    kind = "call"
    slotted = False
    appended = False
    constant = False
    keeps_tags = False
    notices: Sequence[str] = ()

    def __init__(self, call: Call, row: RowReader) -> None:
        if row.format == "lines" and call.style == "kwargs":
            raise UsageError("--call-style kwargs: a plain line has no columns", hint="the function gets the line")
        self._call = call
        self._row = row
        self.check = RowRules(_accept, sys.maxsize)

    def dispatch(self, job: int, item: int, attempt: int, payload: bytes) -> Dispatch:
        return Dispatch(job, item, attempt, (payload,), ())

    def dispatch_all(self, job: int, rows: Sequence[Row]) -> tuple[list[Dispatch], list[Row]]:
        """A row is sent unchanged, so every row is readable. Calls are cheap, so this must be at least as cheap."""
        if not rows:
            return [], []
        items, attempts, payloads = zip(*rows, strict=True)
        fields = zip(repeat(job), items, attempts, zip(payloads), repeat(()), repeat(0), strict=False)
        return list(map(partial(tuple.__new__, Dispatch), fields)), []

    def words(self, _item: int, payload: bytes, /) -> tuple[str, ...]:
        """The function and its arguments, NAME=VALUE for each column."""
        return (self._call.target, *self._arguments(payload))

    def _arguments(self, payload: bytes) -> list[str]:
        if self._row.is_json:
            return [f"{m.key}={compact_json(m.value)}" for m in json_members(payload.decode())]
        values = [value.decode("utf-8", "surrogateescape") for value in fields_of(self._row.format, payload)]
        if self._row.columns is None:
            return values
        return [f"{name}={value}" for name, value in zip(self._row.columns, values, strict=False)]


def _accept(_payload: bytes) -> Fault | None:
    return None


def call_spec(job: StoredJob, python: str, recycle: int) -> CallSpec:
    """The description of a job's function for the executor."""
    call = Call.from_json(job.command)
    tokens = tokens_of(job)
    columns = () if job.input_format == "lines" else tuple(job.columns)
    return CallSpec(
        python=os.fsencode(python),
        target=call.target,
        setup=call.setup,
        style=call.style,
        input_format=job.input_format,
        columns=columns,
        recycle=recycle,
        token_of=tokens.uid,
        named=tokens.named,
    )


def interpreter(options: Mapping[str, Any], environment: Mapping[str, str]) -> str:
    """The Python that makes the calls: that of ``--python``, otherwise of the active environment, otherwise ours."""
    chosen: str | None = options.get("python")
    if chosen is not None:
        return chosen
    for name in ("VIRTUAL_ENV", "CONDA_PREFIX"):
        path = os.path.join(environment.get(name, ""), "bin", "python")
        if environment.get(name) and os.access(path, os.X_OK):
            return path
    return sys.executable


def _make(command: Mapping[str, Any], row: RowReader, _tokens: Tokens, _names: Names) -> CallHandler:
    return CallHandler(Call(**command), row)


def _call_spec(job: StoredJob, environment: Mapping[str, str], recycle: int) -> CallSpec:
    return call_spec(job, interpreter(job.work_options, environment), recycle)


def _absence(ended: Finished) -> int:
    """A function that cannot be loaded fails for all items; a setup that fails may succeed the next time."""
    if ended.ending == Ending.NOT_STARTED:
        return ABSENT_LIMIT
    return int(bool(ended.flags & OutputFlag.SETUP))


def _absent_reason(_in_a_row: int, message: str) -> str:
    return f"the function cannot be called: {message}"


KIND = Kind(
    name="call",
    make=_make,
    check=no_check,
    call_spec=_call_spec,
    look_ahead=LookAhead(least_us=5.0, most=16_000),  # a call costs a hundredth of a process
    absence=_absence,
    absent_reason=_absent_reason,
    returns_values=True,
    command_at=at_start,
    unreadable_words=("?",),
)
