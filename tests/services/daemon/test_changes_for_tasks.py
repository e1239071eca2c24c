"""One thread watches the store for all requests that wait."""

from __future__ import annotations

import asyncio
import os
import resource
import shutil
from collections.abc import Awaitable, Callable

import pytest

from jobctl.config import Home
from jobctl.errors import NotFound
from jobctl.services.daemon.changes_for_tasks import Changes
from tests.factories import JobMaker

PATIENCE_S = 60.0


def _run(test: Callable[[], Awaitable[None]]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(PATIENCE_S):
            await test()

    asyncio.run(bounded())


def test_a_commit_wakes_all_who_wait_and_one_thread_serves_them(
    home: Home, store: JobMaker, own_threads: Callable[[], list[str]]
) -> None:
    async def test() -> None:
        changes = Changes(home)

        async def wait() -> bool:
            async with changes.watched():
                return await changes.after(changes.number)

        waits = [asyncio.create_task(wait()) for _ in range(100)]
        async with changes.watched():
            seen = changes.number
            assert own_threads() == ["jobctl-changes"]
            store.job("q")
            assert await changes.after(seen)
            assert all(await asyncio.gather(*waits))
        changes.close()

    _run(test)


def test_a_change_before_the_wait_ends_it_at_once(home: Home, store: JobMaker) -> None:
    async def test() -> None:
        changes = Changes(home)
        async with changes.watched():
            seen = changes.number
            store.job("q")
            await changes.after(seen)
            assert await changes.after(seen)
            while await changes.after(changes.number, 1.0):  # the rest of what the commit has caused
                pass
            assert not await changes.after(changes.number, 0.01)
        changes.close()

    _run(test)


def test_without_a_store_there_is_nothing_to_watch_until_there_is_one(home: Home) -> None:
    async def test() -> None:
        from tests.factories import make_store

        changes = Changes(home)
        with pytest.raises(NotFound):
            async with changes.watched():
                pass
        make_store(home)
        async with changes.watched():
            pass
        changes.close()

    _run(test)


def test_a_store_that_is_removed_ends_the_waits(home: Home, store: JobMaker) -> None:
    async def test() -> None:
        changes = Changes(home)

        async def wait() -> None:
            async with changes.watched():
                while True:
                    await changes.after(changes.number)

        waits = [asyncio.create_task(wait()) for _ in range(3)]
        async with changes.watched():
            shutil.rmtree(home.root)
            found = await asyncio.gather(*waits, return_exceptions=True)
        assert [type(each) for each in found] == [NotFound] * 3
        changes.close()

    _run(test)


def test_closing_ends_all_waits_and_the_thread(
    home: Home, store: JobMaker, own_threads: Callable[[], list[str]]
) -> None:
    async def test() -> None:
        changes = Changes(home)
        async with changes.watched():
            wait = asyncio.create_task(changes.after(changes.number))
            await asyncio.sleep(0)
            changes.close()
            assert await wait and changes.is_closed
            assert await changes.after(changes.number)
            while own_threads():
                await asyncio.sleep(0.01)

    _run(test)


def test_a_child_that_was_forked_meanwhile_does_not_keep_the_thread(
    home: Home, store: JobMaker, own_threads: Callable[[], list[str]]
) -> None:
    async def test() -> None:
        changes = Changes(home)
        held, release = os.pipe()
        async with changes.watched():
            if not (child := os.fork()):
                os.close(release)
                os.read(held, 1)  # it holds a copy of every descriptor until the end of the test
                os._exit(0)
            changes.close()
            while own_threads():
                await asyncio.sleep(0.01)
        os.close(release)
        os.close(held)
        os.waitpid(child, 0)

    _run(test)


def test_a_program_with_more_than_a_thousand_descriptors_is_told_of_changes(home: Home, store: JobMaker) -> None:
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(2_000, limits[1]), limits[1]))
    occupied = [os.open("/dev/null", os.O_RDONLY) for _ in range(1_100)]

    async def test() -> None:
        changes = Changes(home)
        async with changes.watched():
            for _ in range(3):
                seen = changes.number
                store.job("q")
                assert await changes.after(seen)
        changes.close()

    try:
        _run(test)
    finally:
        for descriptor in occupied:
            os.close(descriptor)
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
