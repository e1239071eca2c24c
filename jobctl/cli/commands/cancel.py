"""``jobctl cancel``: end jobs, or single items."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from jobctl.cli.command import Command, session
from jobctl.cli.session import now_us
from jobctl.errors import Exit

if TYPE_CHECKING:
    from jobctl.services.control.cancel import Cancelled

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command(cls=Command)
def cancel(
    ctx: typer.Context,
    targets: Annotated[list[str], typer.Argument(metavar="JOB[.ITEM]...", help="42, last, 1,3,5-8, 42.17, 42.1-5.")],
    at_once: Annotated[bool, typer.Option("--now", help="Kill without grace.")] = False,
    reason: Annotated[str, typer.Option(metavar="TEXT", help="Kept in the journal.")] = "",
) -> int:
    """End jobs: what runs is stopped with everything it started, what never ran is unprocessed.

    Examples:
      jobctl cancel last
      jobctl cancel 42.17 42.30-35       these items alone; the job goes on
      jobctl cancel 42 --now             kill, without TERM and 10 s before

    Works without a daemon. Cancelling what is done changes nothing and is no error.
    """
    from jobctl.services.control.cancel import cancel as end
    from jobctl.services.control.targets import resolve

    shared = session(ctx)
    database = shared.open()
    wanted = resolve(database, targets)
    database.close()
    results = end(shared.home, wanted, at_once=at_once, reason=reason, now=now_us())
    if shared.json:
        shared.emit({"schema": "jobctl.cancel/1", "cancelled": [_document(result) for result in results]})
        return Exit.OK
    for result in results:
        shared.note(result.sentence)
    return Exit.OK


def _document(result: Cancelled) -> dict[str, object]:
    return {
        "job": result.job,
        "item": result.item,
        "state": result.state,
        "cancelled": result.changed,
        "note": result.note,
    }
