"""The rows of a result file as dictionaries, for programs."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from contextlib import closing
from typing import Any

from jobctl.config import Home
from jobctl.errors import InputRejected
from jobctl.services.control.targets import existing_job
from jobctl.services.output.result_rows import widen_fields
from jobctl.services.output.results import Results
from jobctl.store.opening.open import open_database

#: The columns of the file of rejected rows before the fields of the row.
_OF_REJECTED = ("line", "record", "column", "reason")


def dicts_of(home: Home, found: Results) -> Iterator[dict[str, Any]]:
    """Yield the rows of the only file of ``found``, one at a time: texts by column, or the values of a JSON row.

    A rejected row has ``line``, ``record``, ``column``, ``reason`` and its fields as ``row``. Raises NotFound if the
    file was removed, UsageError if there are several files, InputRejected if somebody has changed the file.
    """
    kind = found.one().kind
    with closing(open_database(home)) as database:
        job = existing_job(database, found.job)
    if kind != "rejected" and job.input_format == "jsonl":
        return _of_json(found)
    delimiter = job.input_dialect.get("delimiter") or ("\t" if job.input_format == "tsv" else ",")
    return _of_table(found, "," if kind == "rejected" else delimiter, is_rejected=kind == "rejected")


def _of_json(found: Results) -> Iterator[dict[str, Any]]:
    for number, line in enumerate(found.lines(), 1):
        try:
            row = json.loads(line)
        except ValueError as error:
            raise _changed(found, f"line {number}: {error}") from None
        yield row


def _of_table(found: Results, delimiter: str, *, is_rejected: bool) -> Iterator[dict[str, Any]]:
    widen_fields()
    reader = csv.reader(found.lines(), delimiter=delimiter, strict=True)
    header = next(reader, [])
    try:
        for fields in reader:
            if is_rejected:
                named = dict(zip(_OF_REJECTED, fields, strict=False))
                yield {**named, "row": fields[len(_OF_REJECTED) :]}
            else:
                yield dict(zip(header, fields, strict=False))
    except csv.Error as error:
        raise _changed(found, f"line {reader.line_num}: {error}") from None


def _changed(found: Results, reason: str) -> InputRejected:
    return InputRejected(f"{found.one().path}: {reason}", hint=f"jobctl verify {found.job}")
