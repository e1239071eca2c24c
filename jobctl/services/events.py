"""Events: what happened in a store, in order, for ``jobctl events``, for programs and for streams.

An event is a line of the journal or the outcome of an item, and its id never goes back. A reader keeps the id of the
last event that it has read, and continues after it: it loses and repeats nothing, also if the daemon is killed.
"""

from __future__ import annotations

import heapq
import json
import threading
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from itertools import islice
from types import TracebackType
from typing import TYPE_CHECKING, NamedTuple, Self, cast

from jobctl.config import Home
from jobctl.domain.event import EventOfJob, NotedEvent, SettledOutcome, noted_event, outcome_event
from jobctl.domain.event_types import ENDS, event_type
from jobctl.domain.job_filter import JobFilter
from jobctl.domain.states import TERMINAL_JOB_STATES, ItemState
from jobctl.errors import UsageError
from jobctl.process.stop_pipe import StopPipe
from jobctl.services.daemon.changes import StoreWatch
from jobctl.store import event_ids, journal, outcomes, pruning
from jobctl.store.database import Database
from jobctl.store.opening.open import open_database
from jobctl.store.outcomes import Outcome, Pack
from jobctl.store.views import events as event_views
from jobctl.store.views import job_list
from jobctl.store.views import jobs as job_views
from jobctl.store.views.events import EventLine

if TYPE_CHECKING:
    from jobctl.domain.documents.event import EventDocument

#: The most events that are read at once.
PAGE = 500
#: Without a job and an id, a reader begins this number of events before the end.
LAST_EVENTS = 100
#: The job of the events of queues and of the store.
NO_JOB = journal.STORE
#: A longer number cannot be an id.
_DIGITS = 18
#: The most jobs about which a reader remembers whether it wants their events.
_REMEMBERED = 10_000


class WantedEvents(NamedTuple):
    """The events that a reader wants. All conditions have to be met."""

    jobs: frozenset[int] | None = None  # None: of all jobs, and of queues and the store
    filter: JobFilter = JobFilter()
    items: bool = False  # also the outcome of each attempt
    sees: Callable[[int], bool] | None = None  # whether the reader may know of a job; 0 is for queues and the store

    @property
    def is_everything(self) -> bool:
        """Whether no condition leaves out a job."""
        return self.jobs is None and not self.filter and self.sees is None

    @property
    def one_job(self) -> int | None:
        """The only job, if there is one."""
        return next(iter(self.jobs)) if self.jobs is not None and len(self.jobs) == 1 else None


class EventReader:
    """Reads the events after an id, page by page. It needs the same memory for any number of events."""

    def __init__(self, database: Database, wanted: WantedEvents, since: int) -> None:
        self._database = database
        self._wanted = wanted
        #: All events with ids up to this one were read, or are not wanted.
        self.position = since
        self._known: dict[int, bool] = {}

    def read(self, limit: int = PAGE) -> list[EventDocument]:
        """The next events, at most ``limit``; an empty list if there are no more at this moment."""
        found: list[EventDocument] = []
        while len(found) < limit:
            left = limit - len(found)
            with self._database.snapshot():
                page = self._page(left if self._wanted.is_everything else max(left, PAGE))
                wanted = [each for each in page if self._wants(each.job) or self._is_of_queue(each)]
                found += self._documents(wanted[:left])
                reached = (wanted[left - 1] if len(wanted) > left else page[-1]).id if page else 0
                if reached > self.position:
                    self.position = reached
                    continue
                # Nothing follows, so the ids of events that are not wanted need not be looked at again.
                self.position = max(self.position, event_ids.last(self._database))
            break
        return found

    def _page(self, limit: int) -> list[EventLine | Outcome]:
        """The next lines and outcomes, of jobs that may not be wanted; the last one says how far they go."""
        job = self._wanted.one_job
        lines = event_views.lines(self._database, self.position, job, limit)
        if not self._wanted.items:
            return list(lines)
        return list(islice(heapq.merge(lines, self._outcomes(job), key=_id), limit))

    def _outcomes(self, job: int | None) -> Iterator[EventLine | Outcome]:
        for pack in outcomes.packs(self._database, self.position, job):
            if self._wants(pack.job):
                yield from outcomes.outcomes(pack, self.position)
            else:
                yield _skipped(pack)

    def _wants(self, job: int) -> bool:
        if self._wanted.is_everything:
            return True
        if job not in self._known:
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            self._known[job] = self._look_up(job)
        return self._known[job]

    def _look_up(self, job: int) -> bool:
        wanted = self._wanted
        if wanted.jobs is not None and job not in wanted.jobs:
            return False
        if wanted.filter and not job_list.fits(self._database, wanted.filter, job):
            return False
        return wanted.sees is None or wanted.sees(job)

    def _documents(self, page: Sequence[EventLine | Outcome]) -> list[EventDocument]:
        jobs = event_views.jobs(self._database, {each.job for each in page})
        settled = self._settled([each for each in page if isinstance(each, Outcome)])
        found = []
        for each in page:
            if each.job not in jobs and each.job != NO_JOB:
                continue  # the job was removed, and its rows are about to be
            of = EventOfJob(*jobs[each.job]) if each.job != NO_JOB else EventOfJob()
            if isinstance(each, Outcome):
                found.append(outcome_event(of, settled[each.id]))
            else:
                found.append(self._of_line(of, each))
        return found

    def _is_of_queue(self, each: EventLine | Outcome) -> bool:
        """Whether it is about the queue whose jobs are wanted, if nothing else is asked of them."""
        wanted, queue = self._wanted, self._wanted.filter.queue
        if each.job != NO_JOB or not isinstance(each, EventLine) or wanted.filter != JobFilter(queue=queue):
            return False
        is_seen = wanted.jobs is None and (wanted.sees is None or wanted.sees(NO_JOB))
        return is_seen and journal.decoded(each.data).get("queue") == queue

    def _settled(self, page: Sequence[Outcome]) -> dict[int, SettledOutcome]:
        by_job: dict[int, list[Outcome]] = defaultdict(list)
        for each in page:
            by_job[each.job].append(each)
        found = {}
        for job, own in by_job.items():
            attempts = event_views.ended_attempts(self._database, job, [each.item for each in own])
            for each in own:
                attempt = attempts.get((each.item, each.attempt))
                facts = () if attempt is None else attempt[2:]
                found[each.id] = SettledOutcome(each.id, each.at, each.item, each.attempt, each.state, *facts)
        return found

    def _of_line(self, of: EventOfJob, line: EventLine) -> EventDocument:
        data = journal.decoded(line.data)
        if event_type(line.event, line.reason, data) in ENDS and (kept := self._kept(line, data)) is not None:
            return kept
        if line.job == NO_JOB and isinstance(queue := data.get("queue"), str):
            of = of._replace(queue=queue)
        return noted_event(of, NotedEvent(line.id, line.at, line.event, line.actor, line.reason, line.item, data))

    def _kept(self, line: EventLine, data: dict[str, object]) -> EventDocument | None:
        """The event about the end of a round as it was then; None if a version before this one has not kept it."""
        rnd = data.get("round")
        body = line.body or (event_views.sent_body(self._database, line.job, rnd) if isinstance(rnd, int) else None)
        try:
            kept = json.loads(body or b"null")
        except ValueError:  # the database is damaged
            return None
        if not isinstance(kept, dict) or not isinstance(kept.get("data"), dict):
            return None
        return cast("EventDocument", {"schema": "jobctl.event/1", "id": line.id, **kept})


def _id(each: EventLine | Outcome) -> int:
    return each.id


def _skipped(pack: Pack) -> Outcome:
    """One entry for all outcomes of a job that is not wanted."""
    return Outcome(pack.id, pack.job, pack.at, 0, 0, ItemState.QUEUED)


class EventStream:
    """The events after an id, with a connection of its own. Any thread may use it, one at a time.

    ``close`` may come from another thread: it ends a wait, and later calls find no events.

    It is a context manager, and iterating over it yields events until all jobs that were named are done.
    """

    def __init__(self, home: Home, wanted: WantedEvents = WantedEvents(), since: int | None = None) -> None:  # noqa: B008
        """Without an id ``since`` it begins with the first event of the jobs, or LAST_EVENTS before the end.

        Raises NotFound for a home without a store, UsageError for an id that the store has not reached.
        """
        self._home = home
        self._wanted = wanted
        self._lock = threading.Lock()
        self._database = open_database(home, any_thread=True)
        try:
            if since is not None:
                check_id(self._database, since)
            self._is_asked = since is not None
            #: The id after which it began.
            self.began_after = _start(self._database, wanted) if since is None else since
            self._reader = EventReader(self._database, wanted, self.began_after)
            self._watch = StoreWatch(self._database, home)
            self._is_closed = False
            self._stop = StopPipe()
        except BaseException:
            self._database.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection and the watch. A thread that waits for events ends its wait."""
        if self._is_closed:
            return
        self._is_closed = True
        self._stop.stop()
        with self._lock:
            self._watch.__exit__(None, None, None)
            self._database.close()
            self._stop.close()

    @property
    def position(self) -> int:
        """The id after which ``read`` continues: give it as ``since`` to resume."""
        return self._reader.position

    @property
    def jobs(self) -> list[int]:
        """The jobs that were named; empty if none was."""
        return sorted(self._wanted.jobs or ())

    def note(self, program: str = "jobctl") -> str:
        """The sentence about events that exist or existed, and that this stream does not have; empty if there are none.

        ``program`` is the command line of jobctl in it.
        """
        if self._wanted.jobs is not None:
            return ""
        if not self._is_asked:
            return f"the last {LAST_EVENTS} events; all of them: {program} events --since 0" if self.began_after else ""
        with self._lock:
            removed = pruning.last_removed_event(self._database)
        if removed <= self.began_after:
            return ""
        return f"events up to the id {removed} may be missing: their jobs were removed"

    def read(self, limit: int = PAGE) -> list[EventDocument]:
        """The next events, at most ``limit``; an empty list if there are no more at this moment."""
        with self._lock:
            return [] if self._is_closed else self._reader.read(limit)

    def wait(self, timeout_s: float | None, others: Iterable[int] = ()) -> bool:
        """Block until the store changes, a descriptor of ``others`` is readable, or ``timeout_s`` seconds have passed.

        True if there may be more events. Raises NotFound when the store is removed.
        """
        with self._lock:
            return not self._is_closed and self._watch.wait(timeout_s, (self._stop.reader, *others))

    def is_over(self) -> bool:
        """Whether jobs were named, and each of them is done or was removed. Ask before the last ``read``.

        A stream that was closed is over.
        """
        if self._wanted.jobs is None:
            return self._is_closed
        with self._lock:
            if self._is_closed:
                return True
            states = job_views.states(self._database, list(self._wanted.jobs))
        return all(states[job][0] in TERMINAL_JOB_STATES for job in self._wanted.jobs if job in states)

    def missing(self) -> list[int]:
        """The jobs that were named and do not exist any more."""
        named = self._wanted.jobs or frozenset()
        with self._lock:
            return sorted(named - job_views.states(self._database, list(named)).keys())

    def __iter__(self) -> Iterator[EventDocument]:
        """Yield events as they happen, until all jobs that were named are done; without such jobs, for ever."""
        for page in self.pages():
            yield from page

    def pages(self, others: Sequence[int] = (), timeout_s: float | None = None) -> Iterator[list[EventDocument]]:
        """The same in lists. An empty list comes whenever a wait has ended without an event: see ``wait``."""
        while True:
            is_over = self.is_over()
            while page := self.read():
                yield page
            if is_over:
                return
            yield []
            self.wait(timeout_s, others)


def check_id(database: Database, since: int) -> None:
    """Raises UsageError for an id that the store has not reached: it comes from another store."""
    last = event_ids.last(database)
    if since > last:
        raise UsageError(
            f"--since {since}: the last event of this store has the id {last}",
            hint=f"an id of another store says nothing here; to see what comes from now on: --since {last} --follow",
        )


def first_id(home: Home, since: str | None, now: int) -> int | None:
    """The id that ``--since`` means: an id, or the one before the first event since a time; None without the option.

    ``now`` is in microseconds UTC. Raises NotFound for a home without a store, UsageError for any other text.
    """
    if since is None:
        return None
    if since.isascii() and since.isdigit():
        if len(since) > _DIGITS:
            raise UsageError(f"--since: {since[:_DIGITS]}... is too large for an id", hint="ids have at most 16 digits")
        return int(since)
    from jobctl.domain.times import parse_since  # most readers have an id

    try:
        at = parse_since(since, now)
    except UsageError as error:
        hint = f"an id is a number, such as 1041; {error.hint}" if error.hint else "an id is a number, such as 1041"
        raise UsageError(f"--since: {error.message}", hint=hint) from None
    with closing(open_database(home)) as database, database.snapshot():
        found = event_views.first_id(database, at)
        return found - 1 if found else event_ids.last(database)


def _start(database: Database, wanted: WantedEvents) -> int:
    if wanted.jobs is not None:
        return max(0, event_views.first_line(database, wanted.jobs) - 1)
    if wanted.filter:
        return 0
    if wanted.items:
        return max(0, event_ids.last(database) - LAST_EVENTS)
    return event_views.nth_last_line(database, LAST_EVENTS)
