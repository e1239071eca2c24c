"""``jobctl top``: jobs, items, failures and logs on the whole screen."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from jobctl.cli.command import Command
from jobctl.cli.session import Session, session
from jobctl.errors import Exit, UsageError

if TYPE_CHECKING:
    from jobctl.tui.app import Top

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command(cls=Command)
def top(
    ctx: typer.Context,
    job: Annotated[
        str | None, typer.Argument(metavar="[JOB[.ITEM]]", help="The job or the item to show first: 42 or 42.17.")
    ] = None,
) -> int:
    """Browse jobs, items, failures and logs on the whole screen; cancel, retry and pause with a key.

    Examples:
      jobctl top
      jobctl top nightly
      jobctl --home /srv/jobs top

    top needs the extra tui: pip install 'jobctl[tui]'. ? lists the keys, Enter opens the line under the cursor,
    / filters, Esc goes back, q leaves; the work continues. top asks before it cancels anything or runs it again. It
    waits if there is no job yet. Without a terminal, use jobctl status.
    """
    from jobctl.services.status.watched import first_of

    shared = session(ctx)
    if not (shared.is_screen(sys.stdout) and sys.stdin.isatty()) or shared.json:
        hint = f"{shared.program} status {'--json' if shared.json else '--watch'}"
        raise UsageError(f"top needs a terminal{_why_not(shared)}", hint=hint)
    browser = _browser()
    first = first_of(shared.home, job)  # a store that is damaged is reported before the screen is drawn
    if not shared.colors(sys.stdout):
        os.environ["NO_COLOR"] = "1"
    return _run(browser(shared.home, shared.program, first))


def _run(screen: Top) -> int:
    screen.run()
    if screen.failure is not None:
        raise screen.failure
    return screen.return_code or Exit.OK


def _browser() -> type[Top]:
    try:
        from jobctl.tui.app import Top
    except ModuleNotFoundError as missing:
        if (missing.name or "").partition(".")[0] != "textual":
            raise
        raise UsageError(
            "top needs the package textual, which is not installed", hint="pip install 'jobctl[tui]'"
        ) from missing
    return Top


def _why_not(shared: Session) -> str:
    """What is wrong with a terminal on which no screen can be drawn; empty if there is none."""
    can_draw = shared.is_screen(sys.stdout) or not shared.is_terminal(sys.stdout)
    return "" if can_draw else f" that can draw a screen, and TERM is {os.environ.get('TERM') or 'not set'}"
