"""The facts that decide whether the items of a job start, read once for a status or an explanation."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from jobctl.config import Home
from jobctl.domain.policy import Policy
from jobctl.domain.states import TERMINAL_JOB_STATES
from jobctl.process import space
from jobctl.services.daemon.view import DaemonView, daemon_view
from jobctl.store import clock
from jobctl.store.database import Database
from jobctl.store.views import jobs as job_views
from jobctl.store.views import queues as queue_views
from jobctl.store.views import running as running_views
from jobctl.store.views import undo as undo_views
from jobctl.store.views.jobs import JobView
from jobctl.store.views.queues import QueueView
from jobctl.store.views.running import RunningView

if TYPE_CHECKING:
    from jobctl.domain.documents.status_blocks import AfterBlock, FollowsBlock
    from jobctl.services.status.process_waits import ProcessWait
    from jobctl.store.leftovers import LeftoversOfJob


#: The most running items of a job that are read.
RUNNING_LIMIT = 64
#: The most bytes of the row of a running item that are read.
ROW_TEXT = 200


class StoreFacts(NamedTuple):
    """The facts of a store that all documents of one moment share; figures are read once, and only if needed."""

    database: Database
    home: Home
    daemon: DaemonView
    now: int
    program: str  # the command line of jobctl for this store, as in "jobctl --home /srv/queue"
    in_hand: Callable[[], list[tuple[str, int, int]]]  # (queue, job, attempts in hand) of the jobs that have some
    started: Callable[[], dict[int, int]]  # items that are seen to run, by job
    shortage: Callable[[], str]  # of room on the disk, with figures


class Situation(NamedTuple):
    """A job and everything outside its own row that decides how it continues."""

    job: JobView
    policy: Policy
    daemon: DaemonView
    queue: QueueView
    now: int
    program: str
    running: Sequence[RunningView]  # items that are seen to run, the first of them
    taken: int  # slots in which items of other jobs are seen to run
    in_hand: Callable[[], list[tuple[str, int, int]]]  # as in StoreFacts
    only_ahead: bool  # all attempts of this job that the daemon has wait behind items of other jobs
    first_due_at: int | None  # of the items that wait for another attempt
    last_due_at: int | None
    after: list[AfterBlock]  # the jobs that it comes after
    follows: list[FollowsBlock]  # the jobs that have rows of it
    shortage: str  # of room on the disk, with figures; empty for a job that is done
    process_waits: Sequence[ProcessWait]  # items that wait for processes
    left: LeftoversOfJob | None  # processes that items left behind and that were ended
    retry_of: Callable[[int], str]  # the command that retries another job
    held_by_undo: int = 0  # items that did not succeed and that a retry leaves out, because an undo job has their rows

    @property
    def is_served(self) -> bool:
        """Whether a daemon runs the job."""
        return self.daemon.serves(self.job.id, foreground=bool(self.job.foreground))


def store_facts(database: Database, home: Home, now: int, program: str) -> StoreFacts:
    """The moment of an store. Call it inside a snapshot; ``now`` is in microseconds UTC."""
    now = clock.in_store(database, now)
    daemon = daemon_view(database, home, now)

    # Only a write can tell that a quota is used up, and that is why a daemon may be silent.
    place = home.root if daemon.state == "not_responding" else None
    shortage = cache(lambda: space.shortage(*home.output_places) or (space.write_problem(place) if place else ""))
    in_hand, started = (
        cache(lambda: running_views.running_by_job(database)),
        cache(lambda: running_views.started_by_job(database)),
    )
    return StoreFacts(database, home, daemon, now, program, in_hand, started, shortage)


def situation_of(store: StoreFacts, job: JobView) -> Situation:
    """The situation of one job."""
    database = store.database
    in_hand, taken, only_ahead = store.in_hand, 0, False
    if job.running and len(in_hand()) > 1:
        started = store.started()
        taken = sum(count for number, count in started.items() if number != job.id)
        only_ahead = job.id not in started
    views = running_views.running(database, job.id, RUNNING_LIMIT, ROW_TEXT) if job.running else ()
    due = running_views.due_range(database, job.id) if job.retrying else running_views.DueRange(None, None)
    after, follows = _others(database, job) if job.after != "[]" else ([], [])
    policy = Policy.from_json(json.loads(job.policy))
    return Situation(
        job=job,
        policy=policy,
        daemon=store.daemon,
        queue=queue_views.queue(database, job.queue),
        now=store.now,
        program=store.program,
        # Attempts handed over ahead of free slots have not started; the oldest ones in hand are those that run.
        running=[view for view in views if view.started_at],
        taken=taken,
        in_hand=in_hand,
        only_ahead=only_ahead,
        first_due_at=due.first,
        last_due_at=due.last,
        after=after,
        follows=follows,
        shortage="" if job.is_done else store.shortage(),
        process_waits=_process_waits(store.home, job.id) if job.running else (),
        left=_left(database, job.id) if job.attempts else None,
        retry_of=lambda other: _retry_of(store, other),
        held_by_undo=_held_by_undo(database, job, policy),
    )


def _held_by_undo(database: Database, job: JobView, policy: Policy) -> int:
    if not job.is_done or not (job.failed or job.undo_retaken):
        return 0
    return undo_views.held_failures(database, job.id, careful=policy.on_crash == "fail")


def _process_waits(home: Home, job: int) -> Sequence[ProcessWait]:
    """The items of a job that wait for processes. A job that runs nothing needs no import for them."""
    from jobctl.services.status.process_waits import process_waits

    return process_waits(home, job)


def _left(database: Database, job: int) -> LeftoversOfJob | None:
    """The processes that the items of a job left behind. A job that has not run anything needs no import for them."""
    from jobctl.store.leftovers import summary

    return summary(database, job)


def _retry_of(store: StoreFacts, other: int) -> str:
    """The command that retries another job. Few jobs come after one that failed, so the import is here."""
    from jobctl.services.why.retries import retry_of

    return retry_of(store.database, other, store.now, store.program)


def _others(database: Database, job: JobView) -> tuple[list[AfterBlock], list[FollowsBlock]]:
    """The jobs that it comes after, and those that have rows of it; nothing is known of one that was removed."""
    from jobctl.store import followed

    entries = json.loads(job.after)
    rows = {}
    if not job.is_done and any(condition == followed.CONDITION for _, condition in entries):
        rows = followed.counts(database, job.id)
    wanted = [(number, condition) for number, condition in entries if rows or condition != followed.CONDITION]
    states = job_views.states(database, [number for number, _ in wanted])
    after: list[AfterBlock] = []
    follows: list[FollowsBlock] = []
    for number, condition in wanted:
        state = states.get(number, (None, 0))[0]
        done = None if state is None else state in TERMINAL_JOB_STATES
        if condition != followed.CONDITION:
            after.append({"job": number, "condition": condition, "state": state, "done": done})
        else:
            follows.append({"job": number, "rows": rows.get(number, 0), "state": state, "done": done})
    return after, follows
