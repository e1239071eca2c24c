"""The same duration reads the same wherever it is printed, and none is negative, whatever the clocks said."""

import io
import re

import pytest

from jobctl.domain.durations import format_duration
from jobctl.domain.policy import Policy
from jobctl.domain.selection import Selection
from jobctl.render.explain import explain_lines
from jobctl.render.items import print_items
from jobctl.render.job.page import job_page
from jobctl.render.live import render_lines
from jobctl.render.look import Look
from jobctl.render.output import describe
from jobctl.render.report.page import report_page
from jobctl.services.control.targets import Target
from jobctl.services.output.items import item_document
from jobctl.services.output.report import Subject, report
from jobctl.services.selection import SelectedItems
from jobctl.services.status.document import job_document, list_document
from jobctl.services.why.explain import explain
from jobctl.store.views import items as item_views
from tests.engine.bench import SECOND, Bench
from tests.executors.fake import Play

LOOK = Look(200, 60)
NEGATIVE = re.compile(r"(?<![\w.])-\d+(\.\d+)?(ms|s|m|h|d)\b")
YEARS = re.compile(r"\b\d{3,}d \d\dh")


def _shown(bench, job):
    """Everything that is printed about a job, by where."""
    database, home, now = bench.database, bench.home, bench.now
    attempts = item_views.attempts(database, job, 1)
    stream = io.StringIO()
    found = SelectedItems(database, job, Selection(), now=now).views()
    documents = [item_document(job, item, ["row"], "lines") for item in found]
    print_items(documents, stream, LOOK)
    document = job_document(database, home, job, now)
    return {
        "items": stream.getvalue(),
        "explain": "\n".join(explain_lines(explain(database, home, Target(job, 1), now), Look())),
        "explain of the job": "\n".join(explain_lines(explain(database, home, Target(job), now), Look())),
        "status": "\n".join(render_lines([job_page(document, LOOK)], LOOK)),
        "report": report_page(report(database, home, Subject(job, now))),
        "logs": "\n".join(describe(job, attempt) for attempt in attempts),
    }


@pytest.mark.parametrize("us", [0, 7, 490, 951, 1_499, 250_000, 999_600, 4_240_000, 64_000_000, 7_500_000_000])
def test_one_attempt_lasts_as_long_everywhere(tmp_path, us):
    bench = Bench(tmp_path, script=lambda _: Play(duration_us=us, code=1, err=b"no luck\n"), slots=1)
    job = bench.submit(rows=6, policy=Policy(attempts=1))
    for _ in range(30):
        bench.tick(1, step_us=us + 60_000)
    took = format_duration(us / 1e6)
    shown = _shown(bench, job)
    for where in ("items", "explain", "logs"):
        assert re.search(rf"(?<![\w.]){re.escape(took)}(?![\w.])", shown[where]), (where, took, shown[where])
    if us:
        assert re.search(rf"(?<![\w.]){re.escape(took)}(?![\w.])", shown["report"]), took


@pytest.mark.parametrize("jump", [-3600 * SECOND, -56 * 365 * 86_400 * SECOND, 12 * 365 * 86_400 * SECOND])
@pytest.mark.parametrize("followed", [True, False])
def test_no_duration_is_negative_or_of_years_after_the_clock_was_set(tmp_path, jump, followed):
    bench = Bench(tmp_path, script=lambda d: Play(hold=True) if d.item == 1 else Play(code=1), slots=2)
    running = bench.submit(rows=3)
    waiting = bench.submit(rows=2, policy=Policy(not_before_s=600, deadline_s=6000))
    paused = bench.submit(rows=2, hold=True)
    done = bench.submit(rows=1, policy=Policy(attempts=1), command=("false",))
    bench.executor.script = lambda _: Play()
    bench.tick(10, step_us=SECOND)
    bench.set_clock(jump)
    if followed:
        bench.tick(2)
    for job in (running, waiting, paused, done):
        for where, text in _shown(bench, job).items():
            assert not NEGATIVE.search(text), (job, where, NEGATIVE.search(text))
            assert not YEARS.search(text), (job, where, YEARS.search(text))
    for document in list_document(bench.database, bench.home, bench.now)["jobs"]:
        time = document["time"]
        assert 0 <= time["active_s"] < 100 and 0 <= time["paused_s"] < 100
