"""Saying whether anybody works, after a command that left work. The words stand here and nowhere else."""

from __future__ import annotations

from collections.abc import Sequence

from jobctl.cli.session import Session


def note_daemon(shared: Session, jobs: Sequence[int]) -> None:
    """One line when no daemon is up and one of these jobs is not done: without work nobody needs a daemon."""
    from jobctl.domain.states import TERMINAL_JOB_STATES
    from jobctl.store.views import jobs as job_views

    database = shared.open()
    try:
        is_open = any(state not in TERMINAL_JOB_STATES for state, _ in job_views.states(database, jobs).values())
    finally:
        database.close()
    if is_open:
        note_if_down(shared)


def note_daemon_for_queue(shared: Session, queue: str) -> None:
    """The same for the jobs of a queue."""
    from jobctl.store.views import jobs as job_views

    database = shared.open()
    try:
        is_open = queue in job_views.queue_loads(database)
    finally:
        database.close()
    if is_open:
        note_if_down(shared)


def note_if_down(shared: Session) -> None:
    """One line when no daemon is up, after work was left for one."""
    from jobctl.process.lock import holder

    if holder(str(shared.home.lock)) is None:
        shared.note(nobody_works(shared))


def nobody_works(shared: Session) -> str:
    """No daemon is up: what to type. A full disk comes first, for a daemon would start nothing on it."""
    from jobctl.domain.blockers import DAEMON_DOWN, DISK_FULL
    from jobctl.process.space import shortage

    if short := shortage(*shared.home.output_places):
        return (
            f"{DISK_FULL.words(short=short)}; {DAEMON_DOWN.sentence}\n"
            f"  make room: {shared.program} prune --dry-run; then: {shared.program} daemon start"
        )
    return f"{DAEMON_DOWN.sentence}; start it with: {shared.program} daemon start"
