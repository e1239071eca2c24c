"""``jobctl items``: the items of a job."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from jobctl.cli.command import Command
from jobctl.cli.session import Session, session
from jobctl.errors import Exit

if TYPE_CHECKING:
    from jobctl.services.output.items import Listing

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command(cls=Command)
def items(
    ctx: typer.Context,
    target: Annotated[
        str, typer.Argument(metavar="JOB[.ITEM]", help="A job or some of its items: 42, last, 42.17, 42.1-50.")
    ],
    state: Annotated[
        list[str] | None,
        typer.Option(
            "--state", "-s", metavar="STATE", help="List only items in these states: failed,running; may be repeated."
        ),
    ] = None,
    after: Annotated[int, typer.Option(metavar="ITEM", min=0, help="List only the items after this number.")] = 0,
    limit: Annotated[
        int, typer.Option("--limit", "-l", metavar="N", min=0, help="List at most N items; 0 means all.")
    ] = 1000,
) -> int:
    """List the items of a job: what each is doing, or how it ended.

    Examples:
      jobctl items last --state failed          failed items with their messages
      jobctl items 42 --state running,retrying
      jobctl items 42.17 --json                 everything about one item
    """
    from jobctl.domain.selection import parse_states
    from jobctl.services.output.items import Listing

    shared = session(ctx)
    listing = Listing(shared.home, target, parse_states(state or ()), after, limit)
    if shared.json:
        shared.emit(listing.document())
    elif shared.is_terminal(sys.stdout):
        from jobctl.render.items import print_items

        print_items([item for page in listing.pages() for item in page], sys.stdout, shared.look(sys.stdout))
    else:
        _print_rows(shared, listing)
    if listing.next is not None and not shared.json:
        shared.note(f"there are more: add --after {listing.next}, or --limit 0 for all")
    return Exit.OK


def _print_rows(shared: Session, listing: Listing) -> None:
    """Print each page as soon as it is read."""
    from jobctl.render import plain

    shared.say("\t".join(plain.ITEM_TITLES))
    for page in listing.pages():
        for item in page:
            shared.say(plain.item(item))
