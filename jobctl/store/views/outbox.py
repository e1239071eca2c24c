"""Reads the outbox: deliveries, their attempts, and the targets of a job with their newest delivery."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from jobctl.domain.texts import restored
from jobctl.store.cells import checked_cells
from jobctl.store.database import Database

if TYPE_CHECKING:
    from jobctl.domain.notify import DeliveryState


class DeliveryView(NamedTuple):
    """A delivery and its target, for lists."""

    id: str
    job: int
    round: int
    event: str
    state: str
    attempts: int
    next_at: int | None
    created_at: int
    settled_at: int | None
    result: str
    target: int
    kind: str
    address: str


_SELECT = (
    "SELECT d.id, d.job, d.round, d.event, d.state, d.attempts, d.next_at, d.created_at, d.settled_at, d.result,"
    " t.id, t.kind, t.target FROM deliveries d JOIN targets t ON t.id = d.target"
)


def _delivery(row: Sequence[Any]) -> DeliveryView:
    view = DeliveryView._make(checked_cells(DeliveryView, row))
    return view._replace(address=restored(view.address))


def deliveries(database: Database, job: int | None = None, state: DeliveryState | None = None) -> list[DeliveryView]:
    """All deliveries, or those of a job or in a state, oldest first."""
    conditions: list[str] = []
    values: list[Any] = []
    if job is not None:
        conditions.append("d.job = ?")
        values.append(job)
    if state is not None:
        conditions.append("d.state = ?")
        values.append(state.value)
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    rows = database.execute(f"{_SELECT}{where} ORDER BY d.created_at, d.job, t.id", values)
    return [_delivery(row) for row in rows]


def find(database: Database, prefix: str, limit: int = 2) -> list[DeliveryView]:
    """Deliveries whose id begins like this."""
    rows = database.execute(f"{_SELECT} WHERE d.id >= ? AND d.id < ? LIMIT ?", (prefix, prefix + "\U0010ffff", limit))
    return [_delivery(row) for row in rows]


class DeliveryAttemptView(NamedTuple):
    """One attempt of a delivery; ``duration_us`` None = under way."""

    attempt: int
    started_at: int
    duration_us: int | None
    status: int | None
    error: str
    response: str


def delivery_attempts(database: Database, delivery: str) -> list[DeliveryAttemptView]:
    """Every attempt of a delivery, first to last."""
    rows = database.execute(
        "SELECT attempt, started_at, duration_us, status, error, response FROM delivery_attempts WHERE delivery = ?"
        " ORDER BY attempt",
        (delivery,),
    )
    return [DeliveryAttemptView._make(checked_cells(DeliveryAttemptView, row)) for row in rows]


class TargetView(NamedTuple):
    """A target of a job and its newest delivery; the last fields are None before the first round has ended."""

    id: int
    kind: str
    address: str
    disabled_at: int | None
    delivery: str | None
    round: int | None
    state: str | None
    attempts: int | None
    next_at: int | None
    result: str | None


def targets(database: Database, job: int) -> list[TargetView]:
    """The targets of a job, in the order they were given."""
    rows = database.execute(
        "SELECT t.id, t.kind, t.target, t.disabled_at, d.id, d.round, d.state, d.attempts, d.next_at, d.result"
        " FROM targets t LEFT JOIN deliveries d ON d.target = t.id AND d.job = t.job"
        " AND d.round = (SELECT max(round) FROM deliveries WHERE job = t.job)"
        " WHERE t.job = ? ORDER BY t.id",
        (job,),
    )
    views = [TargetView._make(checked_cells(TargetView, row)) for row in rows]
    return [view._replace(address=restored(view.address)) for view in views]
