"""Screens at fixed sizes: what fits, what is left out, what strangers cannot do."""

from __future__ import annotations

import copy
import io
import json
from pathlib import Path

import pyte
import pytest
from rich.cells import cell_len

from jobctl.render import plain
from jobctl.render.frames import job_frame, list_frame
from jobctl.render.grid import print_grid
from jobctl.render.items import print_items
from jobctl.render.job.facts import policy_facts
from jobctl.render.job.page import job_page
from jobctl.render.jobs_table import jobs_table
from jobctl.render.lines import progress_line, summary_lines
from jobctl.render.live import LiveScreen, render_lines
from jobctl.render.look import Look, look_of
from jobctl.render.notices import notices, waiting
from jobctl.services.status.document import job_document
from tests.factories import SECOND, SUBMITTED_AT

EXAMPLE = json.loads((Path(__file__).parents[1] / "data" / "status.example.json").read_text())
SIZES = [(80, 24), (120, 40), (60, 15), (200, 50), (40, 10)]


@pytest.fixture
def example(store, home):
    """Makes documents: a real one with the values of the example, changed as the test wants."""
    job = store.job("rr", state="running", started_at=SUBMITTED_AT)
    store.attempt(job, 2, 2, ending=None, started_at=SUBMITTED_AT + 63 * SECOND)
    real = job_document(store.database, home, job, SUBMITTED_AT + 64 * SECOND)

    def make(**changes):
        document = copy.deepcopy(real | EXAMPLE)
        document["input"] = real["input"] | EXAMPLE["input"]
        document["policy"] = real["policy"] | EXAMPLE["policy"]
        return document | changes

    return make


def listing(jobs):
    return {
        "schema": "jobctl.status_list/1",
        "at": "2026-11-23T18:29:35.310Z",
        "daemon": EXAMPLE["daemon"],
        "jobs": jobs,
        "jobs_total": len(jobs),
    }


def text_of(blocks, look):
    return "\n".join(render_lines(blocks if isinstance(blocks, list) else [blocks], look))


def test_the_table_at_80_columns(example):
    done = example(job=41, name="thumbs", state="succeeded", done=True, attention=[])
    done["counts"] = dict.fromkeys(done["counts"], 0) | {"total": 12_000, "succeeded": 12_000}
    done["progress"] = {"processed": 12_000, "fraction": 1.0, "rate_per_s": 90.0, "eta_s": None, "eta_at": None}
    table = text_of(jobs_table(listing([example(), done]), Look(width=80)), Look(width=80))
    header, first, second = table.splitlines()
    assert header.split() == [
        "job",
        "name",
        "state",
        "progress",
        "done",
        "failed",
        "rate",
        "ETA",
    ]  # no room for the age
    assert first.split()[:3] == ["42", "nightly-invoices", "running"]
    assert first.split()[4:] == ["410/1000", "10", "6.8/s", "1m", "27s"]
    assert "12,000/12,000" in second
    assert max(map(cell_len, table.splitlines())) <= 80


@pytest.mark.parametrize("width", [200, 120, 80, 60, 45])
@pytest.mark.parametrize("name", ["short", "a-very-long-name-" * 9, "日本語" * 30, "[red]\x1b[2J\n"])
def test_the_table_fits_and_keeps_the_important_columns(width, name, example):
    look = Look(width=width)
    table = text_of(jobs_table(listing([example(name=name)]), look), look)
    assert max(map(cell_len, table.splitlines())) <= width
    assert len(table.splitlines()) == 2
    assert "\x1b" not in table
    assert "42" in table and "running" in table and "410/1000" in table


def test_empty_columns_are_left_out(example):
    job = example()
    job["counts"]["failed"] = 0
    job["progress"] |= {"rate_per_s": None, "eta_s": None}
    header = text_of(jobs_table(listing([job]), Look()), Look()).splitlines()[0]
    assert header.split() == ["job", "name", "state", "progress", "done", "age"]
    assert "no jobs; submit one with" in text_of(jobs_table(listing([]), Look()), Look())


def test_a_notice_appears_once(example):
    down = {"code": "daemon_down", "message": "no daemon is running", "action": "jobctl daemon start"}
    paused = {"code": "paused", "message": "paused 5m ago", "action": "jobctl resume 42"}
    jobs = [example(job=n, attention=[down, paused]) for n in range(1, 10)]
    lines = [line.plain for line in notices(listing(jobs), Look(), limit=3)]
    assert lines[0] == "! no daemon is running  → jobctl daemon start"
    assert lines[1].startswith("! job 1: paused")
    assert "7 more notices" in lines[3]
    assert len(lines) == 4


def test_below_the_table_are_the_reasons_why_quiet_jobs_wait(example):
    down = {"code": "daemon_down", "message": "no daemon is running", "action": "jobctl daemon start"}
    later = [example(job=n, state="queued", attention=[], state_reason=f"starts in {n}h") for n in range(7, 0, -1)]
    told = example(job=8, state="queued", attention=[down], state_reason="waits for a daemon")
    lines = [line.plain for line in waiting(listing([told, example(), *later]), Look())]
    assert lines[0] == "  job 7: starts in 7h"
    assert len(lines) == 6 and lines[-1] == "  … and 2 jobs more waiting"
    assert waiting(listing([told, example()]), Look()) == []


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("unicode", [True, False])
def test_the_page_fits_and_says_everything(size, unicode, example):
    look = Look(*size, unicode=unicode)
    page = text_of(job_page(example(), look), look)
    assert max(map(cell_len, page.splitlines())) <= size[0]
    if not unicode:
        assert page.isascii()
    flat = " ".join(page.split())
    for text in (
        "job 42 nightly-invoices running",
        "3 items running, 10 failed so far",
        "410 of 1000",
        "10 of 410 items failed",
        "jobctl items 42 --state failed",
        "exit_22",
        "17, 52, 90",
        "1m 02s",
        "curl -fsS",
        "invoices.csv",
        "4 slots",
        "3 attempts",
        "nightly-2026-11-23",
        "up, process 4123",
        "jobctl cancel 42",
    ):
        assert text.replace(" ", "") in flat.replace(" ", "").replace("\u00a0", ""), text
    assert "more cause" in flat  # one of the two groups is not in the example


def test_strangers_cannot_draw_on_the_page(example):
    document = example(name="\x1b[2Jx", labels={"a": "[red]b[/red]"})
    document["failures"]["groups"][0]["message"] = "\x1b]0;owned\x07 [bold]loud[/bold]"
    document["command"] = ["echo", "\x1b[31m"]
    page = text_of(job_page(document, Look(width=100)), Look(width=100))
    assert "\x1b" not in page and "\x07" not in page
    assert "[bold]loud[/bold]" in page and "a=[red]b[/red]" in page


@pytest.mark.parametrize("letter", ["x", "長"])
def test_a_long_cause_takes_few_lines_of_a_terminal_and_keeps_its_notes(letter, example):
    document = example()
    group = document["failures"]["groups"][0]
    group |= {"message": letter * 400, "retryable": False}
    page = text_of(job_page(document, Look(width=80)), Look(width=80))
    assert 2 <= sum(letter * 10 in line for line in page.splitlines()) <= 4
    assert "permanent" in page


def test_the_page_names_the_jobs_before_it_the_targets_and_every_rule(example):
    told = {
        "kind": "webhook",
        "target": "https://example.org/hook",
        "attempts": 2,
        "delivery": "msg_1",
        "round": 1,
        "id": 1,
    }
    document = example(
        after=[{"job": 7, "condition": "any", "state": "paused", "done": False}],
        notify=[told | {"state": "pending", "last_result": "HTTP 500", "next_attempt_at": "2026-11-23T18:40:00.000Z"}],
    )
    document["policy"] |= {"rate": "2/m", "retry_on": [1, 75], "gpus": 1, "resources": [["mem", 8.0]]}
    document["input"]["not_selected"] = 12
    flat = " ".join(text_of(job_page(document, Look(width=1000)), Look(width=1000)).split())
    for text in (
        "after job 7 (paused), however it ends",
        "notify https://example.org/hook pending · HTTP 500 at attempt 2 · next attempt",
        "starts at most 2/m",
        "retries only after exit codes 1, 75",
        "1 GPU an item",
        "an item needs mem=8",
        "12 not selected",
    ):
        assert text in flat, text


def test_one_exit_code_and_one_failure_are_not_several():
    rules = {"retry_on": [1], "no_retry_on": [3], "max_failures": "1", "halt": "soon"}
    facts = list(policy_facts(EXAMPLE["policy"] | rules))
    assert "retries only after exit code 1" in facts
    assert "never retries after exit code 3" in facts
    assert "stops soon at more than 1 failure" in facts


def test_off_a_terminal_nothing_is_wrapped(example):
    look = look_of(io.StringIO(), color=False)
    message = "word " * 100
    document = example()
    document["failures"]["groups"][0]["message"] = message.strip()
    assert message.strip() in text_of(job_page(document, look), look)


@pytest.mark.parametrize("size", SIZES)
def test_frames_fit_the_screen(size, example):
    look = Look(*size)
    jobs = [example(job=n, name=f"job-{n}", attention=EXAMPLE["attention"] if n == 3 else []) for n in range(1, 61)]
    lines = render_lines(list_frame(listing(jobs), look, "q leaves"), look)
    assert len(lines) <= size[1]
    assert max(map(cell_len, lines)) <= size[0]
    assert lines[-1] == "q leaves"
    assert lines[1].split()[0] == "3"  # what needs a look is first
    assert any("more:" in line and "running" in line for line in lines)
    frame = render_lines(job_frame(example(), look, "q leaves"), look)
    assert len(frame) <= max(size[1], 12)
    assert frame[-1] == "q leaves"
    assert max(map(cell_len, frame)) <= size[0]


class Terminal(io.StringIO):
    """A terminal of fixed size that remembers what is on its screen."""

    def __init__(self, columns, lines):
        super().__init__()
        self.screen = pyte.Screen(columns, lines)
        self._stream = pyte.Stream(self.screen)
        self.written = 0

    encoding = "utf-8"

    def isatty(self):
        return True

    def write(self, text):
        self.written += len(text)
        self._stream.feed(text)
        return len(text)

    def shown(self):
        return [line.rstrip() for line in self.screen.display]


def test_a_live_screen_draws_only_changes_and_follows_the_size(monkeypatch, example):
    terminal = Terminal(60, 10)
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setenv("LINES", "10")
    with LiveScreen(terminal, color=False) as screen:
        screen.show(lambda look: job_frame(example(), look, "q leaves"))
        assert terminal.shown()[0] == "job 42  nightly-invoices  running"
        before = terminal.written
        screen.show(lambda look: job_frame(example(), look, "q leaves"))
        assert terminal.written == before
        shorter = example(failures={"groups": [], "groups_total": 0, "ungrouped": 0}, running=[], attention=[])
        screen.show(lambda look: list_frame(listing([shorter]), look, "q leaves"))
        assert [line for line in terminal.shown() if line][-1] == "q leaves"
        assert len([line for line in terminal.shown() if line]) == 3  # nothing of the longer frame is left
        monkeypatch.setenv("COLUMNS", "40")
        screen.show(lambda look: list_frame(listing([shorter]), look, "q leaves"))
        assert max(len(line) for line in terminal.shown()) <= 40


def item(number, **changes):
    base = {"job": 1, "item": number, "state": "queued", "attempts": 0, "row": {"id": str(number), "url": "u"}}
    keys = (
        "exit_code",
        "signal",
        "code",
        "message",
        "due_at",
        "started_at",
        "duration_s",
        "cpu_s",
        "max_rss_kib",
        "slot",
        "result",
    )
    return base | dict.fromkeys(keys) | changes


def test_the_table_of_items(monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    terminal = io.StringIO()
    terminal.isatty = lambda: True  # type: ignore[method-assign]
    items = [
        item(1, state="succeeded", attempts=1, exit_code=0, duration_s=0.25),
        item(2, state="failed", attempts=3, signal="SIGSEGV", message="[red]\x1b[31m" + "x" * 200, duration_s=70.0),
    ]
    print_items(items, terminal, look_of(terminal, color=False))
    lines = terminal.getvalue().splitlines()
    assert lines[0].split() == ["item", "state", "attempts", "exit", "took", "message", "row"]
    assert lines[1].split() == ["1", "succeeded", "1", "0", "250ms", "1,", "u"]
    assert "SIGSEGV" in lines[2] and "[red]^[[31mxxx" in lines[2]
    assert max(map(cell_len, lines)) <= 80
    called = io.StringIO()
    print_items(
        [item(1, state="succeeded", attempts=1, result={"é": 1}), item(2)], called, look_of(called, color=False)
    )
    assert called.getvalue().splitlines()[0].split() == ["item", "state", "attempts", "result", "row"]
    assert '{"é": 1}' in called.getvalue()
    empty = io.StringIO()
    print_items([], empty, look_of(empty, color=False))
    assert empty.getvalue() == "no such items\n"


def test_lines_for_logs(example):
    assert progress_line(example()) == "job 42 running: 410 of 1000 items, 10 failed, 6 retrying, 6.8/s, done in 1m 27s"
    lines = list(
        summary_lines(
            example(state="partial", done=True, state_reason="990 succeeded, 10 failed"), Look(terminal=False)
        )
    )
    assert lines[0] == "job 42 (nightly-invoices) partial: 990 succeeded, 10 failed, 1m 04s"
    assert lines[1] == "  8x exit_22: curl: (22) The requested URL returned error: <n> (item 17, 52, 90)"


def test_tables_for_pipes_have_one_record_per_line():
    assert plain.table(["a", "b"], [["x\ty", None], [1, "l\nm"]]) == "a\tb\nx^Iy\t\n1\tl^Jm"


def test_small_tables_are_aligned_for_people_and_separated_for_programs():
    rows = [("a", 5, None, "x\x1b[2J"), ("longer", 1200, "10/s", "y")]
    shown, piped = io.StringIO(), io.StringIO()
    print_grid(("queue", "slots", "rate", "state"), rows, shown, Look(color=False))
    assert shown.getvalue() == (
        "queue   slots  rate  state\n"  #
        "a           5        x^[[2J\n"
        "longer   1200  10/s  y\n"
    )
    print_grid(("queue", "slots", "rate", "state"), rows, piped, Look(terminal=False))
    assert piped.getvalue().splitlines()[1] == "a\t5\t\tx^[[2J"
    none = io.StringIO()
    print_grid(("queue", "slots"), [], none, Look(color=True))
    assert none.getvalue() == "\x1b[1mqueue  slots\x1b[0m\n"
