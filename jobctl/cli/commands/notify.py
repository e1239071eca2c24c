"""``jobctl notify``: the notifications about the ends of jobs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from jobctl.cli.command import Command, subcommands
from jobctl.cli.session import Session, now_us, session
from jobctl.errors import Exit

if TYPE_CHECKING:
    from jobctl.domain.documents.notify import DeliveriesDocument

app = subcommands(
    """Show what happened to notifications, and send them again.

    Examples:
      jobctl notify list 42
      jobctl notify resend msg_0193a5c2
    """
)


@app.command("list", cls=Command)
def list_(
    ctx: typer.Context,
    job: Annotated[str | None, typer.Argument(metavar="[JOB]", help="Show only the notifications of this job.")] = None,
) -> int:
    """Show every notification with its attempts.

    Examples:
      jobctl notify list
      jobctl notify list last --json
    """
    from jobctl.services.notify import SCHEMA, deliveries_of

    shared = session(ctx)
    nothing: DeliveriesDocument = {"schema": SCHEMA, "deliveries": []}
    if job is not None:
        document = deliveries_of(shared.home, job)
    else:
        document = shared.if_store_exists(lambda: deliveries_of(shared.home, None), nothing)
    if shared.json:
        shared.emit(document)
    else:
        _show(shared, document)
    return Exit.OK


def _show(shared: Session, document: DeliveriesDocument) -> None:
    if not document["deliveries"]:
        shared.note("there are no notifications; see --notify and --on-done of jobctl submit")
        return
    from jobctl.render.deliveries import delivery_lines, delivery_table

    for line in (delivery_table(document),) if shared.plain else delivery_lines(document):
        shared.say(line)


@app.command(cls=Command)
def resend(
    ctx: typer.Context,
    delivery: Annotated[
        str, typer.Argument(metavar="ID", help="The id of a notification, or its first characters; see notify list.")
    ],
) -> int:
    """Send a notification again, with the same id and body and a new schedule of attempts.

    Example:
      jobctl notify resend msg_0193a5c2
    """
    from jobctl.services.notify import resend

    shared = session(ctx)
    sent = resend(shared.home, delivery, now=now_us())
    if shared.json:
        shared.emit(sent.document())
        return Exit.OK
    sender = "the daemon sends it" if sent.daemon is not None else f"start a daemon: {shared.program} daemon start"
    shared.note(f"{sent.delivery} to {sent.target}, which was {sent.was}, is sent again; {sender}")
    return Exit.OK
