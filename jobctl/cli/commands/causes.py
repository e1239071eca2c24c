"""``jobctl causes``: all causes of failure of a job."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from jobctl.cli.item_conditions import CAUSE, ITEMS, WHERE, ItemsCommand, options_given, selection_of
from jobctl.cli.session import Session, now_us, session
from jobctl.domain.wording import plural
from jobctl.errors import Exit

if TYPE_CHECKING:
    from jobctl.domain.documents.causes import CausesDocument

app = typer.Typer(add_completion=False, rich_markup_mode=None)


class CausesCommand(ItemsCommand):
    """The command, with the options that select failed items."""

    item_conditions = (CAUSE, WHERE, ITEMS)


@app.command(cls=CausesCommand)
def causes(
    ctx: typer.Context,
    job: Annotated[str, typer.Argument(metavar="JOB", help="A number, a name or last.")],
    sort: Annotated[
        str,
        typer.Option(metavar="items|first|last", help="Sort by number of failed items, or by first or last time."),
    ] = "items",
    limit: Annotated[int, typer.Option("--limit", "-l", metavar="N", min=0, help="List at most N; 0 means all.")] = 0,
) -> int:
    """List all causes of failure of a job, with the messages of some items as they wrote them.

    Examples:
      jobctl causes last
      jobctl causes 42 --sort last --limit 5    what has failed most recently
      jobctl causes 42 --where 'size > 100'     of some of the items that failed
      jobctl items 42 --cause timeout           the items of one cause

    Attempts that failed alike are one cause. A cause of which no item is failed now was met by attempts before a
    retry, or by items that wait for another attempt. With --cause, --where or --items, the numbers and messages are
    those of selected items that are failed; attempts and times are those of the whole cause.
    """
    from jobctl.services.causes import Wanted, causes_of, parse_sort

    shared = session(ctx)
    wanted = Wanted(parse_sort(sort), limit, selection_of(ctx), now_us())
    document = causes_of(shared.home, job, wanted, program=shared.program)
    hidden = document["causes_total"] - len(document["causes"])
    if shared.json:
        shared.emit(document)
    elif not document["causes_total"]:
        shared.note(f"no {'selected ' if options_given(ctx) else ''}item of job {document['job']} has failed")
    else:
        _print(shared, document)
    if hidden and not shared.json:
        shared.note(f"there are {plural(hidden, 'more cause')}: leave out --limit")
    return Exit.OK


def _print(shared: Session, document: CausesDocument) -> None:
    from jobctl.render.causes import cause_lines, cause_table

    if not shared.is_terminal(sys.stdout):
        shared.say(cause_table(document))
        return
    for line in cause_lines(document, shared.colorless_look(sys.stdout)):
        shared.say(line)
