"""Notifications and their attempts as lines, and as a table for programs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from jobctl.domain.wording import plural
from jobctl.render.clock import local
from jobctl.render.inert import inert
from jobctl.render.plain import table

if TYPE_CHECKING:
    from jobctl.domain.documents.notify import DeliveriesDocument, DeliveryBlock

_TITLES = ("id", "job", "round", "event", "target", "state", "attempts", "last_result", "next_attempt_at")


def delivery_lines(document: DeliveriesDocument) -> Iterator[str]:
    """Two lines for each delivery: its job and its target, then its state."""
    for each in document["deliveries"]:
        due = f", next attempt {local(each['next_attempt_at'])}" if each["next_attempt_at"] else ""
        last = f": {inert(each['last_result'])}" if each["last_result"] else ""
        yield f"{each['id']}  job {each['job']} round {each['round']}  {each['event']}  {inert(each['target'])}"
        yield f"  {each['state']} after {plural(each['attempts'], 'attempt')}{last}{due}"


def delivery_table(document: DeliveriesDocument) -> str:
    """The deliveries as records with tabs between fields."""
    return table(_TITLES, map(_record, document["deliveries"]))


def _record(each: DeliveryBlock) -> list[object]:
    named = [each["id"], each["job"], each["round"], each["event"], each["target"]]
    return [*named, each["state"], each["attempts"], each["last_result"], each["next_attempt_at"]]
