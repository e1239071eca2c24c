"""Calls and waits of a store under asyncio."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from jobctl.errors import NotFound
from jobctl.library.tasks import StoreTasks
from tests.wait import wait_until


@pytest.fixture
def tasks(store: Any, home: Any) -> Iterator[StoreTasks]:
    found = StoreTasks(home, threads=2)
    yield found
    found.close()


def test_a_wait_ends_with_the_commit_that_it_waits_for(tasks: StoreTasks, store: Any) -> None:
    looks: list[int] = []
    began = threading.Event()

    def look() -> int | None:
        looks.append(1)
        began.set()
        return store_count() or None

    def store_count() -> int:
        return counted[0]

    counted = [0]

    async def change() -> None:
        await asyncio.to_thread(began.wait, 60)
        counted[0] = 1
        store.job("q")

    async def main() -> int | None:
        async with asyncio.TaskGroup() as group:
            group.create_task(change())
            return await tasks.until(look, 60)

    assert asyncio.run(main()) == 1
    assert len(looks) >= 2


def test_a_hundred_waits_share_one_thread_and_a_cancelled_one_leaves_none(
    tasks: StoreTasks, own_threads: Callable[[], list[str]]
) -> None:
    def watchers() -> int:
        return own_threads().count("jobctl-changes")

    async def main() -> None:
        waits = [asyncio.create_task(tasks.until(lambda: None, None)) for _ in range(100)]
        while watchers() == 0:
            await asyncio.sleep(0.01)
        assert watchers() == 1
        for task in waits:
            task.cancel()
        results = await asyncio.gather(*waits, return_exceptions=True)
        assert {type(result) for result in results} == {asyncio.CancelledError}

    asyncio.run(main())
    wait_until(lambda: watchers() == 0, 30, "the thread that watched to end")


def test_a_wait_without_a_change_ends_at_its_timeout(tasks: StoreTasks) -> None:
    assert asyncio.run(tasks.until(lambda: None, 0.05)) is None


def test_one_store_serves_several_loops_one_after_the_other(tasks: StoreTasks) -> None:
    for _ in range(2):
        assert asyncio.run(tasks.until(lambda: 7, 60)) == 7


def test_waiting_in_a_store_that_does_not_exist_is_the_error_of_the_commands(home: Any) -> None:
    tasks = StoreTasks(home)
    with pytest.raises(NotFound):
        asyncio.run(tasks.until(lambda: 1, 60))
    tasks.close()


def test_a_wait_ends_when_the_store_is_removed(tasks: StoreTasks, home: Any) -> None:
    began = threading.Event()

    def look() -> None:
        began.set()

    async def remove() -> None:
        await asyncio.to_thread(began.wait, 60)
        home.root.rename(home.root.with_name("elsewhere"))

    async def main() -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(remove())
            await tasks.until(look, 60)

    with pytest.raises(ExceptionGroup) as caught:
        asyncio.run(main())
    assert caught.group_contains(NotFound)


def test_a_child_after_a_fork_has_threads_of_its_own(tasks: StoreTasks) -> None:
    async def main() -> int:
        return await tasks.call(int, "7")

    assert asyncio.run(main()) == 7
    child = os.fork()
    if child == 0:
        os._exit(asyncio.run(asyncio.wait_for(main(), 60)))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7


def test_an_iterator_is_read_in_pages(tasks: StoreTasks) -> None:
    async def main() -> list[int]:
        return [entry async for entry in tasks.each(lambda: iter(range(450)))]

    assert asyncio.run(main()) == list(range(450))
