"""Jobs of tokens: one that submits very much does not starve the others."""

from __future__ import annotations

from pathlib import Path

import pytest

from jobctl.store import jobs
from tests.engine.bench import SECOND, Bench
from tests.executors.fake import Play


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path, lambda _: Play(duration_us=SECOND // 2), slots=4)


def succeeded(bench: Bench, numbers: list[int]) -> int:
    rows = [jobs.load(bench.database, number) for number in numbers]
    return sum(row.counts.succeeded for row in rows if row is not None)


def test_many_jobs_of_one_token_get_as_much_as_one_job_of_another(bench: Bench) -> None:
    bulk = [bench.submit(rows=60, owner="bulk") for _ in range(12)]
    single = [bench.submit(rows=300, owner="single")]
    bench.tick(200)
    first, second = succeeded(bench, bulk), succeeded(bench, single)
    assert first + second > 60
    assert 0.6 < first / second < 1.7, (first, second)


def test_a_person_has_a_share_like_a_token(bench: Bench) -> None:
    bulk = [bench.submit(rows=60, owner="bulk") for _ in range(12)]
    person = [bench.submit(rows=300)]
    bench.tick(200)
    first, second = succeeded(bench, bulk), succeeded(bench, person)
    assert 0.6 < first / second < 1.7, (first, second)


def test_a_newcomer_starts_soon_after_thousands_of_items_of_another(bench: Bench) -> None:
    for _ in range(20):
        bench.submit(rows=100, owner="bulk")
    bench.tick(60)
    late = [bench.submit(rows=4, owner="late")]
    bench.tick(40)
    assert succeeded(bench, late) == 4


def test_every_job_of_every_token_ends(bench: Bench) -> None:
    numbers = [bench.submit(rows=3, owner=owner, priority=n % 2) for n, owner in enumerate("aabbc" * 3)]
    bench.work_off()
    assert succeeded(bench, numbers) == 45


def test_the_jobs_of_an_owner_keep_one_share_when_the_engine_reads_the_store_again(bench: Bench) -> None:
    first = bench.submit(rows=30, owner="bulk")
    bench.tick(10)
    live_jobs = bench.engine._parts.live_jobs
    used_us = live_jobs.get(first).share.used_us
    second = bench.submit(rows=30, owner="bulk")
    bench.engine._writer.rebuild()
    shares = [live_jobs.get(job).share for job in (first, second)]
    assert shares[0] is shares[1]
    assert shares[0].used_us == used_us > 0
