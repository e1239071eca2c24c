"""The table of queues."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TextIO

from jobctl.render.clock import local
from jobctl.render.grid import print_grid
from jobctl.render.look import Look

if TYPE_CHECKING:
    from jobctl.domain.documents.queues import QueueDocument

_TITLES = ("queue", "slots", "rate", "state", "jobs", "queued", "running")


def print_queues(queues: Sequence[QueueDocument], stream: TextIO, look: Look) -> None:
    """Print the queues; a terminal shows local times, programs get them as they are."""
    moment = local if look.terminal else str
    print_grid(_TITLES, [_cells(queue, moment) for queue in queues], stream, look)


def _cells(queue: QueueDocument, moment: Callable[[str], str]) -> list[object]:
    state = f"paused since {moment(queue['paused_at'])}" if queue["paused_at"] else "open"
    if queue["pause_reason"]:
        state += f" ({queue['pause_reason']})"
    loads = (queue["jobs"], queue["queued"], queue["running"])
    return [queue["name"], queue["slots"], queue["rate"], state, *loads]
