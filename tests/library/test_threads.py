"""A store in threads, in forked children and in child processes."""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any

import pytest

import jobctl
from jobctl.services.submit import feed
from jobctl.store.opening.open import open_database

THREADS = 8


def test_threads_submit_at_once(library: jobctl.Store) -> None:
    barrier = threading.Barrier(THREADS)

    def submit(number: int) -> jobctl.Job:
        barrier.wait()
        rows = ({"id": row, "from": number} for row in range(200))
        return library.submit(rows=rows, command=["true", "{id}"], name=f"n{number}")

    with ThreadPoolExecutor(THREADS) as pool:
        jobs = list(pool.map(submit, range(THREADS)))
    assert len({job.id for job in jobs}) == THREADS
    for number, job in enumerate(jobs):
        assert [item.row for item in job.items()] == [{"id": row, "from": number} for row in range(200)]
    assert library.status(all=True).jobs_total == THREADS


def test_threads_submit_large_inputs_while_another_prunes(
    library: jobctl.Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each is written in parts, whose rows a prune must leave alone; the end of one must not release the others."""
    monkeypatch.setattr(feed, "HEAD_BYTES", 2_000)
    monkeypatch.setattr(feed, "PART_BYTES", 2_000)
    library.submit(rows=["x"], command=["true"]).cancel()
    stop = threading.Event()
    pruned: list[int] = []

    def prune() -> None:
        while not stop.is_set():
            pruned.append(library.prune(dry_run=False, older_than="1d").rows)

    def submit(number: int) -> int:
        rows = ({"id": row} for row in range(400 * (number + 1)))
        return sum(1 for _ in library.submit(rows=rows, command=["true", "{id}"]).items())

    with ThreadPoolExecutor(THREADS) as pool:
        pruning = pool.submit(prune)
        counts = list(pool.map(submit, range(4)))
        stop.set()
        pruning.result(timeout=60)
    assert counts == [400, 800, 1200, 1600]
    assert pruned and not any(pruned)


def test_rows_that_fail_in_the_middle_leave_nothing(library: jobctl.Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed, "HEAD_BYTES", 2_000)
    monkeypatch.setattr(feed, "PART_BYTES", 2_000)

    def rows() -> Iterator[dict[str, int]]:
        yield from ({"id": row} for row in range(50_000))
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        library.submit(rows=rows(), command=["true", "{id}"])
    assert library.jobs(all=True) == []
    with closing(open_database(library.place)) as database:
        assert [database.scalar(f"SELECT count(*) FROM {table}") for table in ("items", "prunings")] == [0, 0]


def test_the_same_key_from_many_threads_is_one_job(library: jobctl.Store) -> None:
    def submit(_: int) -> jobctl.Job:
        return library.submit(rows=[{"id": 1}], command=["true"], key="once")

    with ThreadPoolExecutor(THREADS) as pool:
        jobs = list(pool.map(submit, range(THREADS)))
    assert len({job.id for job in jobs}) == 1
    assert sum(not job.replayed for job in jobs) == 1


def test_a_forked_child_uses_the_store_of_its_parent(library: jobctl.Store) -> None:
    job = library.submit(rows=[{"id": 1}], command=["true"])
    list(job.items())
    child = os.fork()
    if not child:
        code = 1
        try:
            same = job.status().uid == job.uid
            other = library.submit(rows=[{"id": 2}], command=["true"])
            code = 0 if same and other.id == job.id + 1 else 2
        finally:
            os._exit(code)
    assert os.waitpid(child, 0)[1] == 0
    assert [each.id for each in library.jobs()] == [job.id + 1, job.id]


def test_events_of_a_parent_are_refused_in_a_forked_child(library: jobctl.Store) -> None:
    """The child would take the notices of changes for which the parent waits."""
    job = library.submit(rows=[{"id": 1}], command=["true"])
    job.cancel()
    events = job.events()
    first = next(events)
    child = os.fork()
    if not child:
        code = 1
        try:
            next(events)
        except jobctl.UsageError as error:
            again = job.events(since=events.position)
            code = 0 if str(events.position) in str(error.hint) and next(again).id != first.id else 2
        finally:
            events.close()
            os._exit(code)
    assert os.waitpid(child, 0)[1] == 0
    assert [event.type for event in events][-1] == "job.cancelled"


def _submit(given: tuple[Any, int]) -> int:
    store, number = given
    return int(store.submit(rows=[{"id": number}], command=["true"]).id)


def test_child_processes_use_the_store_of_their_parent(library: jobctl.Store) -> None:
    library.submit(rows=[{"id": 0}], command=["true"])
    with multiprocessing.get_context("fork").Pool(3) as pool:
        numbers = pool.map(_submit, [(library, number) for number in range(6)])
    assert sorted(numbers) == list(range(2, 8))


def test_output_and_rows_may_be_read_in_one_thread_after_the_other(ran: jobctl.Job) -> None:
    for begin in (ran.logs(), ran.follow_logs(), iter(ran.results("failed", items=[2]))):
        with ThreadPoolExecutor(1) as pool:
            assert pool.submit(next, begin).result(timeout=60)
        list(begin)


def test_an_iterator_may_go_from_one_thread_to_another(library: jobctl.Store) -> None:
    items = library.submit(rows=({"id": row} for row in range(1_500)), command=["true"]).items()
    first = next(items)
    with ThreadPoolExecutor(1) as pool:
        rest = pool.submit(list, items).result(timeout=60)
    assert [first.item, *(item.item for item in rest)] == list(range(1, 1_501))
