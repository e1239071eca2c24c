"""The keys of ``jobctl top``: help, filters, orders, questions, and what is left out on a small screen."""

from __future__ import annotations

import pytest

pytest.importorskip("textual")

from jobctl.tui.confirm import Confirm
from jobctl.tui.help import Help
from jobctl.tui.item import ItemScreen
from jobctl.tui.job import JobScreen
from jobctl.tui.jobs import JobsScreen
from tests.factories import SUBMITTED_AT
from tests.stages import few
from tests.tui.sight import state_of, watch

DONE = {"started_at": SUBMITTED_AT, "finished_at": SUBMITTED_AT + 1}


def shown(sight, table="#jobs"):
    """The keys of all rows of a table."""
    grid = sight.table(table)
    return [grid.row_at(place).key for place in range(grid.row_count)]


def last_line(sight):
    """The line of keys."""
    return sight.text().splitlines()[-1]


@pytest.mark.parametrize("size", few([(80, 24), (40, 10), (200, 60)], [(40, 10)]))
def test_help_has_all_keys_of_each_screen(store, home, size):
    store.job("sf", state="partial", **DONE)

    async def script(sight):
        await sight.press("question_mark")
        await sight.comes_to(Help)
        await sight.sees("keys: the list of jobs", "up k", "esc closes")
        for _ in range(40):
            await sight.pilot.press("j")
        await sight.sees("dark or light")
        await sight.press("escape", "enter")
        await sight.comes_to(JobScreen)
        await sight.press("2", "question_mark")
        await sight.sees("keys: a job")
        await sight.press("question_mark", "enter")
        await sight.comes_to(ItemScreen)
        await sight.press("question_mark")
        await sight.sees("keys: an item")

    watch(home, script, size)


def test_jobs_are_filtered_while_the_words_are_typed(store, home):
    store.job("s", state="succeeded", name="nightly-invoices", queue="money", **DONE)
    store.job("q", name="mails", labels='{"team": "billing"}')
    store.job("q", name="Nightly-mails")

    async def script(sight):
        await sight.sees("3 jobs")
        assert "esc" not in last_line(sight)
        await sight.press("slash", *"nightly")
        await sight.until(lambda: shown(sight) == ["3", "1"], "the two")
        await sight.press("space", *"money")
        await sight.until(lambda: shown(sight) == ["1"], "one of them")
        await sight.press("enter")
        await sight.sees("1 of 3 jobs", "filter: nightly money", "esc clear the filter")
        await sight.press("escape")
        await sight.until(lambda: len(shown(sight)) == 3, "all again")
        await sight.press("slash", *"team=bill", "enter")
        await sight.until(lambda: shown(sight) == ["2"], "by its label")
        await sight.press("slash", "x", "enter")
        await sight.sees("no job has these words")
        await sight.press("slash", "escape")  # closes the line and clears the filter
        await sight.until(lambda: len(shown(sight)) == 3, "all again")

    watch(home, script)


def test_jobs_are_ordered_by_keys_and_by_clicks(store, home):
    store.job("sff", state="partial", name="b", **DONE)
    store.job("s", state="succeeded", name="c", **DONE)
    store.job("f", state="failed", name="a", **DONE)

    async def script(sight):
        await sight.sees("3 jobs")
        await sight.press("o", "o")
        await sight.until(lambda: shown(sight) == ["3", "1", "2"], "by name")
        await sight.sees("name▲")
        await sight.press("O")
        await sight.until(lambda: shown(sight) == ["2", "1", "3"], "by name, backwards")
        place = sight.text().splitlines()[1].index("failed") + 2
        await sight.pilot.click("#jobs", offset=(place, 0))
        await sight.until(lambda: shown(sight) == ["1", "3", "2"], "by failures, most first")
        await sight.press("less_than_sign")
        await sight.press("g", "2", "enter")
        await sight.chooses("#jobs", 2)
        await sight.press("g", *"1.2", "enter")
        await sight.comes_to(ItemScreen)
        await sight.press("escape")
        await sight.comes_to(JobScreen)
        await sight.press("escape")
        await sight.comes_to(JobsScreen)
        await sight.press("g", *"77", "enter")
        await sight.sees("there is no job 77; the newest is 3")

    watch(home, script)


def test_a_key_is_shown_only_where_it_has_an_effect_and_a_click_presses_it(store, home):
    store.job("r", state="running", started_at=SUBMITTED_AT, name="moves")
    store.job("q", state="paused", name="waits")
    store.job("f", state="failed", name="broken", **DONE)
    expected = {"1": "c cancel  p pause", "2": "c cancel  p resume", "3": "r retry"}

    async def script(sight):
        for job, keys in expected.items():
            await sight.press("g", job, "enter")
            await sight.chooses("#jobs", job)
            await sight.until(lambda keys=keys: keys in last_line(sight), keys)
            others = {word for each in expected.values() for word in each.split("  ")} - set(keys.split("  "))
            assert not [word for word in others if word in last_line(sight)]
        await sight.pilot.click("Keys", offset=(last_line(sight).index("r retry"), 0))
        await sight.sees("Begin round 2 of job 3 (broken)?", "1 item will run again.")
        await sight.pilot.click("Answer:last-of-type")
        await sight.comes_to(JobsScreen)
        assert state_of(home, 3) == "failed"

    watch(home, script, (120, 30))


def test_a_retry_after_time_outs_offers_the_longer_limit(jobctl, home, tmp_path):
    path = tmp_path / "rows.txt"
    path.write_text("0\n60\n")
    done = jobctl("run", path, "--attempts", "1", "--timeout", "1s", "--shell", "v={}; sleep $v; exit 5")
    assert done.code == 4, done.err

    async def script(sight):
        await sight.press("r")
        await sight.sees(
            "2 items will run again.", "1 of them was stopped by the time limit.", "t  yes, with --timeout 2s"
        )
        await sight.press("t")
        await sight.sees("job 1: round 2, 2 items")

    watch(home, script)
    assert jobctl("status", "1", "--json").document["policy"]["timeout_s"] == 2


def test_the_question_says_how_many_items_are_left_out(store, home):
    job = store.job("sfffu", state="partial", policy='{"on_crash": "fail"}', attempts=4, **DONE)
    store.failure(job, 2, samples="[2, 3]", outcome="unknown", code="interrupted", message="the machine stopped")

    async def script(sight):
        await sight.press("r")
        await sight.sees("2 items will run again.", "2 items with an unknown outcome will be left out.")

    watch(home, script)


def test_a_pause_of_many_items_asks(store, home):
    store.counted_job({"queued": 5000, "running": 2}, state="running", started_at=SUBMITTED_AT)

    async def script(sight):
        await sight.press("p")
        await sight.sees("Pause job 1", "5000 items will wait. 2 running items will end as usual.")
        await sight.press("n")
        await sight.comes_to(JobsScreen)
        assert state_of(home, 1) == "running"
        await sight.press("p")
        await sight.comes_to(Confirm)
        await sight.press("y")
        await sight.sees("job 1: paused")

    watch(home, script)


def test_rows_that_cannot_be_read_do_not_end_the_table(store, home):
    job = store.job("ssf", state="partial", name="名前\u202e\x07" + "長い" * 40, **DONE)
    with store.database.transaction():
        store.database.execute("UPDATE items SET payload = x'ff00fe1b5b324a', attempt = 'x' WHERE item = 2")
        store.database.execute("UPDATE attempts SET duration_us = 'x', message = x'1b5b324a' WHERE item = 3")
        store.database.execute("DELETE FROM items WHERE job = ? AND item = 1", (job,))

    async def script(sight):
        await sight.sees("名前")
        await sight.press("enter")
        await sight.comes_to(JobScreen)
        await sight.press("2")
        await sight.sees("1  is not in the store", "^[[2J")
        assert "\x1b" not in sight.text()
        for key in ("o", "o", "o"):
            await sight.press(key)
        await sight.press("slash", *"2j", "enter")
        await sight.sees("of 3 items")

    watch(home, script, (80, 24))


def test_the_tab_key_shows_the_next_tab_and_gives_it_the_keys(store, home):
    job = store.job("fff", state="failed", **DONE)
    store.failure(job, 2, samples="[1, 2]")
    store.failure(job, 1, samples="[3]", code="timeout", message="took longer than 5 s")

    async def script(sight):
        await sight.press("enter")
        await sight.comes_to(JobScreen)
        await sight.press("f", "down", "shift+tab", "tab")
        await sight.chooses("#failure-table", "timeout")
        await sight.press("l", "tab")
        await sight.until(lambda: sight.screen.tab == "overview", "the first tab after the last")
        await sight.pilot.click("#--content-tab-failures")
        await sight.until(lambda: sight.screen.tab == "failures" and sight.ready(), "the tab that was clicked")
        await sight.press("up")
        await sight.chooses("#failure-table", "exit_22")

    watch(home, script, (80, 24))


def test_causes_of_any_length_are_below_their_headings(store, home):
    job = store.job("fff", state="failed", **DONE)
    store.failure(job, 2, samples="[1, 2]", message="no such page")
    store.failure(job, 1, samples="[3]", code="timeout", message="took longer than 5 s")

    async def script(sight):
        await sight.press("f")
        await sight.sees("no such page", "took longer", "lines show the messages of items")
        lines = sight.text().splitlines()
        head = next(line for line in lines if "as in item" in line)
        for message in ("no such page", "took longer than 5 s"):
            line = next(line for line in lines if message in line)
            assert line.index(message) == head.index("message")

    watch(home, script, (80, 17))


def test_rows_that_the_wheel_has_scrolled_to_stay_when_the_job_changes(store, home):
    store.job("s" * 100 + "r", state="running", started_at=SUBMITTED_AT)

    async def script(sight):
        await sight.press("enter")
        await sight.comes_to(JobScreen)
        await sight.press("2")
        await sight.until(lambda: sight.table("#item-table").row_count == 101, "all items")
        grid = sight.table("#item-table")
        grid.scroll_to(y=50, animate=False, force=True, immediate=True)
        await sight.until(lambda: grid.scroll_offset.y == 50, "the rows below")
        sight.screen.refresh_now()
        await sight.pilot.pause()
        assert grid.scroll_offset.y == 50
        await sight.press("down")  # the cursor was left behind, and a key goes back to it
        await sight.until(lambda: grid.chosen == "2" and grid.scroll_offset.y < 2, "the row of the cursor")

    watch(home, script, (80, 24))
