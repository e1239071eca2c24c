"""Makes rows of ``succeeded.csv`` without a CSV writer, which would take much longer.

The text is what a ``csv.writer`` would write; the tests compare both.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from jobctl.domain.durations import Clock, decimal, seconds
from jobctl.store.item_rows import ItemRow

#: The delimiters that no cell of ours contains. With any other one our own cells might need quotes.
_DELIMITERS = (",", ";", "\t", "|")
#: The texts of durations below this number of microseconds are cached.
_SHORT_US = 5_000


class PlainRows:
    """Makes the text of a row; None for a row that needs a CSV writer. ``output`` returns the cell of its output."""

    def __init__(self, uid: str, dialect: tuple[str, str], output: Callable[[ItemRow], str], *, results: bool) -> None:
        """``dialect`` is (delimiter, line end); ``results`` says whether there is a column of returned values."""
        self._delimiter, self._end = dialect
        self._works = self._delimiter in _DELIMITERS
        self._uid = uid
        self._output = output
        self._results = results
        self._clock = Clock()
        self._short: dict[int, str] = {}
        marks = f'["\r\n{re.escape(self._delimiter)}]'
        self._special_bytes = re.compile(marks.encode()).search
        self._special = re.compile(marks).search

    def text(self, row: ItemRow) -> str | None:
        """The line of an item that succeeded, its end included."""
        item, _, attempts, payload, _, code, started_at, duration_us, cpu_us, rss, _, _, out_len, _, value, _ = row
        if not self._works or started_at is None or duration_us is None or b"\r" in payload:
            return None
        sep = self._delimiter
        line = payload.decode("utf-8", "surrogateescape")
        if self._special_bytes(payload) is None:
            line = line.replace("\0", sep)
        else:
            line = sep.join(map(self._quoted, line.split("\0")))
        result = ""
        if self._results:
            result = sep if value is None else f"{sep}{self._quoted(value)}"
        output = self._quoted(self._output(row)) if out_len else ""
        return (
            f"{line}{sep}{self._uid}{sep}{item}{sep}{attempts}{sep}{code}{sep}{sep}{self._clock.format(started_at)}{sep}"
            f"{self._seconds(duration_us)}{sep}{self._seconds(cpu_us)}{sep}{rss}{result}{sep}{output}{self._end}"
        )

    def _quoted(self, field: str) -> str:
        return field if self._special(field) is None else '"{}"'.format(field.replace('"', '""'))

    def _seconds(self, us: int) -> str:
        text = self._short.get(us)
        if text is None:
            text = decimal(seconds(us))
            if us < _SHORT_US:
                self._short[us] = text
        return text
