"""``jobctl items``: the items of a job."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from jobctl.cli.item_conditions import CONDITIONS, FAILED, ItemsCommand, selection_of
from jobctl.cli.session import Session, now_us, session
from jobctl.errors import Exit

if TYPE_CHECKING:
    from jobctl.services.output.items import Listing

app = typer.Typer(add_completion=False, rich_markup_mode=None)


class ItemListCommand(ItemsCommand):
    """The command, with the options that select items."""

    item_conditions = (*CONDITIONS, FAILED)


@app.command(cls=ItemListCommand)
def items(
    ctx: typer.Context,
    target: Annotated[
        str, typer.Argument(metavar="JOB[.ITEM]", help="A job or some of its items: 42, last, 42.17, 42.1-50.")
    ],
    after: Annotated[int, typer.Option(metavar="ITEM", min=0, help="List only the items after this number.")] = 0,
    limit: Annotated[
        int, typer.Option("--limit", "-l", metavar="N", min=0, help="List at most N items; 0 means all.")
    ] = 1000,
) -> int:
    """List the items of a job: what each is doing, or how it ended.

    Examples:
      jobctl items last --state failed          failed items with their messages
      jobctl items 42 --cause timeout           items that failed for one cause
      jobctl items 42 --where 'size > 100 and duration > 60'
      jobctl items 42.17 --json                 everything about one item

    --where takes columns of the row, and of the outcome: state, cause, message, exit_code, signal, attempts, duration,
    cpu, memory, started, finished and others. Different options narrow the selection.
    """
    from jobctl.services.output.items import Listing

    shared, selection = session(ctx), selection_of(ctx)
    listing = Listing(shared.home, target, selection, after, limit, now=now_us())
    if shared.json:
        shared.emit(listing.document())
    elif shared.is_terminal(sys.stdout):
        _print_table(shared, listing)
    else:
        _print_rows(shared, listing)
    if listing.next is None or not shared.json:
        shared.note_unless_empty(listing.note())
    return Exit.OK


def _print_table(shared: Session, listing: Listing) -> None:
    from jobctl.render.items import print_pages

    print_pages(listing.pages(), sys.stdout, shared.look(sys.stdout))


def _print_rows(shared: Session, listing: Listing) -> None:
    """Print each page as soon as it is read."""
    from jobctl.render import plain

    shared.say("\t".join(plain.ITEM_TITLES))
    for page in listing.pages():
        for item in page:
            shared.say(plain.item(item))
