"""``jobctl explain``: why a job or an item is in its state."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from jobctl.cli.command import Command
from jobctl.cli.session import now_us, session
from jobctl.errors import Exit

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command(cls=Command)
def explain(
    ctx: typer.Context,
    target: Annotated[str, typer.Argument(metavar="JOB[.ITEM]", help="A job, or one item of it: 42 or 42.17.")],
) -> int:
    """Explain the state of a job or an item: what holds it back, what has happened to it, and what to do next.

    Examples:
      jobctl explain 42
      jobctl explain last.17
    """
    from jobctl.services.why.explain import explain_target

    shared = session(ctx)
    document = explain_target(shared.home, target, now_us(), program=shared.program)
    if shared.json:
        shared.emit(document)
        return Exit.OK
    from jobctl.render.explain import explain_lines

    for line in explain_lines(document, shared.colorless_look(sys.stdout)):
        shared.say(line)
    return Exit.OK
