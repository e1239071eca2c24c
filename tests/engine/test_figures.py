"""Durations and the course of a round, kept by the engine in the transaction that settles."""

from jobctl.domain.policy import Backoff, Policy
from jobctl.domain.selection import Selection
from jobctl.services.control.retry import retry
from jobctl.store import figures
from tests.engine.bench import SECOND, Bench
from tests.executors.fake import Play


def kept(bench, job):
    row = bench.job(job)
    return figures.durations(bench.database, job), figures.course(bench.database, job, row.round)


def test_every_attempt_and_every_outcome_is_counted_once(tmp_path):
    def script(dispatch):
        return Play(code=65 if dispatch.item % 5 == 0 else 0)

    bench = Bench(tmp_path, script, slots=3)
    job = bench.submit(rows=40)
    bench.work_off()
    durations, course = kept(bench, job)
    assert durations.count == bench.job(job).attempts == 40
    assert (sum(course.succeeded), sum(course.failed)) == (32, 8)
    slowest = bench.database.scalar("SELECT max(duration_us) FROM attempts WHERE job = ?", (job,))
    assert durations.max_us == slowest
    assert durations.total_us == bench.database.scalar("SELECT sum(duration_us) FROM attempts WHERE job = ?", (job,))


def test_the_slowest_attempts_are_known_by_name(tmp_path):
    def script(dispatch):
        return Play(duration_us=(dispatch.item * 37 % 41) * 10_000)

    bench = Bench(tmp_path, script, slots=3)
    job = bench.submit(rows=40)
    bench.work_off()
    durations, _ = kept(bench, job)
    longest = bench.database.execute(
        "SELECT duration_us, item, attempt FROM attempts WHERE job = ? ORDER BY duration_us DESC LIMIT 5", (job,)
    ).fetchall()
    assert durations.slowest == longest


def test_a_new_engine_continues_where_the_last_one_was(tmp_path):
    bench = Bench(tmp_path, slots=2)
    job = bench.submit(rows=30)
    bench.tick(4)
    before, _ = kept(bench, job)
    assert 0 < before.count < 30
    bench.start(fresh=False)
    bench.work_off()
    durations, course = kept(bench, job)
    assert durations.count == bench.job(job).attempts
    assert sum(course.succeeded) == 30


def test_attempts_that_are_repeated_count_as_attempts_but_come_through_once(tmp_path):
    def script(dispatch):
        return Play(code=1 if dispatch.attempt == 1 else 0)

    bench = Bench(tmp_path, script)
    job = bench.submit(rows=4, policy=Policy(attempts=2, backoff=Backoff(base_s=0.1, cap_s=0.1)))
    bench.work_off()
    durations, course = kept(bench, job)
    assert (durations.count, sum(course.succeeded), sum(course.failed)) == (8, 4, 0)


def test_a_round_has_a_course_of_its_own_and_durations_are_of_all_rounds(tmp_path):
    rounds = {"now": 1}

    def script(_):
        return Play(code=65 if rounds["now"] == 1 else 0)

    bench = Bench(tmp_path, script)
    job = bench.submit(rows=6)
    bench.work_off()
    first = kept(bench, job)[1]
    rounds["now"] = 2
    retry(bench.home, job, Selection(), now=bench.now + 3600 * SECOND)
    bench.now += 3601 * SECOND
    bench.work_off()
    durations, second = kept(bench, job)
    assert (sum(first.failed), sum(second.succeeded), sum(second.failed)) == (6, 6, 0)
    assert second.from_at > first.from_at + 3600 * SECOND
    assert durations.count == 12
