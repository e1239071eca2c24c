"""Bars, words, inert text, times."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import pytest

from jobctl.domain.wording import number, percent, plural, rate, size
from jobctl.render.bar import bar, share_cells
from jobctl.render.clock import local, seconds_between
from jobctl.render.inert import inert, inert_log
from jobctl.render.look import Look


@pytest.mark.parametrize(
    ("amounts", "width", "cells"),
    [
        ([0, 0, 0, 0], 10, [0, 0, 0, 10]),
        ([1, 0, 0, 0], 10, [10, 0, 0, 0]),
        ([999_999, 0, 0, 1], 10, [9, 0, 0, 1]),  # full only when it is
        ([400, 10, 3, 587], 10, [4, 1, 1, 4]),
        ([1, 1, 1, 1], 2, [0, 0, 1, 1]),
    ],
)
def test_a_bar_shows_whatever_there_is(amounts, width, cells):
    assert share_cells(amounts, width) == cells


@pytest.mark.parametrize("width", range(1, 40))
def test_a_bar_is_as_wide_as_it_should_be(width):
    for amounts in ([7, 0, 0, 0], [1, 2, 3, 4], [10**7, 1, 1, 1], [0, 5, 0, 5]):
        cells = share_cells(amounts, width)
        assert sum(cells) == width
        assert all(amount or not count for amount, count in zip(amounts, cells, strict=True))


def test_a_bar_can_be_read_without_colours():
    counts = {"succeeded": 4, "failed": 2, "running": 1, "queued": 1, "retrying": 2, "unprocessed": 0}
    assert "".join(part.text for part in bar(counts, 10, Look(unicode=False))) == "====xx>..."
    assert "".join(part.text for part in bar(counts, 10, Look())) == "████xx▒░░░"
    colored = bar(counts, 10, Look(color=True))
    assert [(part.style, len(part.text)) for part in colored] == [
        ("green", 4),
        ("red", 2),
        ("yellow", 1),
        ("bright_black", 3),
    ]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain ünïcode 日本", "plain ünïcode 日本"),
        ("\x1b[31mred", "^[[31mred"),
        ("a\nb\tc\r", "a^Jb^Ic^M"),
        ("\x7f\x9b2J", "^?<9B>2J"),
        ("\u202egnp.exe", "<202E>gnp.exe"),
        ("[bold]x[/bold]", "[bold]x[/bold]"),
    ],
)
def test_text_of_strangers_does_nothing(text, shown):
    assert inert(text) == shown


def test_logs_keep_their_lines():
    assert inert_log("a\r\nb\tc\x1b]0;title\x07\n") == "a\nb\tc^[]0;title^G\n"


def test_figures():
    assert [number(n) for n in (9999, 10_000, 1_234_567)] == ["9999", "10,000", "1,234,567"]
    assert (plural(1, "item"), plural(0, "item"), plural(20_000, "row")) == ("1 item", "0 items", "20,000 rows")
    assert [percent(part, 1000) for part in (0, 0.5, 24, 999.5, 1000)] == [
        "0 %",
        "< 0.1 %",
        "2.4 %",
        "> 99.9 %",
        "100 %",
    ]
    assert percent(0, 0) == "0 %"
    assert [rate(value) for value in (12_345.6, 10, 6.83, 0.5, 0.001)] == [
        "12,346/s",
        "10/s",
        "6.8/s",
        "30.0/min",
        "3.6/h",
    ]
    assert [size(value) for value in (0, 1023, 48_211, 5 << 30)] == ["0 B", "1023 B", "47.1 KiB", "5.0 GiB"]


def test_times_are_local_with_a_date_when_it_is_another_day(monkeypatch):
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    now = datetime(2026, 11, 23, 20, 0, tzinfo=UTC).astimezone()
    assert local("2026-11-23T18:28:31.004Z", now) == "19:28:31"
    assert local("2026-11-20T12:28:31.004Z", now).startswith("20 Nov 13:28")
    assert local("2025-11-23T12:28:31.004Z", now) == "2025-11-23 13:28"
    monkeypatch.delenv("TZ")
    time.tzset()
    assert seconds_between("2026-11-23T18:28:31.004Z", "2026-11-23T18:28:32.504Z") == 1.5
