"""After ``prune``, no file of the home has data of a removed job, at any moment and with any other process running."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from jobctl.errors import Busy, UsageError
from jobctl.services.control import erasure
from jobctl.services.control.erasure import Eraser
from jobctl.services.control.prune import prune
from jobctl.services.control.prune_choice import Pruned, PruneOptions
from jobctl.services.output.verify import verify
from jobctl.store import outbox, pruning, sqlite
from jobctl.store.opening import backup
from jobctl.store.opening.open import open_database
from jobctl.store.outbox import NewTarget
from jobctl.supervisor.kept_outcomes import KeptOutcomes
from tests.factories import enqueue_end
from tests.services.finished_job import WorkedOff

MARK = b"SECRETmark"


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[WorkedOff]:
    bench = WorkedOff(tmp_path)
    yield bench
    bench.database.close()


def found(home: Path, word: bytes = MARK) -> dict[str, int]:
    """Count the occurrences of a word in each file of a home."""
    counts = {}
    for folder, _, names in os.walk(home):
        for name in names:
            path = Path(folder) / name
            if path.is_file():
                counts[str(path.relative_to(home))] = path.read_bytes().count(word)
    return {name: count for name, count in counts.items() if count}


def marked(bench: WorkedOff, rows: int = 40, word: str = MARK.decode()) -> int:
    """A job that carries a word wherever a job can carry one."""
    text = "".join(f"{word}-{number:05d}@example.org {'x' * (number * 37 % 300)}\n" for number in range(rows))
    job = bench.finish(f"{word}.txt", text, ("do", f"{word}-argument", "{}"))
    with bench.database.transaction():
        execute = bench.database.execute
        outbox.add_targets(bench.database, job, [NewTarget("command", f"tell {word}-target")])
        enqueue_end(bench.database, job, bench.now)
        execute("UPDATE deliveries SET state = 'dead', next_at = NULL, result = ? WHERE job = ?", (word, job))
        execute(
            "INSERT INTO delivery_attempts (delivery, attempt, started_at, error, response)"
            " SELECT id, 1, 1, ?, ? FROM deliveries WHERE job = ?",
            (word, word, job),
        )
        execute(
            "UPDATE jobs SET labels = ?, env = ?, reason = ?, key = ?, env_file = ?, item_key = ? WHERE id = ?",
            *[(f'{{"a": "{word}-label"}}', f'{{"A": "{word}-env"}}', word, f"{word}{job}", word, word, job)],
        )
        execute("UPDATE attempts SET message = ?, value = ? WHERE job = ?", (f"{word} message", f'"{word}"', job))
        execute(
            "INSERT INTO failures (job, code, message, outcome, retryable, items, attempts, first_at, last_at, samples)"
            " VALUES (?, 'x', ?, 'known', 0, 0, 1, 1, 1, ?)",
            (job, f"{word} cause", f'["{word}"]'),
        )
        execute("INSERT INTO figures (job, durations, course) VALUES (?, ?, ?) ON CONFLICT DO NOTHING", (job, word, ""))
        execute(
            "INSERT INTO journal (at, job, actor, event, reason) VALUES (1, ?, ?, 'paused', ?)", (job, word, word * 9)
        )
    for folder in (bench.home.job_logs(job), bench.home.job_results(job)):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"1.{word}").write_text(f"{word} output")
    return job


def run(bench: WorkedOff, *jobs: int, **options: object) -> Pruned:
    """Remove these jobs."""
    return prune(bench.home, PruneOptions(jobs=jobs, **options), now=bench.now)  # type: ignore[arg-type]


def test_nothing_of_a_job_that_is_named_can_be_read_and_its_neighbours_are_whole(bench: WorkedOff) -> None:
    first, job, last = marked(bench, word="KEPTfirst"), marked(bench), marked(bench, word="KEPTlast")
    assert {"jobctl.db-wal", f"logs/{job}/1.SECRETmark"} <= set(found(bench.home.root))
    bench.database.checkpoint()
    assert "jobctl.db" in found(bench.home.root)
    report = run(bench, job)
    assert [(went.job, went.items) for went in report.jobs] == [(job, 40)]
    assert found(bench.home.root) == {}
    assert not list(bench.home.root.rglob("*SECRETmark*"))
    for kept in (first, last):
        assert verify(bench.home, kept).ok
    assert found(bench.home.root, b"KEPTfirst")


def test_nor_of_one_that_goes_for_its_age(bench: WorkedOff) -> None:
    marked(bench)
    bench.now += 40 * 86_400_000_000
    kept = marked(bench, word="KEPT")
    assert [went.name for went in prune(bench.home, PruneOptions(), now=bench.now).jobs] == ["SECRETmark"]
    assert found(bench.home.root) == {}
    assert verify(bench.home, kept).ok


@pytest.mark.slow
def test_traces_between_the_rows_of_others_go_as_well(bench: WorkedOff) -> None:
    """Rows that grow move between pages, where they leave copies; an older jobctl overwrote nothing."""
    jobs = [marked(bench, 200, word) for word in ("KEPTa", MARK.decode(), "KEPTb")]
    old = open_database(bench.home)
    old.execute("PRAGMA secure_delete=OFF").fetchall()
    with old.transaction():
        for item in range(1, 200, 3):
            for job in jobs:
                old.execute(
                    "UPDATE items SET payload = payload || zeroblob(120) WHERE job = ? AND item = ?", (job, item)
                )
    with old.transaction():
        old.execute("UPDATE items SET payload = substr(payload, 1, length(payload) - 120) WHERE item % 3 = 1")
    old.close()
    run(bench, jobs[1])
    assert found(bench.home.root) == {}


def test_the_next_prune_erases_remains_of_an_older_jobctl_even_without_a_job_to_remove(bench: WorkedOff) -> None:
    job = marked(bench, 150)
    old = open_database(bench.home)
    old.execute("PRAGMA secure_delete=OFF").fetchall()
    with old.transaction():
        pruning.remove_job(old, pruning.named(old, [job])[0], bench.now)
        old.execute("DELETE FROM prunings")
    for folder in (bench.home.job_logs(job), bench.home.job_results(job)):
        shutil.rmtree(folder)
    old.close()
    bench.database.checkpoint()
    assert "jobctl.db" in found(bench.home.root)
    assert prune(bench.home, PruneOptions(), now=bench.now).jobs == []
    assert found(bench.home.root) == {}


def test_copies_of_the_database_are_replaced(bench: WorkedOff) -> None:
    job = marked(bench)
    backup.make(bench.database, bench.now - 7_200_000_000)
    backup.make(bench.database, bench.now - 3_600_000_000, word="-schema1")
    unfinished = backup.folder(bench.home.root) / ".jobctl-20260101T000000Z.db.tmp"
    unfinished.write_bytes(MARK)
    run(bench, job)
    assert found(bench.home.root) == {}
    (copy,) = backup.existing(bench.home.root)
    assert copy.stat().st_size > 0
    assert not unfinished.exists()


def test_without_copies_none_is_made(bench: WorkedOff) -> None:
    run(bench, marked(bench))
    assert not backup.folder(bench.home.root).exists()


def test_a_large_database_is_rebuilt_through_a_file_and_has_no_new_copy(
    bench: WorkedOff, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(erasure, "REBUILD_IN_MEMORY", 0)
    monkeypatch.setattr(backup, "HOURLY_UP_TO", 0)
    job = marked(bench)
    backup.make(bench.database, bench.now)
    run(bench, job)
    assert found(bench.home.root) == {}
    assert backup.existing(bench.home.root) == []
    assert bench.database.scalar("PRAGMA integrity_check") == "ok"


def test_outcomes_that_a_supervisor_kept_are_wiped(bench: WorkedOff) -> None:
    job = marked(bench)
    path = bench.home.root / "outcomes"
    outcome = (job, 1, 1, *[0] * 13, b"", MARK)
    waiting = (job + 1, 1, 1, *[0] * 13, b"", b"WAITING")
    kept = KeptOutcomes(str(path))
    kept.put(outcome)
    kept.put(waiting)
    assert found(bench.home.root)["outcomes"] == 1
    kept.acknowledge([outcome[:3]])
    assert "outcomes" not in found(bench.home.root)
    path.write_bytes(path.read_bytes()[: -len(MARK)] + MARK)  # as an older jobctl, which only counted on
    run(bench, job)
    assert found(bench.home.root) == {}
    assert [found[:3] for found in KeptOutcomes(str(path)).load()] == [waiting[:3]]


def full(*_: object, **__: object) -> None:
    raise sqlite.OperationalError("database or disk is full")


@pytest.mark.parametrize(
    ("place", "refuses"),
    [("jobctl.process.space.has_free", lambda *_: False), ("jobctl.store.pruning.rebuild", full)],
    ids=["known before", "found out"],
)
def test_too_little_room_to_rewrite_it_is_reported_and_the_next_run_does_it(
    bench: WorkedOff, monkeypatch: pytest.MonkeyPatch, place: str, refuses: object
) -> None:
    job = marked(bench)
    with monkeypatch.context() as patch:
        patch.setattr(place, refuses)
        with pytest.raises(Busy, match="too little room on the disk to rewrite it") as refused:
            run(bench, job)
    assert f"jobctl prune {job}" in str(refused.value.hint)
    assert prune(bench.home, PruneOptions(), now=bench.now).finished == [job]
    assert found(bench.home.root) == {}


def test_the_rest_of_a_restoring_that_was_killed_goes(bench: WorkedOff) -> None:
    job = marked(bench)
    (bench.home.root / ".jobctl.db.restored.tmp").write_bytes(MARK)
    run(bench, job)
    assert found(bench.home.root) == {}


def test_every_table_with_rows_of_jobs_is_emptied(bench: WorkedOff) -> None:
    tables = [row[0] for row in bench.database.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
    of_jobs = {
        table
        for table in tables
        if any(column[1] == "job" for column in bench.database.execute(f"PRAGMA table_info({table})"))
    }
    emptied = {*pruning._FEW_ROWS, *(table for table, _ in pruning._MANY_ROWS)}
    assert of_jobs - emptied == {"done", "prunings"}, "hashes, and what is still to be removed"


def test_only_the_log_lines_about_pruned_jobs_are_overwritten(bench: WorkedOff) -> None:
    job, log = marked(bench), bench.home.daemon_log
    kept = f"2026-11-29T00:00:00Z supervisor: item {job}1.1 cannot be ended\n2026-11-29T00:00:00Z engine: up\n"
    gone = f"2026-11-29T00:00:00Z supervisor: with a worker of job {job} ended: {MARK.decode()}\n"
    log.write_text(kept + gone + kept)
    log.with_name("daemon.log.1").write_text(gone.replace(f"job {job}", f"item {job}.7"))
    size = log.stat().st_size
    run(bench, job)
    assert found(bench.home.root) == {}
    assert log.stat().st_size == size
    assert log.read_text().count(kept) == 2


def test_files_saved_from_removed_databases_stay_and_are_named(bench: WorkedOff) -> None:
    job = marked(bench, word="gone")
    saved = backup.make(bench.database, bench.now, word=backup.RESCUED)
    report = run(bench, job)
    assert report.set_aside == [f"backups/{saved.name}"]
    assert saved.exists()


class Crash(BaseException):
    """The process ends here."""


STAGES = ("_rebuild", "_replace_copies", "_finish_without_engine")


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("before", [True, False])
def test_a_crash_in_the_middle_is_finished_by_the_next_run(
    bench: WorkedOff, monkeypatch: pytest.MonkeyPatch, stage: str, before: bool
) -> None:
    job = marked(bench)
    backup.make(bench.database, bench.now)
    original = getattr(Eraser, stage)

    def crash(*arguments: object, **options: object) -> None:
        if not before:
            original(*arguments, **options)
        raise Crash

    with monkeypatch.context() as patch:
        patch.setattr(Eraser, stage, crash)
        with pytest.raises(Crash):
            run(bench, job)
    report = prune(bench.home, PruneOptions(), now=bench.now)
    assert report.finished == [job]
    assert found(bench.home.root) == {}
    assert prune(bench.home, PruneOptions(), now=bench.now).finished == []


def test_a_reader_that_stays_is_named_and_the_next_run_finishes(
    bench: WorkedOff, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jobctl.store.opening.open.BUSY_TIMEOUT_MS", 50)
    job = marked(bench)
    bench.database.execute("BEGIN")
    bench.database.execute("SELECT count(*) FROM jobs").fetchone()
    with pytest.raises(Busy, match="a reader keeps the log from being emptied"):
        run(bench, job)
    bench.database.execute("COMMIT")
    assert prune(bench.home, PruneOptions(), now=bench.now).finished == [job]
    assert found(bench.home.root) == {}


# ---- jobs by name ----


def test_a_named_job_goes_however_young_and_though_its_failures_were_not_retried(bench: WorkedOff) -> None:
    job = bench.mixed()
    assert [went.job for went in run(bench, job).jobs] == [job]


def test_live_ones_are_refused_all_at_once_and_nothing_is_changed(bench: WorkedOff) -> None:
    done, live = marked(bench), bench.submit(rows=2, hold=True)
    with pytest.raises(UsageError, match=f"job {live} is not done") as refused:
        run(bench, done, live)
    assert f"jobctl cancel {live}" in str(refused.value.hint)
    assert verify(bench.home, done).ok


def test_one_that_another_waits_for_is_refused(bench: WorkedOff) -> None:
    job = marked(bench)
    bench.submit(rows=1, hold=True, after=((job, "ok"),))
    with pytest.raises(UsageError, match="a job that comes after it is not done"):
        run(bench, job)


def test_one_whose_notification_is_not_delivered_is_removed_only_on_request(bench: WorkedOff) -> None:
    job = marked(bench)
    with bench.database.transaction():
        bench.database.execute("UPDATE deliveries SET state = 'pending'")
    with pytest.raises(UsageError, match="is not delivered yet") as refused:
        run(bench, job)
    assert "--undelivered" in str(refused.value.hint)
    run(bench, job, undelivered=True)
    assert found(bench.home.root) == {}


def test_keep_failed_lets_those_stay_that_did_not_succeed(bench: WorkedOff) -> None:
    good, bad = marked(bench), bench.mixed()
    report = run(bench, good, bad, keep_failed=True)
    assert ([went.job for went in report.jobs], [kept.job for kept in report.kept]) == ([good], [bad])


def test_a_dry_run_changes_nothing(bench: WorkedOff) -> None:
    job = marked(bench)
    assert [went.job for went in run(bench, job, dry_run=True).jobs] == [job]
    assert verify(bench.home, job).ok
