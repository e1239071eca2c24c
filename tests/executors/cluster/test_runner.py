"""A worker's runner, alone."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from jobctl.executors.cluster.runner import PackRunner
from tests.wait import wait_until

Make = Callable[[], PackRunner]


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    made: list[PackRunner] = []

    def another() -> PackRunner:
        made.append(PackRunner(1, lambda _store, _message: None, str(tmp_path)))
        return made[-1]

    yield another
    for runner in made:
        runner.close(0.0)


def test_an_old_spool_is_removed_and_one_in_use_stays(make: Make) -> None:
    long_ago = time.time() - 30 * 86_400
    works, died = make(), make()
    for runner in (works, died):
        os.utime(runner._spool, (long_ago, long_ago))
    works.beat(60.0)
    make()
    assert os.path.isdir(works._spool)
    assert not os.path.exists(died._spool)


def test_a_runner_that_is_closed_leaves_no_thread(make: Make, own_threads: Callable[[], list[str]]) -> None:
    runner = make()
    assert own_threads() == ["jobctl-listen"]
    runner.close(0.0)
    wait_until(lambda: not own_threads(), what="the end of the thread")
