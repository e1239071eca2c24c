"""Checks the records in the page of a worker, because the code of the user can write anything into that memory."""

from __future__ import annotations

import gc
from operator import itemgetter

from jobctl.supervisor.backlog import Dispatch
from jobctl.supervisor.protocol import fields
from jobctl.supervisor.protocol import page as pages
from jobctl.supervisor.protocol.page import BrokenPage

TYPE_CHECKING = False  # as typing's own, which costs a tenth of the supervisor's start to import
if TYPE_CHECKING:
    from typing import Any

#: The place of the output of one call in the files of its worker: (out_off, out_len, err_off, err_len).
OutputSpan = tuple[int, int, int, int]

_ITEM, _ATTEMPT = itemgetter(fields.DISPATCH_ITEM), itemgetter(fields.DISPATCH_ATTEMPT)
_MOST = 1 << 62
_SPAN, _HEAD = fields.RECORD_SPAN, fields.RECORD_HEAD
_PLAIN = {str, type(None)}


def check_records(count: int, records: bytes, expected: list[Dispatch], failed: int) -> None:
    """Check that records belong to these attempts and are well-formed. Raises BrokenPage if they are not."""
    is_enabled = gc.isenabled()
    gc.disable()  # hundreds of short-lived tuples would start a collection that examines every waiting attempt
    try:
        _check_records(count, records, expected, failed)
    finally:
        if is_enabled:
            gc.enable()


def _check_records(count: int, records: bytes, expected: list[Dispatch], failed: int) -> None:
    found = pages.unpack_untrusted(count, records)
    try:
        items, attempts, *numbers, results = zip(*found, strict=True)
        if items != tuple(map(_ITEM, expected)) or attempts != tuple(map(_ATTEMPT, expected)):
            raise BrokenPage("records of other items than it was given")
        # One pass in C for each column: the sum is an int if all numbers are, and bounded if all numbers are.
        if not all(type(total := sum(column)) is int and total < _MOST and min(column) >= 0 for column in numbers):
            raise BrokenPage("a record with impossible numbers")
        kinds = set(map(type, results))
        if kinds <= _PLAIN and not failed:
            if str in kinds:
                "".join(filter(None, results)).encode()
        elif not all(each is None or (is_raised(each) if type(each) is tuple else each.encode()) for each in results):
            raise BrokenPage("a record with a cause of another form")
        if failed != sum(type(each) is tuple for each in results):
            raise BrokenPage("another number of failures than it counted")
    except (TypeError, ValueError, AttributeError) as error:
        raise BrokenPage("a record of another form") from error


def is_raised(value: Any) -> bool:
    """True if a value has the form of domain.ports.Raised."""
    if type(value) is not tuple or len(value) != fields.RAISED_COUNT:
        return False
    name, message, code, after_s, where = value
    return (
        all(type(text) is str for text in (name, message, where))
        and type(code) is int
        and type(after_s) in (int, float, type(None))
    )


def spans_of(count: int, records: bytes) -> list[OutputSpan]:
    """The place of each call's output."""
    return [record[_SPAN] for record in pages.unpack(count, records)]


def moved(count: int, records: bytes, spans: list[OutputSpan]) -> tuple[tuple[int, ...], bytes]:
    """The items whose output was cut, and the records with the places of the output that was kept."""
    old = pages.unpack(count, records)
    pairs = list(zip(old, spans, strict=True))
    cut = tuple(record[fields.RECORD_ITEM] for record, span in pairs if _lengths(record[_SPAN]) != _lengths(span))
    return cut, pages.pack([(*record[_HEAD], *span, record[fields.RECORD_RESULT]) for record, span in pairs])


def _lengths(span: OutputSpan) -> tuple[int, int]:
    _, out_len, _, err_len = span
    return out_len, err_len
