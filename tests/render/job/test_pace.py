"""The curve of throughput, the figures of durations, what is marked as slow, and frames for any height."""

import copy
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from jobctl.render.frames import job_frame, list_frame
from jobctl.render.job.blocks import running_block
from jobctl.render.job.page import curve, pace_line
from jobctl.render.job.progress import cells, slowest_line, slowness
from jobctl.render.live import render_lines
from jobctl.render.look import Look
from tests.stages import few

EXAMPLE = json.loads((Path(__file__).parents[2] / "data" / "status.example.json").read_text())
BEGAN = datetime(2026, 11, 23, 18, 28, 31, tzinfo=UTC)
DURATIONS = {"attempts": 410, "p50_s": 0.25, "p95_s": 1.1, "max_s": 64.0, "mean_s": 0.4} | {
    "slowest": [{"item": 7 * n, "attempt": 1, "duration_s": 64.0 / n} for n in range(1, 6)]
}


def course(succeeded, failed=None, bucket_s=1.0, last_s=None):
    """Spans, of which the last one may be shorter."""
    failed = failed or [0] * len(succeeded)
    until = timedelta(seconds=(len(succeeded) - 1) * bucket_s + (last_s or bucket_s))
    times = {"from_at": BEGAN.isoformat(), "until_at": (BEGAN + until).isoformat()}
    return times | {"round": 1, "bucket_s": bucket_s, "succeeded": succeeded, "failed": failed}


def example(running=12, causes=4, **changes):
    document = copy.deepcopy(EXAMPLE) | {"handler": "command", "cwd": "/srv", "attempts": 430}
    document["running"] = [
        {"item": n, "attempt": 1, "slot": n, "started_at": "", "elapsed_s": 0.5 * n, "pid": 4000 + n}
        | {"row_text": f"{n}, https://example.org/reports/{n}.pdf"}
        for n in range(1, running + 1)
    ]
    document["counts"]["running"] = running
    group = document["failures"]["groups"][0]
    document["failures"]["groups"] = [group | {"code": f"exit_{n}"} for n in range(1, causes + 1)]
    document["failures"]["groups_total"] = causes
    document["input"] |= {"resubmit_of": None, "resubmit_of_job": None}
    document["policy"] |= {"halt": "soon"}
    return document | {"durations": DURATIONS, "throughput": course(list(range(90))), "call": None} | changes


def rates(course, width):
    return [cell.per_s for cell in cells(course, width)]


def test_cells_are_rates_and_lose_nothing():
    found = cells(course([1] * 100, [3] * 100, bucket_s=0.5), 30)
    assert len(found) == 25
    assert all(cell.per_s == 8 and cell.failed == 0.75 for cell in found)
    assert rates(course([4, 4, 4, 4, 2, 2]), 3) == [4, 4, 2]


def test_a_last_span_that_is_shorter_is_not_a_drop():
    assert rates(course([8, 8, 4], last_s=0.5), 10) == [8, 8, 8]
    assert rates(course([8, 8, 2], last_s=0.25), 10) == [8, 8]
    assert rates(course([4, 4, 4, 4, 4]), 3) == [4, 4, 4]
    assert rates(course([5]), 10) == [5]


def test_a_standstill_is_the_lowest_bar_and_the_peak_the_highest():
    shown = cells(course([0, 1, 50, 100]), 10)
    assert curve(shown, Look()).plain == "▁▂▅█"
    assert curve(shown, Look(unicode=False)).plain == "_.=#"


@pytest.mark.parametrize("unicode", [True, False])
@pytest.mark.parametrize("width", [60, 80, 200])
def test_the_line_fits_and_has_every_figure(width, unicode):
    line = pace_line(example(), Look(width=width, unicode=unicode))
    assert line.cell_len <= width
    assert all(figure in line.plain for figure in ("peak", "p50 250ms", "p95 1.1s", "max 1m 04s"))
    assert unicode or line.plain.isascii()


def test_of_few_attempts_only_the_longest_is_named_and_of_none_nothing():
    few = {"attempts": 2, "p50_s": 1.0, "p95_s": 3.0, "max_s": 3.0, "mean_s": 2.0}
    assert pace_line(example(durations=few, throughput=None), Look()).plain == "max 3s"
    assert pace_line(example(durations=few | {"attempts": 0, "max_s": None}, throughput=None), Look()) is None


def test_few_outcomes_and_a_single_bar_make_no_curve_and_an_item_that_never_ran_took_no_time():
    look = Look()
    assert pace_line(example(throughput=course([0, 0, 1, 0, 2, 6])), look).plain.startswith("p50 ")
    assert "peak" in pace_line(example(throughput=course([0, 0, 1, 0, 3, 6])), look).plain
    assert pace_line(example(throughput=course([40], last_s=0.1)), look).plain.startswith("p50 ")
    absent = {"attempts": 3, "p50_s": 0.0, "p95_s": 0.0, "max_s": 0.0, "mean_s": 0.0}
    assert pace_line(example(durations=absent, throughput=course([3])), look) is None


def test_an_item_that_takes_longer_than_usual_is_marked():
    assert [slowness(s, DURATIONS) for s in (1.0, 2.0, 65.0)] == ["", "over p95", "over max"]
    assert slowness(65.0, DURATIONS | {"attempts": 3}) == ""
    lines = render_lines([running_block(example(), Look())], Look())
    assert lines[1].split()[0] == "12"  # the one that runs longest
    assert "over p95" in lines[1]
    assert "4 more" in lines[-1]


@pytest.mark.parametrize("height", [1, 2, 4, 9, 10, 12, 15, 24, 33, 50])
@pytest.mark.parametrize("width", few([60, 80, 120], [80]))
def test_the_view_of_a_job_fits_any_height(width, height):
    look = Look(width=width, height=height)
    lines = render_lines(job_frame(example(), look, "q leaves"), look)
    assert len(lines) <= height
    assert lines[0].startswith("job 42")
    assert ("q leaves" in lines[-1]) == (height >= 10)


@pytest.mark.parametrize("width", [40, 60, 80, 99, 100, 200])
@pytest.mark.parametrize("unicode", [True, False])
def test_slots_show_their_running_items(width, unicode):
    look = Look(width=width, unicode=unicode)
    head, first, *_ = render_lines([running_block(example(), look)], look)
    assert head.split()[:4] == ["running", "slot", "attempt", "for"]
    assert first.split()[:4] == ["12", "12", "1", "6s"]
    assert ("process" in head) == (width >= 100)
    assert ("12, http" in first) == (width >= 60)
    assert len(first.rstrip()) <= width
    whole = "https://example.org/reports/12.pdf"
    assert (whole in first) == (width >= 80)
    assert whole in first or width < 60 or first.rstrip().endswith("…" if unicode else "...")


def test_a_row_cannot_draw_and_no_row_takes_no_column():
    document = example(running=1)
    document["running"][0]["row_text"] = "\x1b[2J"
    assert "^[[2J" in "\n".join(render_lines([running_block(document, Look())], Look()))
    document["running"][0]["row_text"] = ""
    assert "row" not in render_lines([running_block(document, Look())], Look())[0].split()


def test_the_slowest_are_named_as_far_as_there_is_room():
    assert slowest_line(example(), Look(width=200)) == (
        "slowest  item 7 1m 04s · item 14 32s · item 21 21s · item 28 16s · item 35 13s"
    )
    assert slowest_line(example(), Look(width=40, unicode=False)) == "slowest  item 7 1m 04s, item 14 32s"
    assert slowest_line(example(durations=DURATIONS | {"attempts": 19}), Look()) == ""
    page = "\n".join(render_lines(job_frame(example(), Look(width=80, height=24), ""), Look(width=80, height=24)))
    assert "slowest  item 7 1m 04s" in page
    assert "slowest" not in "\n".join(render_lines(job_frame(example(), Look(height=12), ""), Look(height=12)))


def test_free_room_shows_more_running_items():
    low, high = (
        "\n".join(render_lines(job_frame(example(running=30), look, ""), look))
        for look in (Look(width=100, height=32), Look(width=100, height=70))
    )
    assert "4001" not in low
    assert all(str(4000 + n) in high for n in range(1, 31))


@pytest.mark.parametrize("height", [3, 5, 9, 10, 11, 24, 36, 37, 38, 50])
def test_the_view_of_all_jobs_fits_any_height_and_sums_up_the_rest(height):
    jobs = [example(job=n, state="succeeded", done=True, attention=[]) for n in range(1, 31)]
    jobs.append(example(job=31, state="partial", done=True, attention=[]))
    jobs.append(example(job=32, state="queued", attention=[]))
    jobs.append(example(job=1000))
    document = {"at": EXAMPLE["time"]["updated_at"], "daemon": EXAMPLE["daemon"], "jobs": jobs, "jobs_total": 33}
    look = Look(width=80, height=height)
    lines = render_lines(list_frame(document, look, "q leaves"), look)
    assert len(lines) <= height
    numbers = [int(line.split()[0]) for line in lines[1:] if line.strip()[:1].isdigit()]
    assert numbers == [1000, 32, 31, *range(30, 0, -1)][: len(numbers)]
    hidden = 33 - len(numbers)
    assert any(f"and {hidden} job" in line for line in lines) == (hidden > 0)
