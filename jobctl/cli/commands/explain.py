"""``jobctl explain``: why a job or an item is where it is."""

from __future__ import annotations

from typing import Annotated

import typer

from jobctl.cli.command import Command, session
from jobctl.cli.session import now_us
from jobctl.errors import Exit, UsageError

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command(cls=Command)
def explain(
    ctx: typer.Context,
    target: Annotated[str, typer.Argument(metavar="JOB[.ITEM]", help="A job, or one item of it: 42 or 42.17.")],
) -> int:
    """Say why a job or an item is in its state, what holds it back, what happened to it, and what to do next.

    Examples:
      jobctl explain 42
      jobctl explain last.17
    """
    from jobctl.services.control.targets import resolve
    from jobctl.services.why.explain import explain as why

    shared = session(ctx)
    database = shared.open()
    found = resolve(database, [target])
    if len(found) != 1 or found[0].last is not None:
        raise UsageError(f"{target!r} is more than one", hint="jobctl explain 42, or jobctl explain 42.17")
    document = why(database, shared.home, found[0], now_us(), program=shared.program)
    database.close()
    if shared.json:
        shared.emit(document)
        return Exit.OK
    from jobctl.render.explain import explain_lines

    for line in explain_lines(document):
        shared.say(line)
    return Exit.OK
