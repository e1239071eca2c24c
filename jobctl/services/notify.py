"""Notifications about the end of a job: check their targets, list their deliveries, and send one again."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, cast

from jobctl.config import Home
from jobctl.domain.durations import format_time, seconds
from jobctl.domain.notify import DeliveryState, NotifyOptions
from jobctl.domain.wording import plural
from jobctl.errors import NotFound, UsageError, no_such_job
from jobctl.notify.channels import CHANNELS, shown_target
from jobctl.process.daemon_handle import lock_holder
from jobctl.process.this_process import actor
from jobctl.process.wakeup import wake
from jobctl.services.control.targets import job_of
from jobctl.store import clock, journal
from jobctl.store.database import Database
from jobctl.store.opening.open import open_database
from jobctl.store.outbox import NewTarget, send_again
from jobctl.store.views import jobs as job_views
from jobctl.store.views import outbox as outbox_views
from jobctl.store.views.outbox import DeliveryView, TargetView

if TYPE_CHECKING:
    from jobctl.domain.documents.control import ResentDocument
    from jobctl.domain.documents.notify import (
        ChannelName,
        DeliveriesDocument,
        DeliveryBlock,
        DeliveryStateName,
        NotifyBlock,
        TargetStateName,
    )

SCHEMA: Final = "jobctl.deliveries/1"
#: The most targets of one job.
MAX_TARGETS = 20


def make_targets(options: NotifyOptions, environ: Mapping[str, str]) -> list[NewTarget]:
    """Return the targets that the options of a submission name. Raises UsageError.

    A secret variable that is not set here is accepted, because the daemon may have it.
    """
    targets = [target for channel in CHANNELS.values() for target in channel.targets(options, environ)]
    if len(targets) > MAX_TARGETS:
        raise UsageError(f"{len(targets)} targets to notify; {MAX_TARGETS} is the most")
    return targets


def list_deliveries(home: Home, job: int | None = None) -> DeliveriesDocument:
    """Return ``jobctl.deliveries/1``: every delivery, or those of a job, with their attempts, oldest first.

    Raises NotFound.
    """
    with closing(open_database(home)) as database:
        if job is not None and not job_views.exists(database, job):
            raise no_such_job(job)
        found = outbox_views.deliveries(database, job)
        return {"schema": SCHEMA, "deliveries": [_delivery(database, view) for view in found]}


def _delivery(database: Database, view: DeliveryView) -> DeliveryBlock:
    return {
        "id": view.id,
        "job": view.job,
        "round": view.round,
        "event": view.event,
        "kind": cast("ChannelName", view.kind),
        "target": shown_target(view.kind, view.address),
        "state": cast("DeliveryStateName", view.state),
        "attempts": view.attempts,
        "next_attempt_at": _time(view.next_at),
        "created_at": format_time(view.created_at),
        "settled_at": _time(view.settled_at),
        "last_result": view.result or None,
        "history": [
            {
                "attempt": one.attempt,
                "started_at": format_time(one.started_at),
                "duration_s": None if one.duration_us is None else seconds(one.duration_us),
                "status": one.status,
                "error": one.error or None,
                "response": one.response or None,
            }
            for one in outbox_views.delivery_attempts(database, view.id)
        ],
    }


def deliveries_of(home: Home, text: str | None) -> DeliveriesDocument:
    """Return ``jobctl.deliveries/1`` of the job that a word names; None means all jobs. Raises NotFound, UsageError."""
    return list_deliveries(home, None if text is None else job_of(home, text))


@dataclass(frozen=True, slots=True)
class Resent:
    """A delivery that is sent again."""

    delivery: str
    job: int
    target: str
    was: str
    daemon: int | None  # the process that sends it; None = no daemon is running

    def document(self) -> ResentDocument:
        """``jobctl.resent/1``."""
        return {
            "schema": "jobctl.resent/1",
            "delivery": self.delivery,
            "job": self.job,
            "target": self.target,
            "was": self.was,
            "daemon": self.daemon,
        }


def resend(home: Home, delivery: str, *, now: int) -> Resent:
    """Send a delivery again with its id and its body, from the beginning of the schedule of attempts.

    A unique beginning of the id is enough. ``now`` is in microseconds UTC. Raises NotFound, and UsageError while an
    attempt is under way.
    """
    with closing(open_database(home)) as database, database.transaction():
        now = clock.follow(database, now)
        view = _find(database, delivery)
        if view.state == DeliveryState.PENDING and view.next_at is None:
            raise UsageError(f"{view.id} is being sent at this moment", hint=f"jobctl notify list {view.job}")
        send_again(database, view.id, now)
        target = shown_target(view.kind, view.address)
        journal.note(database, view.job, "notify_resent", at=now, actor=actor(), reason=target, delivery=view.id)
    wake(home.wake)
    return Resent(view.id, view.job, target, view.state, lock_holder(home.lock))


def _find(database: Database, text: str) -> DeliveryView:
    prefix = text if text.startswith("msg_") else f"msg_{text}"
    found = outbox_views.find(database, prefix) if text else []
    if len(found) > 1 and found[0].id != prefix:
        raise UsageError(f"several deliveries begin with {text!r}", hint="jobctl notify list")
    if not found:
        raise NotFound(f"there is no delivery {text!r}", hint="jobctl notify list")
    return found[0]


def notify_block(database: Database, job: int) -> list[NotifyBlock]:
    """Return the ``notify`` block of a status document: each target, and the delivery to it in the last round."""
    return [
        {
            "id": view.id,
            "kind": cast("ChannelName", view.kind),
            "target": shown_target(view.kind, view.address),
            "state": _target_state(view),
            "attempts": view.attempts or 0,
            "next_attempt_at": _time(view.next_at),
            "last_result": view.result or None,
            "delivery": view.delivery,
            "round": view.round,
        }
        for view in outbox_views.targets(database, job)
    ]


def _target_state(view: TargetView) -> TargetStateName:
    if view.state is None:
        return "armed" if view.disabled_at is None else "disabled"
    return cast("DeliveryStateName", view.state)


def dead_notice(database: Database, job: int, program: str = "jobctl") -> tuple[str, str, str] | None:
    """Return (code, message, action) of the notice about notifications that were given up; None if there are none."""
    dead = outbox_views.deliveries(database, job, DeliveryState.DEAD)
    if not dead:
        return None
    last = dead[-1]
    message = (
        f"{plural(len(dead), 'notification')} given up; the last, to {shown_target(last.kind, last.address)}:"
        f" {last.result}"
    )
    return "notify_dead", message, f"{program} notify resend {last.id}"


def _time(at: int | None) -> str | None:
    return None if at is None else format_time(at)
