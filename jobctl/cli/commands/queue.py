"""``jobctl queue``: queues, which have limits of their own."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from jobctl.cli.command import Command, subcommands
from jobctl.cli.session import now_us, session
from jobctl.errors import Exit

if TYPE_CHECKING:
    from jobctl.domain.documents.queues import QueuesDocument

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
    document = shared.if_store_exists(lambda: queues_document(shared.home), nothing)
    if shared.json:
        shared.emit(document)
    else:
        from jobctl.render.queues import print_queues

        print_queues(document["queues"], sys.stdout, shared.look(sys.stdout))
    return Exit.OK


@app.command("set", cls=Command)
def set_(
    ctx: typer.Context,
    queue: Annotated[str, typer.Argument(metavar="QUEUE", help="The name of the queue; a new name creates a queue.")],
    settings: Annotated[
        list[str], typer.Argument(metavar="NAME=VALUE...", help="slots=N or rate=100/s; none removes the limit.")
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
    set_queue(shared.home, queue, changes, now=now_us())
    if shared.json:
        shared.emit(queues_document(shared.home, queue))
    else:
        shared.note(f"queue {queue}: {', '.join(f'{name} {value}' for name, value in changes.items())}")
    return Exit.OK
