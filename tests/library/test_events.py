"""Events for programs: in ``for`` and in ``async for``, resumed and cancelled."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import closing
from typing import Any

from jobctl.library.documents import EventDocument
from jobctl.library.events import Events
from jobctl.services.events import WantedEvents
from jobctl.store import journal
from jobctl.store.opening.open import open_database
from tests.factories import SUBMITTED_AT
from tests.wait import wait_until

#: Words of the journal, and the types of their events.
WORDS = ("submitted", "running", "paused", "resumed")
TYPES = ["job.submitted", "job.started", "job.paused", "job.resumed"]


def _note(home: Any, job: int, *words: str) -> None:
    with closing(open_database(home)) as database, database.transaction():
        for word in words:
            journal.note(database, job, word, at=SUBMITTED_AT, actor="ada")


def _of(job: int) -> WantedEvents:
    return WantedEvents(frozenset({job}))


def test_events_come_in_order_as_records_and_resume_after_any_of_them(store: Any, home: Any) -> None:
    job = store.job("q")
    _note(home, job, *WORDS)
    with Events(home, _of(job), None, follow=False) as events:
        found = list(events)
    assert [event.type for event in found] == TYPES
    assert type(found[0]) is EventDocument
    for at, event in enumerate(found):
        rest = list(Events(home, _of(job), event.id, follow=False))
        assert rest == found[at + 1 :]


def test_the_position_is_that_of_the_last_event_that_was_given_out(store: Any, home: Any) -> None:
    job = store.job("q")
    _note(home, job, *WORDS)
    events = Events(home, _of(job), None, follow=False)
    first, second = next(events), next(events)
    assert (first.id or 0) < (second.id or 0) == events.position
    assert [event.type for event in events] == TYPES[2:]
    assert list(events) == []


def test_a_loop_waits_for_events_until_the_job_is_done(store: Any, home: Any) -> None:
    job = store.job("s", state="running")
    _note(home, job, "submitted")
    seen: list[str] = []

    def follow() -> None:
        seen.extend(event.type for event in Events(home, _of(job), None))

    thread = threading.Thread(target=follow)
    thread.start()
    wait_until(lambda: seen == ["job.submitted"], 60, "the first event")
    _note(home, job, "paused")
    wait_until(lambda: seen == ["job.submitted", "job.paused"], 60, "the second event")
    with closing(open_database(home)) as database, database.transaction():
        journal.note(database, job, "resumed", at=SUBMITTED_AT, actor="ada")
        database.execute("UPDATE jobs SET state = 'succeeded', finished_at = ? WHERE id = ?", (SUBMITTED_AT, job))
    thread.join(60)
    assert not thread.is_alive()
    assert seen == ["job.submitted", "job.paused", "job.resumed"]


def test_a_task_reads_the_same_events_and_leaves_nothing_behind_when_it_is_cancelled(
    store: Any, home: Any, own_threads: Callable[[], list[str]]
) -> None:
    job = store.job("q", state="running")
    _note(home, job, *WORDS)
    seen: list[str] = []

    async def follow(events: Events) -> None:
        async for event in events:
            seen.append(event.type)  # noqa: PERF401 - the test looks at it meanwhile

    async def main() -> None:
        with Events(home, _of(job), None) as events:
            task = asyncio.create_task(follow(events))
            while len(seen) < len(TYPES):
                await asyncio.sleep(0.01)
            await asyncio.to_thread(_note, home, job, "paused")
            while len(seen) == len(TYPES):
                await asyncio.sleep(0.01)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            assert task.cancelled()

    asyncio.run(asyncio.wait_for(main(), 60))
    assert seen == [*TYPES, "job.paused"]
    wait_until(lambda: not own_threads(), 60, "the threads of the task to end")


def test_closing_ends_a_loop_that_waits_in_another_thread(store: Any, home: Any) -> None:
    job = store.job("q", state="running")
    _note(home, job, *WORDS)
    for wanted in (_of(job), WantedEvents()):
        events, seen = Events(home, wanted, 0), list[str]()
        thread = threading.Thread(target=_collect, args=(events, seen), daemon=True)
        thread.start()
        wait_until(lambda: len(seen) == len(TYPES), 60, "the events so far")  # noqa: B023 - called in this turn
        closing_thread = threading.Thread(target=events.close, daemon=True)
        closing_thread.start()
        for each in (closing_thread, thread):
            each.join(30)
            assert not each.is_alive()
        assert list(events) == []


def _collect(events: Events, seen: list[str]) -> None:
    for event in events:
        seen.append(event.type)  # noqa: PERF401 - the test looks at it meanwhile
