"""Finds the places of rows with certain keys in a file, in a second pass, for messages about several rows."""

from __future__ import annotations

import contextlib
import io
import os
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from jobctl.domain.payload import Fault, RowRules
from jobctl.errors import JobctlError
from jobctl.sources.options import InputOptions
from jobctl.sources.problems import RejectedRow

_SOUGHT = "sought"


def places_of(
    options: InputOptions, rules: RowRules, read_key: Callable[[bytes], bytes], keys: set[bytes]
) -> Mapping[bytes, Sequence[str]]:
    """For each of these keys, in order, the places of the selected rows that have it and are good by ``rules``.

    The result is empty for an input that cannot be read again (standard input) or has changed.
    """
    found: dict[bytes, list[str]] = defaultdict(list)

    def judge(payload: bytes) -> Fault | None:
        fault = rules.check(payload)
        if fault is not None:
            return fault
        key = read_key(payload)
        return Fault(key.decode("utf-8", "surrogateescape"), _SOUGHT, "") if key in keys else None

    def keep(row: RejectedRow) -> None:
        problem = row.problem
        if problem.code == _SOUGHT and problem.column is not None:
            place = f"record {problem.record}" if problem.line is None else f"line {problem.line}"
            found[problem.column.encode("utf-8", "surrogateescape")].append(place)

    if os.path.isfile(options.path):
        from jobctl.sources import open_source

        again = replace(options, invalid="skip", sample=None)  # rejected rows are reported one by one
        with contextlib.suppress(JobctlError, OSError), open_source(again, io.BytesIO()) as source:
            for _ in source.batches(RowRules(judge, required=rules.required), keep):
                pass
    return found
