"""The store and its jobs under asyncio."""

from __future__ import annotations

import asyncio
import inspect
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

import jobctl
from jobctl.library.documents import PreviewDocument
from jobctl.store.opening.open import open_database
from tests.factories import SECOND, SUBMITTED_AT
from tests.wait import wait_until

PAIRS = [(jobctl.Store, jobctl.AsyncStore), (jobctl.Job, jobctl.AsyncJob)]
#: Methods that only one of the classes has, with the reason.
DIFFERENT = {
    "close": "AsyncStore has threads, a Store has nothing to close",
    "log_ignored": "is for the library itself",
}


@pytest.mark.parametrize(("plain", "asynchronous"), PAIRS)
def test_the_methods_and_their_parameters_are_the_same(plain: Any, asynchronous: Any) -> None:
    ours, theirs = _methods(plain), _methods(asynchronous)
    assert set(ours) ^ set(theirs) <= set(DIFFERENT)
    for name in set(ours) & set(theirs):
        assert _parameters(ours[name]) == _parameters(theirs[name]), name
        assert theirs[name].__doc__, name


def _methods(kind: Any) -> dict[str, Any]:
    found = inspect.getmembers(kind, inspect.isfunction)
    return {name: method for name, method in found if not name.startswith("_")}


def _parameters(method: Any) -> list[tuple[Any, ...]]:
    found = inspect.signature(method).parameters.values()
    return [(each.name, each.kind, each.default, str(each.annotation).replace("Async", "")) for each in found]


def test_every_method_is_a_coroutine_or_an_asynchronous_iterator() -> None:
    for _, asynchronous in PAIRS:
        for name, method in _methods(asynchronous).items():
            returned = str(method.__annotations__["return"])
            is_iterator = returned.startswith(("AsyncIterator", "Events"))
            assert is_iterator or inspect.iscoroutinefunction(method) or name in ("close", "logs"), name


@pytest.fixture
def partial(store: Any) -> int:
    number: int = store.job(
        "ssf", state="partial", started_at=SUBMITTED_AT, finished_at=SUBMITTED_AT + SECOND, attempts=3
    )
    for item in (1, 2, 3):
        failed = {"code": 22, "message": "no"} if item == 3 else {}
        store.attempt(number, item, started_at=SUBMITTED_AT, duration_us=SECOND, **failed)
    return number


def test_a_job_is_read_as_a_synchronous_one(home: Any, partial: int) -> None:
    async def main() -> None:
        async with jobctl.AsyncStore(home.root) as store:
            job = await store.job(partial)
            assert isinstance(job, jobctl.AsyncJob)
            assert job == (await store.jobs())[0]
            assert job.store is store
            assert (await job.status()).counts.failed == 1
            assert [item.item async for item in job.items()] == [1, 2, 3]
            assert [item.item async for item in job.items(state="failed")] == [3]
            assert (await job.wait(timeout=60)).state == "partial"
            assert (await job.logs(3)).item == 3
            assert [output.item async for output in job.logs()] == [1, 2, 3]
            with pytest.raises(jobctl.NotFound):
                await job.item(4)

    asyncio.run(main())


def test_a_submission_is_a_job_and_a_dry_run_is_none(tmp_path: Path) -> None:
    async def rows() -> None:
        async with jobctl.AsyncStore(tmp_path / "state") as store:
            found = await store.submit(rows=[{"id": 1}], command=["true", "{id}"], dry_run=True)
            assert isinstance(found, PreviewDocument)
            job = await store.submit(rows=[{"id": 1}], command=["true", "{id}"], key="k")
            again = await store.submit(rows=[{"id": 1}], command=["true", "{id}"], key="k")
            assert again.replayed
            assert again == job
            with pytest.raises(jobctl.UsageError, match="slotz"):
                await store.submit(rows=[], command=["true"], slotz=1)  # type: ignore[call-overload]

    asyncio.run(rows())


def test_a_wait_takes_no_thread_and_ends_with_the_job(home: Any, store: Any) -> None:
    number = store.job("s", state="running")

    def finish() -> None:
        with closing(open_database(home)) as database, database.transaction():
            database.execute(
                "UPDATE jobs SET state = 'succeeded', finished_at = ? WHERE id = ?", (SUBMITTED_AT, number)
            )

    async def main() -> None:
        async with jobctl.AsyncStore(home.root, threads=1) as opened:
            job = await opened.job(number)
            waits = [asyncio.create_task(job.wait()) for _ in range(50)]
            with pytest.raises(jobctl.WaitTimeout, match="not done after 0") as caught:
                await job.wait(timeout=0)
            assert caught.value.exit_code == 124
            waits[0].cancel()
            await asyncio.gather(waits[0], return_exceptions=True)
            assert waits[0].cancelled()
            await asyncio.to_thread(finish)
            assert {status.state for status in await asyncio.gather(*waits[1:])} == {"succeeded"}

    asyncio.run(asyncio.wait_for(main(), 60))


def test_a_job_runs_here_and_tells_its_progress_in_the_event_loop(
    tmp_path: Path, own_threads: Callable[[], list[str]]
) -> None:
    seen: list[tuple[str, bool]] = []
    here = threading.current_thread()

    async def main() -> None:
        async with jobctl.AsyncStore(tmp_path / "state") as store:
            job = await store.run(
                rows=[{"id": 1}, {"id": 2}],
                command=["test", "{id}", "=", "1"],
                attempts=1,
                progress=lambda status: seen.append((status.state, threading.current_thread() is here)),
            )
            status = await job.watch(progress=None)
            assert (status.state, status.counts.failed) == ("partial", 1)
            assert [row["id"] async for row in await job.results("failed")] == [2]

    asyncio.run(main())
    assert seen[-1] == ("partial", True)
    wait_until(lambda: not own_threads(), 60, "the threads to end")


def test_a_run_that_is_cancelled_lets_the_running_item_finish_and_keeps_the_job(tmp_path: Path) -> None:
    begun, may_end = tmp_path / "begun", tmp_path / "may-end"
    # The others are slow enough that the job cannot end before the engine has heard of the cancellation.
    script = f"test {{id}} != 1 || touch {begun}; until test -e {may_end}; do sleep 0.05; done; sleep 0.2"

    async def main() -> None:
        async with jobctl.AsyncStore(tmp_path / "state") as store:
            work = store.run(rows=[{"id": number} for number in range(1, 401)], shell=script, slots=1)
            task = asyncio.create_task(work)
            while not begun.exists() and not task.done():
                await asyncio.sleep(0.01)
            task.cancel()
            await asyncio.sleep(0)
            assert not task.done()
            may_end.touch()
            await asyncio.gather(task, return_exceptions=True)
            assert task.cancelled()
            counts = (await (await store.job("last")).status()).counts
            assert counts.succeeded
            assert counts.queued
            assert counts.succeeded + counts.queued == counts.total

    asyncio.run(asyncio.wait_for(main(), 100))


def test_output_is_followed_until_the_reader_leaves(
    home: Any, store: Any, own_threads: Callable[[], list[str]]
) -> None:
    number = store.job("r", state="running", started_at=SUBMITTED_AT)
    store.attempt(number, 1, started_at=SUBMITTED_AT)

    async def follow() -> None:
        async with jobctl.AsyncStore(home.root) as opened:
            async for _ in (await opened.job(number)).follow_logs(1):
                pass

    async def main() -> None:
        task = asyncio.create_task(follow())
        while not any(name.startswith("jobctl-stream") for name in own_threads()):
            await asyncio.sleep(0.01)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert task.cancelled()

    asyncio.run(asyncio.wait_for(main(), 60))
    wait_until(lambda: not own_threads(), 60, "the threads to end")
