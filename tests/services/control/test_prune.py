"""Prune: which jobs go and which stay, that nothing is left of those that went, and that a crash is finished."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from jobctl.domain.selection import Selection
from jobctl.errors import Busy, HomeError
from jobctl.services.control import erasure
from jobctl.services.control import prune as pruning_service
from jobctl.services.control.erasure import Eraser
from jobctl.services.control.prune import prune
from jobctl.services.control.prune_choice import Pruned, PruneOptions
from jobctl.services.control.retry import retry
from jobctl.services.output.verify import verify
from jobctl.store import outbox, pruning, requests
from jobctl.store.outbox import NewTarget
from tests.engine.bench import SECOND
from tests.factories import enqueue_end
from tests.services.finished_job import WorkedOff

DAY = 86_400 * SECOND
TABLES = ("items", "attempts", "failures", "journal", "requests", "targets", "deliveries", "jobs")


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[WorkedOff]:
    bench = WorkedOff(tmp_path)
    yield bench
    bench.database.close()


def run(bench: WorkedOff, *, days: float = 30, **options: object) -> Pruned:
    """Prune what is older than the 30 days that have passed since."""
    return prune(bench.home, PruneOptions(older_than_s=days * 86_400, **options), now=bench.now + 31 * DAY)  # type: ignore[arg-type]


def went(report: Pruned) -> list[int]:
    return [job.job for job in report.jobs]


def kept(report: Pruned) -> dict[int, str]:
    return {job.job: job.why for job in report.kept}


def good(bench: WorkedOff) -> int:
    """A job that succeeded, with output and result files."""
    return bench.finish("good.txt", "a\nb\n")


def leftovers(bench: WorkedOff, job: int) -> dict[str, int]:
    """The rows and files of a job that still exist."""
    found = {}
    for table in TABLES:
        key = "id" if table == "jobs" else "job"
        found[table] = bench.database.scalar(f"SELECT count(*) FROM {table} WHERE {key} = ?", (job,))
    found["prunings"] = bench.database.scalar("SELECT count(*) FROM prunings")
    found["folders"] = sum(folder.exists() for folder in (bench.home.job_logs(job), bench.home.job_results(job)))
    return {name: count for name, count in found.items() if count}


# ---- which ----


def test_a_job_goes_with_everything_that_belongs_to_it_and_no_other_is_touched(bench: WorkedOff) -> None:
    old = good(bench)
    bench.home.job_logs(old).mkdir(parents=True, exist_ok=True)
    (bench.home.job_logs(old) / "1.out").write_bytes(b"x" * 10_000)
    with bench.database.transaction():
        outbox.add_targets(bench.database, old, [NewTarget("command", "true")])
        enqueue_end(bench.database, old, bench.now)
        bench.database.execute("UPDATE deliveries SET state = 'dead', next_at = NULL")
        bench.database.execute(
            "INSERT INTO delivery_attempts (delivery, attempt, started_at) SELECT id, 1, 1 FROM deliveries"
        )
    bench.now += 40 * DAY
    young = bench.mixed()
    report = prune(bench.home, PruneOptions(), now=bench.now)
    assert went(report) == [old]
    (job,) = report.jobs
    assert (job.name, job.state, job.items) == ("good", "succeeded", 2)
    assert job.file_bytes >= 10_000
    assert report.file_bytes == job.file_bytes
    assert report.rows >= 4
    assert leftovers(bench, old) == {}
    assert bench.database.scalar("SELECT count(*) FROM delivery_attempts") == 0
    assert verify(bench.home, young).ok
    assert bench.submit(rows=1) == young + 1, "numbers are never given twice"


def test_nothing_goes_before_its_time(bench: WorkedOff) -> None:
    job = good(bench)
    assert went(run(bench, days=32)) == []
    assert went(run(bench, days=30)) == [job]


def test_live_jobs_stay_however_old(bench: WorkedOff) -> None:
    mixed = bench.mixed()
    held = bench.submit(rows=2, hold=True)
    retry(bench.home, mixed, Selection(), now=bench.now)
    report = run(bench, days=0, include_failed=True)
    assert (went(report), kept(report)) == ([], {})
    assert bench.states(held) == "qq"


def test_failures_that_were_not_retried_stay_unless_asked_for(bench: WorkedOff) -> None:
    job = bench.mixed()
    report = run(bench)
    assert went(report) == []
    assert "its failed items were not retried" in kept(report)[job]
    assert leftovers(bench, job)
    assert went(run(bench, include_failed=True)) == [job]
    assert leftovers(bench, job) == {}


def test_failures_that_were_retried_are_removed(bench: WorkedOff) -> None:
    job = bench.mixed()
    retry(bench.home, job, Selection(), now=bench.now)
    bench.work_off()
    assert kept(run(bench, keep_failed=True)) == {job: "it is failed (--keep-failed)"}
    assert went(run(bench)) == [job]


def test_failures_that_were_submitted_again_as_a_file_go(bench: WorkedOff) -> None:
    job = bench.mixed()
    failed = (bench.home.job_results(job) / "failed.csv").read_text()
    again = bench.finish("failed.csv", failed.replace(",bad", ",good"), ("do", "{name}"))
    report = run(bench)
    assert went(report) == [job, again]


def test_a_job_that_was_cancelled_before_anything_failed_is_removed(bench: WorkedOff) -> None:
    job = bench.finish("good.txt", "a\nb\n")
    with bench.database.transaction():
        bench.database.execute(
            "UPDATE jobs SET state = 'cancelled', succeeded = 1, unprocessed = 1 WHERE id = ?", (job,)
        )
    assert went(run(bench)) == [job]


def test_keep_failed_keeps_whatever_did_not_succeed(bench: WorkedOff) -> None:
    succeeded, failed = good(bench), bench.mixed()
    report = run(bench, keep_failed=True, include_failed=True)
    assert went(report) == [succeeded]
    assert kept(report) == {failed: "it is failed (--keep-failed)"}


def test_a_job_that_another_waits_for_stays(bench: WorkedOff) -> None:
    first = good(bench)
    bench.submit(rows=1, hold=True, after=((first, "ok"),))
    assert kept(run(bench)) == {first: "a job that comes after it is not done"}


def test_a_job_with_an_undelivered_notification_stays(bench: WorkedOff) -> None:
    job = good(bench)
    with bench.database.transaction():
        outbox.add_targets(bench.database, job, [NewTarget("command", "true")])
        enqueue_end(bench.database, job, bench.now)
    assert kept(run(bench)) == {job: "a notification about its end is not delivered yet"}


def test_a_dry_run_changes_nothing_and_says_the_same(bench: WorkedOff) -> None:
    job, failed = good(bench), bench.mixed()
    before = bench.database.execute("SELECT * FROM jobs").fetchall(), sorted(bench.home.results.rglob("*"))
    dry = run(bench, dry_run=True)
    assert (went(dry), list(kept(dry))) == ([job], [failed])
    assert (dry.rows, dry.file_bytes, dry.database_bytes) == (0, 0, 0)
    assert (bench.database.execute("SELECT * FROM jobs").fetchall(), sorted(bench.home.results.rglob("*"))) == before
    wet = run(bench)
    assert (wet.jobs, wet.kept) == (dry.jobs, dry.kept)
    document = json.loads(json.dumps(wet.document()))
    assert (document["schema"], document["dry_run"], document["jobs"][0]["job"]) == ("jobctl.prune/1", False, job)


def afterwards(monkeypatch: pytest.MonkeyPatch, happens: Callable[[], object]) -> None:
    """Let something happen between the choice of jobs and their end."""
    original = pruning_service.choose

    def choose(*arguments: object) -> None:
        original(*arguments)  # type: ignore[arg-type]
        happens()

    monkeypatch.setattr(pruning_service, "choose", choose)


def test_a_job_that_goes_back_to_work_in_between_stays(bench: WorkedOff, monkeypatch: pytest.MonkeyPatch) -> None:
    job = bench.mixed()
    afterwards(monkeypatch, lambda: retry(bench.home, job, Selection(), now=bench.now))
    assert went(run(bench, include_failed=True)) == []
    assert bench.job(job).round == 2
    assert verify(bench.home, job).ok


def test_a_job_that_another_comes_to_wait_for_in_between_stays(
    bench: WorkedOff, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = good(bench)
    afterwards(monkeypatch, lambda: bench.submit(rows=1, hold=True, after=((job, "ok"),)))
    assert went(run(bench)) == []
    assert verify(bench.home, job).ok


# ---- how ----


def test_space_is_given_back(bench: WorkedOff) -> None:
    job = bench.submit(rows=50_000, hold=True)
    with bench.database.transaction():
        bench.database.execute("UPDATE items SET state = 3")
        bench.database.execute(
            "UPDATE jobs SET state = 'succeeded', queued = 0, succeeded = total, finished_at = ?", (bench.now,)
        )
    bench.database.checkpoint()
    before = bench.home.database.stat().st_size
    report = run(bench)
    after = bench.home.database.stat().st_size
    assert went(report) == [job]
    assert before > 1_000_000
    assert after < 300_000
    assert report.database_bytes == pytest.approx(before - after, rel=0.1)
    assert report.rows >= 50_000


def test_small_jobs_go_many_at_a_time(bench: WorkedOff, monkeypatch: pytest.MonkeyPatch) -> None:
    numbers = [bench.finish("one.txt", "a\n") for _ in range(30)]
    pauses = []
    monkeypatch.setattr("jobctl.services.control.prune._Pruner._pause", lambda _self: pauses.append(1))
    assert went(run(bench)) == numbers
    assert bench.database.scalar("SELECT count(*) FROM items") == 0
    assert len(pauses) <= 3


class Crash(BaseException):
    """The process ends here."""


def after(first: Callable[[object], None], step: Callable[..., object]) -> Callable[..., object]:
    """A step that begins with another."""

    def both(*arguments: object, **options: object) -> object:
        first(arguments[0])
        return step(*arguments, **options)

    return both


def test_a_crash_at_any_point_is_finished_by_the_next_run(bench: WorkedOff, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pruning, "ROWS_AT_ONCE", 2)
    monkeypatch.setattr(pruning, "SMALL_JOB", 3)
    crashes = 0
    while True:
        large, small, neighbour = bench.finish("large.txt", "a\nb\nc\nd\ne\n"), good(bench), bench.mixed()
        left = crashes

        def pause(_self: object) -> None:
            nonlocal left
            left -= 1
            if left < 0:
                raise Crash

        with monkeypatch.context() as patch:
            patch.setattr("jobctl.services.control.prune._Pruner._pause", pause)
            for stage in ("_rebuild", "_replace_copies", "_finish_without_engine"):
                patch.setattr(Eraser, stage, after(pause, getattr(Eraser, stage)))
            try:
                run(bench)
            except Crash:
                pass
            else:
                break
        crashes += 1
        gone = [job for job in (large, small) if "jobs" not in leftovers(bench, job)]
        for job in gone:
            with pytest.raises(Exception, match="there is no job"):
                verify(bench.home, job)
        second = run(bench)
        assert set(second.finished) <= set(gone)
        for job in (large, small):
            assert leftovers(bench, job) == {}
        assert verify(bench.home, neighbour).ok
    assert crashes >= 8


def test_files_that_cannot_be_removed_are_named_and_removed_by_the_next_run(
    bench: WorkedOff, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = good(bench)

    def refuse(path: object) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    with monkeypatch.context() as patch:
        patch.setattr("shutil.rmtree", refuse)
        with pytest.raises(HomeError, match="Permission denied"):
            run(bench)
    assert "jobs" not in leftovers(bench, job)
    report = run(bench)
    assert (report.finished, went(report)) == ([job], [])
    assert leftovers(bench, job) == {}


def test_a_link_is_removed_and_its_target_stays(bench: WorkedOff, tmp_path: Path) -> None:
    job = good(bench)
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "file").write_text("mine")
    (bench.home.job_results(job) / "link").symlink_to(precious)
    bench.home.job_logs(job).parent.mkdir(exist_ok=True)
    if bench.home.job_logs(job).exists():
        bench.home.job_logs(job).rmdir()
    bench.home.job_logs(job).symlink_to(precious)
    run(bench)
    assert leftovers(bench, job) == {}
    assert not bench.home.job_logs(job).is_symlink()
    assert (precious / "file").read_text() == "mine"


def test_folders_of_jobs_that_never_came_to_be_go_and_those_to_come_stay(bench: WorkedOff) -> None:
    job = good(bench)
    stray, coming = bench.home.logs / str(job), bench.home.results / str(job + 1)
    run(bench)
    for folder in (stray, coming, bench.home.results / "notes"):
        folder.mkdir(parents=True)
        os.utime(folder, (bench.now / 1e6, bench.now / 1e6))
    run(bench)
    assert not stray.exists()
    assert coming.exists()
    assert (bench.home.results / "notes").exists()


def test_results_of_a_database_that_is_gone_stay_as_long_as_those_of_jobs(bench: WorkedOff) -> None:
    """A new database continues after their numbers, and the first prune removed what was all that was left of them."""
    job, named = good(bench), good(bench)
    run(bench, jobs=(job,))
    folder = bench.home.results / str(job)
    folder.mkdir()
    changed = bench.now / 1e6 + 15 * 86_400
    os.utime(folder, (changed, changed))
    run(bench, days=0, jobs=(named,))
    run(bench)
    assert folder.exists()
    run(bench, days=0)
    assert not folder.exists()


HOLD = (
    "import sys; from jobctl.process import lock; lock.take(sys.argv[1]); print('held', flush=True); sys.stdin.read()"
)


def test_while_an_engine_lives_the_wal_is_its_business(bench: WorkedOff, monkeypatch: pytest.MonkeyPatch) -> None:
    good(bench)
    bench.database.checkpoint()
    wal = Path(f"{bench.home.database}-wal")
    words = [sys.executable, "-c", HOLD, str(bench.home.lock)]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as engine:
        assert engine.stdout is not None
        assert engine.stdout.readline() == "held\n"
        bench.wake.drain()
        monkeypatch.setattr(erasure, "PATIENCE_S", 0.2)
        with pytest.raises(Busy, match="the daemon has not emptied its log"):
            run(bench)
        assert wal.stat().st_size > 0
        assert requests.checkpoints(bench.database) == [], "no command waits for that any more"
        assert os.read(bench.wake.fileno(), 1) == b"w", "it was told that there is something to do"
        engine.communicate("")
    run(bench)
    assert wal.stat().st_size == 0


def test_an_empty_store(bench: WorkedOff) -> None:
    report = run(bench)
    assert (report.jobs, report.kept, report.rows) == ([], [], 0)
