"""Sentences about the daemon for a person who has just submitted or changed work."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing

from jobctl.config import Home
from jobctl.process import lock

#: How to get a daemon, for a command that waits for the end of a job.
HOW_TO_START = "start one with: jobctl daemon start; or give --start-daemon, or use jobctl run"


def absence(home: Home, program: str) -> str:
    """Return the sentence that no daemon is running, with the command that starts one; empty if one is running."""
    return no_daemon(home, program) if lock.holder(str(home.lock)) is None else ""


def no_daemon(home: Home, program: str) -> str:
    """Return the same sentence without asking for a daemon.

    A full disk comes first: a daemon would start no item on it.
    """
    from jobctl.domain.blocker_kinds import DAEMON_DOWN, DISK_FULL
    from jobctl.process.space import shortage

    if short := shortage(*home.output_places):
        return (
            f"{DISK_FULL.words(short=short)}; {DAEMON_DOWN.sentence}\n"
            f"  make room: {program} prune --dry-run; then: {program} daemon start"
        )
    return f"{DAEMON_DOWN.sentence}; start it with: {program} daemon start"


def absence_for_jobs(home: Home, jobs: Sequence[int], program: str) -> str:
    """Return ``absence`` if one of these jobs is not done, otherwise '': without work, no daemon is needed."""
    from jobctl.domain.states import TERMINAL_JOB_STATES
    from jobctl.store.opening.open import open_database
    from jobctl.store.views import jobs as job_views

    with closing(open_database(home)) as database:
        is_open = any(state not in TERMINAL_JOB_STATES for state, _ in job_views.states(database, jobs).values())
    return absence(home, program) if is_open else ""


def absence_for_queue(home: Home, queue: str, program: str) -> str:
    """Return ``absence`` if a job of the queue is not done, otherwise ''."""
    from jobctl.store.opening.open import open_database
    from jobctl.store.views import queues as queue_views

    with closing(open_database(home)) as database:
        is_open = queue in queue_views.queue_loads(database)
    return absence(home, program) if is_open else ""


def process_of_job(home: Home, job: int, started: int | None, program: str, now: int) -> str:
    """Say which process runs a job, or how to start one; ``started`` is the daemon that was just started for it.

    ``now`` is in microseconds UTC.
    """
    path = str(home.lock)
    process = lock.holder(path)
    if process is None:
        return no_daemon(home, program)
    if process != started and (other := _other_work(home, job, now)):
        following = lock.next_in_line(path)
        then = f"when it has ended: {program} daemon start"
        return f"{other}; {then if following is None else f'process {following} is the daemon after it'}"
    return f"a daemon runs it (process {process})"


def _other_work(home: Home, job: int, now: int) -> str:
    """Describe the other work of the process with the store; empty if it runs this job, or will run it."""
    from jobctl.services.daemon.view import daemon_view
    from jobctl.store.opening.open import open_database

    with closing(open_database(home)) as database:
        view = daemon_view(database, home, now)
    if not view.is_working or view.serves(job, foreground=False):
        return ""
    from jobctl.domain.blocker_kinds import DAEMON_ELSEWHERE, DAEMON_STOPS

    if view.scope == "all":
        return f"{DAEMON_STOPS.brief} (process {view.pid})"
    return DAEMON_ELSEWHERE.brief_words(pid=view.pid, scope=view.scope)


def after_detaching(home: Home, job: int, program: str, now: int) -> str:
    """Say whether a daemon continues a job after ``jobctl run`` has stopped following it, and if not, what to type.

    ``now`` is in microseconds UTC.
    """
    from jobctl.services.daemon.view import daemon_view
    from jobctl.store.opening.open import open_database

    with closing(open_database(home)) as database:
        view = daemon_view(database, home, now)
    if view.state == "up" and view.scope != str(job) and view.serves(job, foreground=True):
        return f"job {job} continues; follow it with: {program} status {job} --watch"
    from jobctl.domain.blocker_kinds import DISK_FULL
    from jobctl.process.space import shortage

    short = shortage(*home.output_places)
    disk = f"{DISK_FULL.words(short=short)}\n  make room: {program} prune --dry-run\n" if short else ""
    return (
        f"{disk}job {job} is not done; continue it here with: {program} run --resume {job}\n"
        f"  in the background with: {program} daemon start; or end it with: {program} cancel {job}"
    )
