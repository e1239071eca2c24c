"""``jobctl man``: the manual pages, wherever they are installed."""

from __future__ import annotations

import sys
import textwrap
from typing import TYPE_CHECKING, Annotated

import typer

from jobctl.cli.command import Command
from jobctl.cli.session import Session, session
from jobctl.errors import Exit, JobctlError, UsageError

if TYPE_CHECKING:
    from jobctl.services.pages import ManualPage

#: Columns; text in fewer cannot be read.
_NARROWEST = 30

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command(cls=Command)
def man(
    ctx: typer.Context,
    page: Annotated[
        list[str] | None, typer.Argument(metavar="[PAGE]...", help="A page: submit, input, 5 status; default: jobctl.")
    ] = None,
    every: Annotated[bool, typer.Option("--list", help="List the pages.")] = False,
    path: Annotated[bool, typer.Option("--path", help="Print the folder of the pages, for MANPATH.")] = False,
) -> int:
    """Show a manual page, wherever jobctl is installed.

    Examples:
      jobctl man submit                the page that man jobctl-submit shows
      jobctl man input                 formats of rows, placeholders of commands
      jobctl man 5 status              every key of the JSON document of a job
      jobctl man --list
      export MANPATH="$(jobctl man --path):"      for man jobctl

    On a terminal it uses man or mandoc. In a pipe, and where neither is installed, it prints plain text.
    """
    from jobctl.services.pages import look_up

    shared = session(ctx)
    if every and path:
        raise UsageError("--list and --path at once", hint="give one of them")
    if every or path:
        (_list if every else _print_path)(shared)
        return Exit.OK
    _show(shared, look_up(page or []))
    return Exit.OK


def _show(shared: Session, page: ManualPage) -> None:
    from jobctl.render.mdoc import WIDTH, page_text

    if shared.json:
        shared.emit(page.document(page_text(page.source())))
        return
    if page.path is not None and shared.is_screen(sys.stdout) and sys.stdin.isatty():
        from jobctl.process.manual import missing_pagers, show_page

        for name in missing_pagers():
            shared.note(f"{name} names no program that is here; it is not used")
        sys.stdout.flush()
        if show_page(str(page.path), _pager(shared)):
            return
    with shared.paging():
        sys.stdout.write(page_text(page.source(), max(_NARROWEST, min(WIDTH, shared.look(sys.stdout).width - 2))))


def _pager(shared: Session) -> str | None:
    """The pager that is named for jobctl, ``cat`` for none; None leaves the choice to man, which has variables of its
    own.
    """
    if shared.no_pager:
        return "cat"
    from jobctl.cli.pager import OWN, command_of

    command, source = command_of(shared.output_setting("pager"))
    return (command or "cat") if source in OWN else None


def _list(shared: Session) -> None:
    from jobctl.services.pages import pages

    found = pages()
    if shared.json:
        shared.emit({"schema": "jobctl.man_list/1", "pages": [page.block() for page in found]})
        return
    from jobctl.render.grid import print_grid

    titles, look = ("page", "section", "subject"), shared.look(sys.stdout)
    taken = max(len(page.short) for page in found) + len(titles[1]) + 4
    width = max(_NARROWEST, look.width - taken)
    rows: list[tuple[str, str, str]] = []
    for page in found:
        first, *more = textwrap.wrap(page.summary(), width) or [""]
        rows += [(page.short, page.section, first), *(("", "", line) for line in more)]
    print_grid(titles, rows, sys.stdout, look)


def _print_path(shared: Session) -> None:
    from pathlib import Path

    from jobctl.services.pages import folder

    place = folder()
    if not isinstance(place, Path):
        raise JobctlError("the manual pages are inside an archive, where man cannot read them", hint="jobctl man PAGE")
    if shared.json:
        shared.emit({"schema": "jobctl.man_path/1", "path": str(place)})
    else:
        shared.say(str(place))
