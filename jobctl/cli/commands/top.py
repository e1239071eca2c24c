"""``jobctl top``: jobs, items, failures and logs on the whole screen."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import typer

from jobctl.cli.command import Command
from jobctl.cli.session import session
from jobctl.errors import Exit, UsageError

if TYPE_CHECKING:
    from jobctl.tui.app import Top

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command(cls=Command)
def top(ctx: typer.Context) -> int:
    """Browse jobs, items, failures and logs on the whole screen; cancel, retry and pause with a key.

    Examples:
      jobctl top
      jobctl --home /srv/jobs top

    top needs the extra tui: pip install 'jobctl[tui]'. Enter opens the line under the cursor, Esc goes back, q leaves;
    the work continues. top asks before it cancels anything. Without a terminal, use jobctl status.
    """
    from jobctl.services.status.watched import check_store

    shared = session(ctx)
    if not (shared.is_screen(sys.stdout) and sys.stdin.isatty()) or shared.json:
        hint = f"{shared.program} status {'--json' if shared.json else '--watch'}"
        raise UsageError("top needs a terminal", hint=hint)
    browser = _browser()
    check_store(shared.home)  # a store that is missing or damaged is reported before the screen is drawn
    if not shared.colors(sys.stdout):
        os.environ["NO_COLOR"] = "1"
    screen = browser(shared.home, shared.program)
    screen.run()
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
