"""Events as lines for people, and as records for pipes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from jobctl.render.clock import local
from jobctl.render.inert import inert
from jobctl.render.look import Look, wrap
from jobctl.render.plain import record

if TYPE_CHECKING:
    from jobctl.domain.documents.event import EventDocument

_TITLES = ("timestamp", "id", "type", "job", "item", "actor", "message")
_STYLES = {
    **dict.fromkeys(("job.succeeded", "item.succeeded", "delivery.delivered"), "32"),
    **dict.fromkeys(("job.partial", "job.expired", "job.failures", "item.failed", "delivery.dead"), "31"),
    "job.failed": "1;31",
    **dict.fromkeys(("job.started", "item.retrying"), "33"),
    **dict.fromkeys(("job.held", "job.paused", "job.cancelling", "queue.paused"), "35"),
    **dict.fromkeys(("job.cancelled", "item.unprocessed"), "90"),
}
_TIME_WIDTH, _ID_WIDTH, _NAME_WIDTH = 8, 6, 7


def event_lines(event: EventDocument, look: Look) -> Iterator[str]:
    """Yield one event: its time, its id, its job or item, and what happened; long sentences continue below."""
    head = (
        f"{local(event['timestamp']):{_TIME_WIDTH}}  {event.get('id', ''):>{_ID_WIDTH}}  {_name(event):{_NAME_WIDTH}}  "
    )
    first, *rest = wrap(inert(event["data"].get("message", "")), look.width - len(head))
    style = _STYLES.get(event["type"], "") if look.color else ""
    for line in (first, *rest):
        yield f"{head}\x1b[{style}m{line}\x1b[0m" if style else f"{head}{line}"
        head = " " * len(head)


def event_titles() -> str:
    """The titles of the records."""
    return record(_TITLES)


def event_record(event: EventDocument) -> str:
    """One event as a record with tabs between fields."""
    data = event["data"]
    named = [event["timestamp"], event.get("id"), event["type"], data["id"], data.get("item")]
    return record([*named, data.get("actor"), data.get("message")])


def _name(event: EventDocument) -> str:
    """``42`` for a job, ``42.17`` for an item; a dash for an event of a queue or of the store."""
    data = event["data"]
    if data["id"] is None:
        return "-"
    return f"{data['id']}.{data['item']}" if "item" in data else str(data["id"])
