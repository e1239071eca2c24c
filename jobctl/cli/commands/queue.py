"""``jobctl queue``: queues, which have limits of their own."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any

import typer

from jobctl.cli.command import Command, subcommands
from jobctl.cli.session import Session, session
from jobctl.errors import Exit

if TYPE_CHECKING:
    from jobctl.domain.documents.queues import QueueDocument, QueuesDocument

app = subcommands("Show queues and change their limits.")


@app.command("list", cls=Command)
def list_(ctx: typer.Context) -> int:
    """Show every queue: its limits, and how many items wait and run in it.

    Example:
      jobctl queue list
    """
    from jobctl.services.control.queues import SCHEMA, queues_document

    shared = session(ctx)
    nothing: QueuesDocument = {"schema": SCHEMA, "queues": []}
    document = shared.if_any(lambda: queues_document(shared.home), nothing)
    if shared.json:
        shared.emit(document)
    else:
        _show(shared, document["queues"])
    return Exit.OK


def _show(shared: Session, queues: list[QueueDocument]) -> None:
    from jobctl.render.clock import local
    from jobctl.render.grid import print_grid

    titles = ("queue", "slots", "rate", "state", "jobs", "queued", "running")
    moment = local if shared.is_terminal(sys.stdout) else str
    print_grid(titles, [_cells(queue, moment) for queue in queues], sys.stdout, shared.look(sys.stdout))


def _cells(document: QueueDocument, moment: Callable[[str], str]) -> list[Any]:
    """The cells of one queue; ``moment`` formats a time, for people or for programs."""
    state = f"paused since {moment(document['paused_at'])}" if document["paused_at"] else "open"
    if document["pause_reason"]:
        state += f" ({document['pause_reason']})"
    loads = [document[name] for name in ("jobs", "queued", "running")]
    return [document["name"], document["slots"], document["rate"], state, *loads]


@app.command("set", cls=Command)
def set_(
    ctx: typer.Context,
    queue: Annotated[str, typer.Argument(metavar="QUEUE", help="The name of the queue; a new name makes a queue.")],
    settings: Annotated[
        list[str], typer.Argument(metavar="NAME=VALUE...", help="slots=N, rate=100/s; none takes a limit away.")
    ],
) -> int:
    """Limit a queue: how many of its items run at once, and how many start per second, minute or hour.

    Examples:
      jobctl queue set downloads slots=4 rate=10/s
      jobctl queue set downloads rate=none
    """
    from jobctl.services.control.queues import queues_document
    from jobctl.services.control.rules import parse_settings, set_queue

    shared = session(ctx)
    changes = parse_settings(settings)
    set_queue(shared.home, queue, changes)
    if shared.json:
        shared.emit(queues_document(shared.home, queue))
    else:
        shared.note(f"queue {queue}: {', '.join(f'{name} {value}' for name, value in changes.items())}")
    return Exit.OK
