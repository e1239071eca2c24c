"""What was taken back is known as long as anybody can ask for it: prune keeps or removes both jobs."""

from __future__ import annotations

import pytest

from jobctl.services.control.prune import prune
from jobctl.services.control.prune_choice import PruneOptions
from jobctl.services.control.undo import UndoRequest, undo
from jobctl.store.database import Database
from jobctl.undo.work import UndoWords
from tests.engine.bench import SECOND, Bench


@pytest.fixture
def bench(tmp_path):
    made = Bench(tmp_path)
    made.submit(rows=3, undo=UndoWords(("refund",)))
    made.work_off()
    undo(made.home, UndoRequest(1), now=made.now)
    return made


def later(bench, **options):
    bench.now += 3600 * SECOND
    return prune(bench.home, PruneOptions(older_than_s=60, **options), now=int(bench.now))


def tables_with(database: Database, job: int) -> list[str]:
    names = ("items", "attempts", "undone", "journal")
    return [name for name in names if database.scalar(f"SELECT 1 FROM {name} WHERE job = ? LIMIT 1", (job,))]


def test_a_job_whose_rows_are_being_taken_back_stays(bench):
    found = later(bench)
    assert [(kept.job, kept.why) for kept in found.kept] == [(1, "an undo job takes its rows back")]


def test_an_undo_job_stays_as_long_as_the_job_that_it_has_taken_back(bench, jobctl):
    bench.work_off()
    refused = jobctl("--home", bench.home.root, "prune", 2, "--yes")
    assert refused.code == 2
    assert "whose rows it has taken back, is kept" in refused.err and "prune 1,2" in refused.err


def test_both_go_together_with_everything_that_belongs_to_them(bench):
    bench.work_off()
    found = later(bench)
    assert [job.job for job in found.jobs] == [1, 2] and not found.kept
    assert tables_with(bench.database, 1) == tables_with(bench.database, 2) == []
    assert not bench.home.job_results(1).exists()
