"""The progress of a submission: silent while it is quick, a bar on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import io
from typing import NamedTuple

import pytest

from jobctl.cli.session import Session
from jobctl.cli.submission.reading_progress import ReadingProgress, WritingProgress
from jobctl.config import Home
from jobctl.render.input_progress import reading_line, writing_line
from jobctl.render.look import Look
from jobctl.services.submit.request import SubmitRequest
from jobctl.services.submit.submit import preview, submit
from jobctl.sources.options import InputOptions

MIB = 1 << 20


class Source(NamedTuple):
    """An input half read."""

    records: int
    bytes: int
    size: int | None


class Terminal(io.StringIO):
    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(autouse=True)
def a_terminal(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("LANG", "C.UTF-8")
    monkeypatch.delenv("LC_ALL", raising=False)


@pytest.mark.parametrize("width", [40, 60, 80, 120, 200])
@pytest.mark.parametrize("unicode", [True, False])
def test_the_line_fits(width, unicode):
    line = reading_line(12_345_678, 600 * MIB, 1000 * MIB, 12.0, Look(width=width, unicode=unicode))
    assert len(line) < width
    assert line.startswith(" 60 %" if width >= 80 else "60 %")
    assert ("8s left" in line) == (width >= 60)


def test_without_a_size_there_is_no_bar():
    assert reading_line(1, 2048, None, 3.0, Look()) == "1 row read · 2.0 KiB"
    assert reading_line(20_000, 2048, 2048, 3.0, Look()) == "20,000 rows read · 2.0 KiB"


def test_a_quick_input_shows_nothing():
    screen, clock = Terminal(), Clock()
    with ReadingProgress(Session(), screen, clock) as reading:
        clock.now = 0.9
        reading(Source(10, 10, 20))
        reading(Source(20, 20, 20))
    assert screen.getvalue() == ""


def test_a_slow_input_shows_a_bar_that_leaves_nothing():
    screen, clock = Terminal(), Clock()
    with ReadingProgress(Session(), screen, clock) as reading:
        for clock.now, done in ((1.1, 5), (1.15, 6), (1.25, 7), (1.26, 10)):
            reading(Source(done * 100, done * MIB, 10 * MIB))
    shown = screen.getvalue().split("\r")
    assert [line[:4] for line in shown] == ["", " 50 ", " 70 ", "1000", "\x1b[K"]


def test_off_a_terminal_a_line_now_and_then():
    log, clock = io.StringIO(), Clock()
    with ReadingProgress(Session(), log, clock) as reading:
        for clock.now in (1.0, 29.0, 31.0, 59.0, 62.0):
            reading(Source(int(clock.now), MIB, 10 * MIB))
    assert [line.split("  ")[1][:7] for line in log.getvalue().splitlines()] == ["31 rows", "62 rows"]


def test_rows_that_are_written_show_a_bar_as_well():
    screen, clock = Terminal(), Clock()
    with WritingProgress(Session(), screen, clock) as writing:
        for clock.now, done in ((0.0, 0), (1.1, 20_000), (1.6, 40_000), (1.65, 50_000)):
            writing(done, 50_000)
    shown = [line.rstrip("\x1b[K") for line in screen.getvalue().split("\r")]
    assert [(line[:4], line.split("  ")[-1]) for line in shown] == [
        ("", ""),
        (" 40 ", "20,000 of 50,000 rows written · 2s left"),
        (" 80 ", "40,000 of 50,000 rows written · 1s left"),
        ("50,0", "50,000 rows written"),
        ("", ""),
    ]


@pytest.mark.parametrize("width", [40, 60, 80, 120, 200])
def test_the_line_of_rows_that_are_written_fits(width):
    assert len(writing_line(6_345_678, 12_345_678, 12.0, Look(width=width))) < width
    assert writing_line(0, 3, 2.0, Look(width=width, terminal=False)) == "0 %  0 of 3 rows written"


def test_quiet_is_quiet():
    screen, clock = Terminal(), Clock()
    shared = Session()
    shared.quiet = True
    with ReadingProgress(shared, screen, clock) as reading:
        clock.now = 100.0
        reading(Source(1, 1, 2))
    assert screen.getvalue() == ""


def test_a_submission_tells_of_every_batch(tmp_path):
    rows = tmp_path / "rows.csv"
    rows.write_text("id\n" + "".join(f"{n:0200}\n" for n in range(4000)))
    request = SubmitRequest(input=InputOptions(str(rows)), command=("true", "{id}"), cwd=str(tmp_path))
    told = []

    def watch(source):
        told.append((source.records, source.bytes, source.size))

    preview(Home(tmp_path / "home"), request, stdin=io.BytesIO(), watch=watch)
    assert len(told) >= 3
    assert told == sorted(told)
    assert told[-1] == (4000, rows.stat().st_size, rows.stat().st_size)
    looked, told[:] = list(told), []
    submit(Home(tmp_path / "home"), request, now=1, stdin=io.BytesIO(), watch=watch)
    assert told == looked
