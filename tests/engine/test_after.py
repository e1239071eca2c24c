"""Jobs that come after others: however and whenever a job ends without success, nothing after it starts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from jobctl.domain.policy import Backoff, Policy
from jobctl.domain.ports import AttemptId
from jobctl.domain.selection import Selection
from jobctl.domain.states import JobState, Stop
from jobctl.services.control import pause
from jobctl.services.control.retry import retry
from jobctl.store import jobs, pruning, requests
from tests.engine.bench import SECOND, START, Bench, state
from tests.executors.fake import Play
from tests.stages import few

FIRST = 1


def cancel(bench: Bench, job: int = FIRST) -> None:
    """Ask for the end of a job."""
    with bench.database.transaction():
        requests.add(bench.database, requests.Request(job, None, "cancel", False, "test", "enough"), bench.now)


@dataclass(frozen=True)
class Ending:
    """The way in which the first job ends."""

    state: JobState
    play: Callable[[int], Play] = lambda item: Play()
    policy: Policy = field(default_factory=Policy)
    options: dict[str, Any] | None = None
    meanwhile: Callable[[Bench], None] = lambda bench: None


def failing(*items: int, code: int = 65) -> Callable[[int], Play]:
    return lambda item: Play(code=code) if item in items else Play()


def endless(_: int) -> Play:
    return Play(hold=True)


ALL = (1, 2, 3, 4)
LATER = Policy(attempts=3, backoff=Backoff(600, 1, 600))
ENDINGS = {
    "succeeded": Ending(JobState.SUCCEEDED),
    "partial": Ending(JobState.PARTIAL, failing(2)),
    "failed": Ending(JobState.FAILED, failing(*ALL)),
    "too many failures": Ending(JobState.FAILED, failing(1), Policy(max_failures="0")),
    "too many failures, at once": Ending(JobState.FAILED, failing(1), Policy(max_failures="0", halt="now")),
    "no such command": Ending(JobState.FAILED, failing(*ALL, code=127)),
    "cancelled while held": Ending(JobState.CANCELLED, options={"hold": True}, meanwhile=cancel),
    "cancelled before its time": Ending(
        JobState.CANCELLED, options={"not_before_at": START + 3600 * SECOND}, meanwhile=cancel
    ),
    "cancelled while it runs": Ending(JobState.CANCELLED, endless, meanwhile=cancel),
    "cancelled between attempts": Ending(JobState.CANCELLED, failing(*ALL, code=75), LATER, meanwhile=cancel),
    "cancelled while paused": Ending(
        JobState.CANCELLED,
        endless,
        meanwhile=lambda bench: (pause.pause(bench.home, [FIRST], reason="", now=bench.now), cancel(bench))[-1],
    ),
    "expired": Ending(JobState.EXPIRED, endless, Policy(deadline_s=5.0)),
    "expired while held": Ending(JobState.EXPIRED, policy=Policy(deadline_s=5.0), options={"hold": True}),
}
#: The endings that differ most.
SOME = ["failed", "too many failures", "cancelled while it runs", "expired"]
#: What the job after it is like: what it is submitted with.
WAITING: dict[str, dict[str, Any]] = {
    "queued": {},
    "held": {"hold": True},
    "in a queue of its own": {"queue": "other"},
    "more urgent": {"priority": 9},
    "before its time": {"not_before_at": START + 8 * SECOND},
    "limited": {"policy": Policy(rate="1/s", max_failures="0")},
}


class Chain(Bench):
    """A first job and those after it."""

    def __init__(self, root: Path, ending: Ending, waiting: dict[str, Any]) -> None:
        super().__init__(root, script=lambda d: ending.play(d.item) if d.job == FIRST else Play(), slots=3)
        self.ending = ending
        self.submit(rows=4, policy=ending.policy, **(ending.options or {}))
        second = self.submit(rows=2, after=((FIRST, "ok"),), **waiting)
        third = self.submit(rows=2, after=((second, "ok"),))
        fork = self.submit(rows=1, after=((FIRST, "ok"),))
        self.doomed = [second, third, fork, self.submit(rows=2, after=((third, "ok"), (fork, "ok")))]
        self.anyhow = self.submit(rows=1, after=((FIRST, "any"), (second, "any")))

    def end_first(self) -> None:
        """Whatever ends the first job happens now."""
        self.tick(3)
        self.ending.meanwhile(self)
        for _ in range(200):
            if state(self, FIRST) in (JobState.CANCELLED, self.ending.state):
                return
            self.tick()
        raise AssertionError(self.job(FIRST))

    def end_all(self) -> None:
        """Continue the jobs that were held, and run everything to its end."""
        live = [row.id for row in jobs.load_live(self.database) if row.paused_at is not None]
        if live:
            pause.resume(self.home, live, now=self.now)
        self.work_off(step_us=SECOND // 4)

    def ran(self) -> set[int]:
        """The jobs of which an item was handed over."""
        return {dispatch.job for dispatch in self.executor.dispatched}


def held_as_asked(chain: Chain) -> None:
    """Check the whole chain after its end."""
    assert state(chain, FIRST) is chain.ending.state
    if chain.ending.state is JobState.SUCCEEDED:
        assert {state(chain, job) for job in chain.doomed} == {JobState.SUCCEEDED}
    else:
        assert not chain.ran() & set(chain.doomed)
        for job in chain.doomed:
            row = chain.job(job)
            assert (row.state, row.stop, row.counts.unprocessed) == (JobState.CANCELLED, Stop.DEPENDENCY, row.total)
            assert "was to run only after its success" in row.stop_reason
        assert f"job {FIRST} ended {chain.ending.state}" in chain.job(chain.doomed[0]).stop_reason
    assert state(chain, chain.anyhow) is JobState.SUCCEEDED


@pytest.mark.parametrize("waiting", few(WAITING, ["queued"]))
@pytest.mark.parametrize("ending", ENDINGS)
def test_nothing_starts_after_a_job_that_did_not_succeed(tmp_path: Path, ending: str, waiting: str) -> None:
    chain = Chain(tmp_path, ENDINGS[ending], WAITING[waiting])
    chain.end_first()
    chain.end_all()
    held_as_asked(chain)


@pytest.mark.parametrize("ending", few(ENDINGS, ["succeeded", *SOME]))
def test_no_death_of_an_engine_lets_one_start(tmp_path: Path, ending: str) -> None:
    chain = Chain(tmp_path, ENDINGS[ending], {})
    chain.end_first()
    chain.start(fresh=False)
    chain.tick()
    chain.start(fresh=False)
    chain.end_all()
    held_as_asked(chain)


@pytest.mark.parametrize("ending", few([name for name in ENDINGS if name != "succeeded"], SOME))
def test_another_round_of_the_first_job_does_not_revive_what_its_end_stopped(tmp_path: Path, ending: str) -> None:
    chain = Chain(tmp_path, ENDINGS[ending], {})
    chain.end_first()
    if jobs.load(chain.database, FIRST).finished_at is not None:
        retry(chain.home, FIRST, Selection(), now=chain.now)
    chain.tick(5)
    assert not chain.ran() & set(chain.doomed)
    assert {chain.job(job).stop for job in chain.doomed[:1]} == {Stop.DEPENDENCY}


@pytest.mark.parametrize("ending", few([name for name in ENDINGS if name != "succeeded"], SOME))
def test_a_job_that_is_submitted_after_the_end_does_not_start(tmp_path: Path, ending: str) -> None:
    chain = Chain(tmp_path, ENDINGS[ending], {})
    chain.end_first()
    late = chain.submit(rows=2, after=((FIRST, "ok"),), priority=9)
    later = chain.submit(rows=2, after=((late, "ok"), (FIRST, "any")), priority=9)
    chain.doomed += [late, later]
    chain.end_all()
    held_as_asked(chain)


@pytest.mark.parametrize("is_pruned", [False, True])
def test_another_round_of_the_second_job_does_not_start_without_the_success_of_the_first(
    tmp_path: Path, is_pruned: bool
) -> None:
    chain = Chain(tmp_path, ENDINGS["failed"], {})
    chain.end_first()
    chain.end_all()
    if is_pruned:
        (gone,) = pruning.candidates(chain.database, chain.now)[:1]
        assert gone.id == FIRST
        with chain.database.transaction():
            pruning.remove_job(chain.database, gone, chain.now)
    retry(chain.home, chain.doomed[0], Selection(), now=chain.now)
    chain.end_all()
    assert not chain.ran() & set(chain.doomed)
    assert state(chain, chain.doomed[0]) is JobState.CANCELLED


def test_a_job_without_rows_passes_the_end_of_another_on(tmp_path: Path) -> None:
    bench = Bench(tmp_path, script=lambda d: Play(code=65 * (d.job == 2)))
    keyed = {"header": "id", "item_key": "id", "name": "n", "command": ("true", "{id}")}
    bench.submit(rows=2, **keyed)
    bench.work_off()
    first = bench.submit(rows=1, hold=True)
    empty = bench.submit(rows=2, only_new=True, after=((first, "ok"),), **keyed)
    last = bench.submit(rows=2, after=((empty, "ok"),))
    bench.tick(5)
    assert bench.job(empty).total == 0
    assert bench.job(empty).finished_at is None
    pause.resume(bench.home, [first], now=bench.now)
    bench.work_off()
    assert [state(bench, job) for job in (empty, last)] == [JobState.CANCELLED] * 2
    assert {dispatch.job for dispatch in bench.executor.dispatched} == {1, first}


def test_no_handed_over_item_of_a_job_that_waits_again_begins(tmp_path: Path) -> None:
    bench = Bench(tmp_path, script=lambda d: Play(code=65, hold=d.attempt == 2) if d.job == FIRST else Play())
    bench.submit(rows=1)
    second = bench.submit(rows=500, after=((FIRST, "any"),))
    bench.tick(12)
    assert bench.job(second).counts.running > 2
    retry(bench.home, FIRST, Selection(), now=bench.now)
    bench.tick(3)
    begun = bench.job(second).counts
    bench.tick(5)
    assert (bench.job(second).counts.running, bench.job(second).counts.succeeded) == (0, begun.succeeded)
    bench.executor.finish(AttemptId(FIRST, 1, 2), Play())
    bench.work_off()
    assert state(bench, second) is JobState.SUCCEEDED


@pytest.mark.parametrize("ending", ["cancelled while held", "cancelled while it runs", "failed"])
def test_an_engine_for_one_job_alone_ends_the_whole_chain(tmp_path: Path, ending: str) -> None:
    chain = Chain(tmp_path, ENDINGS[ending], {})
    chain.database.execute("UPDATE jobs SET foreground = 1 WHERE id = ?", (FIRST,))
    chain.options = type(chain.options)(slots=3, scope=FIRST)
    chain.end_first()
    while not chain.engine.is_over(chain.now):
        chain.tick()
    assert {state(chain, job) for job in chain.doomed} == {JobState.CANCELLED}
    assert chain.ran() <= {FIRST}
    assert state(chain, chain.anyhow) is JobState.QUEUED


@pytest.mark.parametrize("how", ["cancelled", "expired"])
def test_a_job_without_rows_that_is_stopped_before_its_turn_did_not_succeed(tmp_path: Path, how: str) -> None:
    bench = Bench(tmp_path)
    keyed = {"header": "id", "item_key": "id", "name": "n", "command": ("true", "{id}"), "only_new": True}
    bench.submit(rows=2, **keyed)
    bench.work_off()
    first = bench.submit(rows=1, hold=True)
    policy = Policy(deadline_s=5.0 if how == "expired" else None)
    empty = bench.submit(rows=2, after=((first, "ok"),), policy=policy, **keyed)
    last = bench.submit(rows=2, after=((empty, "ok"),))
    bench.tick(2)
    if how == "cancelled":
        cancel(bench, empty)
    bench.tick(10, step_us=SECOND)
    assert [state(bench, job) for job in (empty, last)] == [JobState(how), JobState.CANCELLED]
    assert {dispatch.job for dispatch in bench.executor.dispatched} == {1}
