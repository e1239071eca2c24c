"""``jobctl top`` under textual's pilot: what is on its screens, what its keys do to real jobs in a real store."""

from __future__ import annotations

import asyncio
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("textual")

from textual.widgets import Static

from jobctl.domain.undo import Undo
from jobctl.services.control.targets import Target
from jobctl.services.control.undo import UndoRequest, undo
from jobctl.store import sqlite
from jobctl.tui.confirm import Confirm
from jobctl.tui.item import ItemScreen
from jobctl.tui.job import JobScreen
from jobctl.tui.jobs import JobsScreen
from jobctl.tui.log_view import LogView
from jobctl.tui.waiting import NoStore
from tests.factories import SUBMITTED_AT, make_store
from tests.stages import few
from tests.tui.sight import state_of, watch

ROOT = Path(__file__).parents[2]
SIZES = few([(80, 24), (120, 40), (200, 50)], [(80, 24)])


@pytest.fixture
def jobs(store):
    """One job that went well, one under way, one with failures; their numbers."""
    well = store.job("ss", state="succeeded", name="well", started_at=SUBMITTED_AT, finished_at=SUBMITTED_AT + 1)
    moves = store.job("ssrq", state="running", name="moves", started_at=SUBMITTED_AT, attempts=3)
    partly = store.job(
        "sfff", state="partial", name="partly", started_at=SUBMITTED_AT, finished_at=SUBMITTED_AT + 1, attempts=4
    )
    store.failure(partly, 3, samples="[2, 3, 4]")
    return well, moves, partly


@pytest.mark.parametrize("size", SIZES)
def test_all_jobs_and_the_essentials_of_the_one_under_the_cursor(home, jobs, size):
    async def script(sight):
        await sight.sees("jobctl top   3 jobs", "well", "moves", "partly", "c cancel", "q quit")
        rows = [sight.table("#jobs").row_at(n).cells[1].plain.strip() for n in range(3)]
        assert rows == ["moves", "partly", "well"]  # what needs attention first
        await sight.sees("job 2  moves  running", "no daemon is running")
        await sight.press("down")
        await sight.sees("job 3  partly  partial", "1 succeeded", "3 failed", "exit_22", "returned error: <n>")
        await sight.press("G")
        await sight.sees("job 1  well  succeeded")

    watch(home, script, size)


def test_a_low_screen_is_the_table_alone(home, jobs):
    async def script(sight):
        await sight.sees("moves", "partly", "well")
        assert not sight.screen.query_one("#detail").display

    watch(home, script, (60, 10))


def test_commits_of_others_are_seen_and_the_cursor_stays_on_its_job(store, home, jobs):
    async def script(sight):
        await sight.sees("partly")
        await sight.press("down")
        await sight.chooses("#jobs", jobs[2])
        for number in range(5):
            store.job("q", name=f"new-{number}")
        await sight.sees("jobctl top   8 jobs", "new-4")
        assert sight.table("#jobs").chosen == str(jobs[2])
        with store.database.transaction():
            store.database.execute("UPDATE jobs SET succeeded = 3, running = 0 WHERE id = ?", (jobs[1],))
        await sight.sees("3/4")

    watch(home, script)


@pytest.mark.parametrize("size", SIZES)
def test_a_job_its_items_its_failures_its_log(home, jobs, size):
    async def script(sight):
        await sight.press("down")
        await sight.chooses("#jobs", 3)
        await sight.press("enter")
        await sight.sees("job 3  partly  partial", "1 succeeded", "exit_22", "1 overview", "esc back")
        assert isinstance(sight.screen, JobScreen)
        await sight.press("2")
        await sight.sees("all 4 items", "succeeded", "1, https")
        await sight.press("s")
        await sight.sees("1 of 4 items", "filter succeeded")
        await sight.press("s")
        await sight.sees("3 of 4 items", "filter failed")
        assert [sight.table("#item-table").row_at(n).cells[0].plain.strip() for n in range(3)] == ["2", "3", "4"]
        await sight.press("3")
        await sight.sees("as in item", "3  exit_22", "3 items, 9 attempts")
        await sight.press("enter")  # on a cause: its items
        await sight.sees("3 of 4 items; exit_22", "curl: (22) The req")
        await sight.press("enter")
        await sight.sees("item 3.2: failed", "attempts:", "returned error: 503")
        assert isinstance(sight.screen, ItemScreen)
        await sight.press("escape")
        await sight.comes_to(JobScreen)
        await sight.press("escape")  # clears the filter
        await sight.sees("all 4 items")
        await sight.press("escape")
        await sight.sees("jobctl top   3 jobs")

    watch(home, script, size)


@pytest.mark.parametrize("size", SIZES)
def test_the_undo_of_a_job_is_on_its_page_and_at_its_items(store, home, size):
    way_back = Undo("command", ["true", "{id}"]).to_json()
    values = {"started_at": SUBMITTED_AT, "finished_at": SUBMITTED_AT + 1, "undo": way_back}
    job = store.job("ssf", state="partial", name="booking", **values)

    async def script(sight):
        await sight.press("enter")
        await sight.comes_to(JobScreen)
        await sight.sees(f"jobctl undo {job}")
        made = undo(home, UndoRequest(job), now=SUBMITTED_AT + 2).job
        await sight.sees(f"0 of 2 rows taken back, 2 left (job {made})")
        with store.database.transaction():
            store.database.execute("UPDATE items SET state = 3, attempt = 1 WHERE job = ? AND item = 1", (made,))
            store.database.execute("UPDATE jobs SET succeeded = 1, queued = 1 WHERE id = ?", (made,))
        await sight.sees(f"1 of 2 rows taken back, 1 left (job {made})")
        await sight.press("2")
        await sight.sees("taken back", "undo queue")  # a narrow column cuts the rest
        await sight.press("escape")
        await sight.comes_to(JobsScreen)
        await sight.sees(f"undo-{job}")

    watch(home, script, size)


def test_a_table_reads_only_the_items_that_are_looked_at(store, home):
    store.job("s" * 1200, state="succeeded", started_at=SUBMITTED_AT, finished_at=SUBMITTED_AT + 1)

    async def script(sight):
        await sight.press("enter")
        await sight.comes_to(JobScreen)
        await sight.press("2")
        await sight.sees("all 1200 items", "https://example.org/1")
        await sight.press("G")
        await sight.chooses("#item-table", 1200)
        await sight.sees("https://example.org/1200", "https://example.org/1190")
        await sight.press("g")
        await sight.sees("go to item of job 1")
        await sight.press("6", "0", "0", "enter")
        await sight.chooses("#item-table", 600)
        await sight.sees("https://example.org/600", "https://example.org/599")
        assert len(sight.table("#item-table")._window) < 200
        await sight.press("pagedown")
        await sight.press("home")
        await sight.chooses("#item-table", 1)
        await sight.press("g")
        await sight.press("9", "9", "9", "9", "enter")
        await sight.sees("job 1 has 1200 items, there is no item 9999")
        await sight.press("g")
        await sight.press("1", ".", "7", "enter")
        await sight.comes_to(ItemScreen)
        await sight.sees("item 1.7: succeeded")
        await sight.press("right_square_bracket")
        await sight.sees("item 1.8: succeeded")

    watch(home, script)


def test_items_are_filtered_by_state_cause_words_and_conditions(store, home):
    job = store.job("sfffu", state="partial", started_at=SUBMITTED_AT, finished_at=SUBMITTED_AT + 1, attempts=4)
    store.failure(job, 2, samples="[2, 4]")
    store.failure(job, 1, samples="[3]", code="timeout", message="took longer than 5 s")

    async def script(sight):
        await sight.press("enter")
        await sight.comes_to(JobScreen)
        await sight.press("2")
        for text, found in [
            ("failed", [2, 3, 4]),
            ("timeout", [3]),
            ("failed example.org/4", [4]),
            ('"succeeded"', []),
            ("EXAMPLE.org", [1, 2, 3, 4, 5]),
            ("id > 2 and state == 'failed'", [3, 4]),
        ]:
            await sight.press("slash")
            await sight.sees("/")
            await sight.press("ctrl+u")
            sight.screen.prompt.query_one("Input").value = text
            await sight.press("enter")
            await sight.until(lambda found=found: numbers(sight) == found and sight.screen.items._found.done, text)
            await sight.sees(f"{len(found)} of 5 items", "esc clears")
        await sight.press("slash")
        sight.screen.prompt.query_one("Input").value = "nothing > 2"
        await sight.press("enter")
        await sight.sees("filter: at character 1", "no such column")
        assert numbers(sight) == [3, 4]
        await sight.press("escape")
        await sight.sees("all 5 items")

    def numbers(sight):
        grid = sight.table("#item-table")
        return [int(grid.row_at(place).key) for place in range(grid.row_count)]

    watch(home, script, (120, 30))


def test_items_are_ordered_by_keys_and_by_clicks(store, home):
    job = store.job("sfsrq", state="running", started_at=SUBMITTED_AT, attempts=4)
    store.attempt(job, 3, duration_us=9_000_000)
    store.attempt(job, 1, duration_us=2_000)

    def numbers(sight):
        grid = sight.table("#item-table")
        return [int(grid.row_at(place).key) for place in range(grid.row_count)]

    async def script(sight):
        await sight.press("enter")
        await sight.comes_to(JobScreen)
        await sight.press("2")
        await sight.until(lambda: numbers(sight) == [1, 2, 3, 4, 5], "by number")
        await sight.press("O")
        await sight.until(lambda: numbers(sight) == [5, 4, 3, 2, 1], "by number, backwards")
        await sight.press("o")
        await sight.until(lambda: numbers(sight) == [5, 4, 1, 3, 2], "by state")
        await sight.sees("state▲")
        await sight.press("o")
        await sight.until(lambda: numbers(sight) == [3, 2, 1], "by duration")
        await sight.press("O")
        await sight.until(lambda: numbers(sight) == [1, 2, 3], "by duration, shortest first")
        await sight.sees("took▼")
        heading = sight.table("#item-table").region
        await sight.pilot.click("#item-table", offset=(2, 0))
        await sight.until(lambda: numbers(sight) == [1, 2, 3, 4, 5], f"a click on item at {heading}")
        await sight.pilot.click("#item-table", offset=(2, 3))
        await sight.chooses("#item-table", 3)
        await sight.pilot.click("#item-table", offset=(2, 3))
        await sight.comes_to(ItemScreen)

    watch(home, script)


def test_a_job_that_is_removed_is_left(store, home, jobs):
    async def script(sight):
        await sight.press("enter")
        await sight.comes_to(JobScreen)
        with store.database.transaction():
            for table in ("attempts", "items", "journal", "jobs"):
                column = "id" if table == "jobs" else "job"
                store.database.execute(f"DELETE FROM {table} WHERE {column} = ?", (jobs[1],))
        await sight.comes_to(JobsScreen)
        await sight.sees("there is no job 2")

    watch(home, script)


def test_a_store_that_cannot_be_read_for_a_moment_does_not_end_the_program(store, home, jobs, monkeypatch):
    def busy(*_args, **_options):
        raise sqlite.OperationalError("database is locked")

    async def script(sight):
        await sight.sees("partly")
        with monkeypatch.context() as patched:
            patched.setattr("jobctl.tui.reader.list_document", busy)
            store.job("q", name="came-meanwhile")
            await sight.sees("the store cannot be read now", "locked", "partly")
        store.job("q", name="came-later")
        await sight.sees("came-meanwhile", "came-later")

    watch(home, script)


# ---- hands ----


def test_a_cancel_needs_a_yes_and_n_leaves_the_job_alone(jobctl, home, tmp_path):
    submit(jobctl, tmp_path, "a\nb\n")

    async def script(sight):
        await sight.press("c")
        await sight.sees("End job 1 (rows)?", "2 waiting items will not run.", "y  yes")
        for keys in (["n"], ["escape"], ["x", "n"], ["enter", "escape"], ["q"]):
            for key in keys:  # a key that says nothing leaves the question where it is
                await sight.press(key)
            await sight.comes_to(JobsScreen)
            assert state_of(home, 1) == "queued"
            await sight.press("c")
            await sight.comes_to(Confirm)
        await sight.press("y")
        await sight.sees("job 1 cancelled", "2 unprocessed")
        # The key acts on the row of the list, which is read by itself.
        await sight.until(lambda: re.search(r"(?m)^ *1 +rows +cancelled", sight.text()), "cancelled in the list")
        await sight.until(lambda: "c cancel" not in sight.text(), "no key for what has no effect")

    watch(home, script)
    assert state_of(home, 1) == "cancelled"
    assert "cancel" in jobctl("explain", "1").out


def test_an_item_is_cancelled_and_the_job_continues(jobctl, home, tmp_path):
    submit(jobctl, tmp_path, "a\nb\nc\n")

    async def script(sight):
        await sight.press("enter")
        await sight.comes_to(JobScreen)
        await sight.press("2")
        await sight.sees("all 3 items")
        await sight.press("down")
        await sight.chooses("#item-table", 2)
        await sight.press("c")
        await sight.sees("End item 1.2?")
        await sight.press("y")
        await sight.sees("item 1.2: cancelled, it is unprocessed")

    watch(home, script)
    assert [item["state"] for item in jobctl("items", "1", "--json").document["items"]] == [
        "queued",
        "unprocessed",
        "queued",
    ]


def test_pause_and_resume_are_one_key(jobctl, home, tmp_path):
    submit(jobctl, tmp_path, "a\n")

    async def script(sight):
        await sight.press("p")
        await sight.sees("job 1: paused")
        assert state_of(home, 1) == "paused"
        await sight.sees("rows  paused")  # the key says what to do with the state that is seen
        await sight.press("p")
        await sight.sees("job 1: continues")

    watch(home, script)
    assert state_of(home, 1) == "queued"


def test_one_cause_of_failure_gets_another_round(jobctl, home, tmp_path):
    submit(jobctl, tmp_path, "4\n5\n5\n0\n", "--attempts", "1", "--shell", "exit {}", run=True)

    async def script(sight):
        await sight.press("enter")
        await sight.comes_to(JobScreen)
        await sight.press("3")
        await sight.sees("exit_5", "exit_4")
        await sight.press("r")
        await sight.sees("Begin round 2 of job 1 (rows)?", "2 items will run again.")
        await sight.press("n")
        await sight.comes_to(JobScreen)
        assert state_of(home, 1) == "partial"
        await sight.press("r")
        await sight.comes_to(Confirm)
        await sight.press("y")
        await sight.sees("job 1: round 2, 2 items queued again")
        await sight.until(lambda: "r retry" not in sight.text(), "no key for what has no effect")

    watch(home, script)


@pytest.mark.slow
def test_a_log_is_followed_while_it_is_written(jobctl, home, tmp_path):
    submit(jobctl, tmp_path, "0\n3\n", "--attempts", "1", "--shell", 'echo "I am {}"; exit {}', run=True)

    async def script(sight):
        await sight.press("l")
        await sight.sees("==> 1.1 <==", "I am 0", "==> 1.2 <==", "I am 3")
        assert "nothing was written" not in sight.text()
        await sight.press("2")
        await sight.sees("all 2 items")
        await sight.press("down")
        await sight.chooses("#item-table", 2)
        await sight.press("enter")
        await sight.sees("item 1.2: failed", "I am 3")
        before = len(sight.screen.query_one(LogView).text.lines)
        jobctl("retry", "1")
        words = [sys.executable, "-m", "jobctl", "--home", str(home.root), "daemon", "run", "--drain"]
        await asyncio.to_thread(subprocess.run, words, check=True, capture_output=True, timeout=60, cwd=ROOT)
        await sight.until(lambda: len(sight.screen.query_one(LogView).text.lines) > before, "what the second try wrote")
        await sight.sees("round 2")

    watch(home, script)


def test_a_log_without_a_line_says_so(store, home):
    store.job("q")

    async def script(sight):
        await sight.press("l")
        await sight.sees("nothing was written yet")

    watch(home, script)


def submit(jobctl, tmp_path, rows, *options, run=False):
    """Submit a job of these lines, and run it if ``run`` is set."""
    path = tmp_path / "rows.txt"
    path.write_text(rows)
    words = (*options,) if "--shell" in options else (*options, "--", "true", "{}")
    done = jobctl("run" if run else "submit", path, *words)
    assert done.code == (3 if run else 0), done.err


def test_a_question_about_a_job_with_a_hostile_name_draws_nothing(store, home):
    store.job("r", state="running", started_at=SUBMITTED_AT, name="\x1b[2Jloud")

    async def script(sight):
        await sight.sees("^[[2Jloud")
        await sight.press("c")
        await sight.sees("yes")
        shown = sight.screen.query_one("#question", Static)
        assert "\x1b" not in str(shown.render())

    watch(home, script)


def test_rows_of_strangers_draw_nothing(store, home):
    job = store.job("r", state="running", started_at=SUBMITTED_AT, attempts=1, name="[red]\x1b[2Jloud[/red]")
    store.failure(job, 1, message="[bold]\x1b]0;owned\x07")

    async def script(sight):
        await sight.sees("[red]^[[2Jloud[/red]")
        await sight.press("enter")
        await sight.comes_to(JobScreen)
        await sight.press("3")
        await sight.sees("[bold]^[]0;owned^G")
        assert sight.screen.query_one("#head", Static) is not None

    watch(home, script)


def test_keys_typed_ahead_act_on_the_tab_that_they_open(jobctl, home, tmp_path):
    submit(jobctl, tmp_path, "4\n5\n5\n0\n", "--attempts", "1", "--shell", "exit {}", run=True)

    async def script(sight):
        await sight.press("enter")
        await sight.comes_to(JobScreen)
        sight.type_ahead("3", "down", "r")  # of two causes the second one, and not all that failed
        await sight.sees("1 item will run again.")
        await sight.press("y")
        await sight.sees("job 1: round 2, 1 item queued again")

    watch(home, script)


# ---- beginnings and ends ----


def test_a_home_without_a_store_is_waited_for(home):
    async def script(sight):
        await sight.sees("no jobs yet", "this screen shows the first job when it comes")
        store = make_store(home)
        await sight.comes_to(JobsScreen)
        await sight.sees("no jobs yet; this list shows the first one when it comes")
        store.job("q", name="the-first")
        await sight.sees("the-first", "jobctl top   1 job")

    watch(home, script, first=NoStore)


@pytest.mark.parametrize(("item", "kind"), [(None, JobScreen), (2, ItemScreen)])
def test_a_job_or_an_item_can_be_the_first_thing(home, jobs, item, kind):
    async def script(sight):
        await sight.sees("partly" if item is None else "item 3.2: failed")
        await sight.press("escape")
        if item is not None:
            await sight.comes_to(JobScreen)
            await sight.chooses("#item-table", item)
            await sight.press("escape")
        await sight.comes_to(JobsScreen)

    watch(home, script, first=kind, target=Target(jobs[2], item))


def test_a_store_that_is_removed_ends_the_program_with_the_reason(store, home, jobs):
    async def script(sight):
        await sight.sees("partly")
        store.database.close()
        shutil.rmtree(home.root)
        await sight.until(lambda: sight.app.failure is not None, "an end")
        assert "was removed" in sight.app.failure.message

    watch(home, script)
