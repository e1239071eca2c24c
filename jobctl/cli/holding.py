"""What pause and resume have in common."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from jobctl.cli.session import Session
from jobctl.errors import UsageError

if TYPE_CHECKING:
    from jobctl.services.control.pause import Held, QueueHeld


def check_either(jobs: list[str] | None, queue: str | None, verb: str) -> None:
    """Raises UsageError unless jobs or a queue are named, and not both."""
    if bool(jobs) == (queue is not None):
        raise UsageError(f"{verb} what?", hint=f"jobctl {verb} JOB..., or jobctl {verb} --queue NAME")


def answer(shared: Session, held: Sequence[Held], verb: str, done: str) -> None:
    """Say what became of each job."""
    if shared.json:
        found = [{"job": h.job, "changed": h.changed, "note": h.note} for h in held]
        shared.emit({"schema": f"jobctl.{verb}/1", "jobs": found, "queue": None})
        return
    for h in held:
        shared.note(h.sentence(done))


def answer_queue(shared: Session, held: QueueHeld, verb: str, done: str) -> None:
    """Say what became of a queue."""
    if shared.json:
        queue = {"name": held.name, "changed": held.changed, "note": held.note}
        shared.emit({"schema": f"jobctl.{verb}/1", "jobs": [], "queue": queue})
    else:
        shared.note(held.sentence(done))
