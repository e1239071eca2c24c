"""Rows written without a CSV writer are what a CSV writer would have written."""

from __future__ import annotations

import csv
import io
import random

import pytest

from jobctl.domain.durations import decimal, format_time
from jobctl.engine.rounds.plain_rows import PlainRows
from jobctl.store.item_rows import ItemRow

ALPHABET = ["a", "b", " ", ",", ";", "\t", "|", '"', "'", "\n", "é", "\udc80", "=", "1", ""]
UID = "0193a5c2-7b1e-7cc3-9f6e-2f6f0c1d9a10"


def some_rows(count):
    chance = random.Random(7)
    for number in range(1, count + 1):
        fields = ["".join(chance.choices(ALPHABET, k=chance.randrange(6))) for _ in range(chance.randrange(1, 5))]
        payload = "\0".join(fields).encode("utf-8", "surrogateescape")
        duration_us = chance.choice([0, 1, 17, 4_999, 5_000, 123_456, 3_600_000_000])
        started_at = 1_790_000_000_000_000 + chance.randrange(10**13)
        value = chance.choice([None, "-5", '"=1+1"', '{"a":"b,c;d"}', "[1,2]"])
        out_len = chance.choice([0, 4])
        yield (
            fields,
            ItemRow(
                number, 3, chance.randrange(1, 4), payload, 0, 0, started_at, duration_us, duration_us // 2,
                9000 + number, 1, 0, out_len, None, value, 0,
            ),
        )  # fmt: skip


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("results", [False, True])
def test_as_a_csv_writer_has_it(delimiter, end, results):
    rows = PlainRows(UID, (delimiter, end), lambda row: f'said, "{row.item}"', results=results)
    for fields, row in some_rows(300):
        expected = io.StringIO(newline="")
        writer = csv.writer(expected, delimiter=delimiter, lineterminator=end)
        cells = [
            *(UID, row.item, row.attempts, 0, "", format_time(row.started_at)),
            *(decimal(round(us / 1e6, 6)) for us in (row.duration_us, row.cpu_us)),
            row.max_rss_kib,
            *((row.value or "",) if results else ()),
            f'said, "{row.item}"' if row.out_len else "",
        ]
        writer.writerow([*fields, *cells])
        assert rows.text(row) == expected.getvalue()


def test_rows_that_need_a_real_writer_are_left_to_it():
    (_, row), *_ = some_rows(1)
    rows = PlainRows(UID, (",", "\n"), lambda _: "", results=False)
    assert rows.text(row) is not None
    assert rows.text(row._replace(payload=b"a\rb")) is None
    assert rows.text(row._replace(started_at=None)) is None
    assert PlainRows(UID, (":", "\n"), lambda _: "", results=False).text(row) is None
