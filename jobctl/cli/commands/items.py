"""``jobctl items``: the rows of a job."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from jobctl.cli.command import Command, session
from jobctl.cli.session import Session
from jobctl.errors import Exit, UsageError

if TYPE_CHECKING:
    from jobctl.domain.documents.items import ItemBlock

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command(cls=Command)
def items(
    ctx: typer.Context,
    target: Annotated[str, typer.Argument(metavar="JOB[.ITEM]", help="42, last, a name, 42.17, 42.1-50.")],
    state: Annotated[
        list[str] | None, typer.Option("--state", "-s", metavar="STATE", help="Only these: failed,running; repeatable.")
    ] = None,
    after: Annotated[int, typer.Option(metavar="ITEM", min=0, help="Go on after this number.")] = 0,
    limit: Annotated[int, typer.Option("--limit", "-l", metavar="N", min=0, help="At most so many; 0 = all.")] = 1000,
) -> int:
    """List the rows of a job: what each is doing or how it ended.

    Examples:
      jobctl items last --state failed          what failed, with its last words
      jobctl items 42 --state running,retrying
      jobctl items 42.17 --json                 everything about one
    """
    from jobctl.services.control.targets import resolve
    from jobctl.services.output.items import parse_states
    from jobctl.store.views import jobs as job_views

    shared = session(ctx)
    states = parse_states(state or ())
    database = shared.open()
    targets = resolve(database, [target])
    if any(each.job != targets[0].job for each in targets):
        raise UsageError(f"{target!r} names several jobs", hint="give one job, or items of one")
    job = job_views.job(database, targets[0].job)
    assert job is not None
    listing = _Listing(shared, job)
    for each in targets:
        listing.add(database, each, states, after, limit)
    listing.finish()
    return Exit.OK


class _Listing:
    """Pages of items, printed as they are read, so that a list of any length starts at once."""

    def __init__(self, shared: Session, job: Any) -> None:
        self._shared = shared
        self._job = job
        self._columns = json.loads(job.columns)
        self._documents: list[ItemBlock] = []
        self._streaming = not shared.json and not shared.is_terminal(sys.stdout)
        self._next: int | None = None
        if self._streaming:
            from jobctl.render.plain import ITEM_TITLES

            shared.say("\t".join(ITEM_TITLES))

    def add(self, database: Any, target: Any, states: Any, after: int, limit: int) -> None:
        from jobctl.services.output.items import PAGE, Query, query

        wanted = Query(target, tuple(states), after, limit or None)
        for page in query(database, wanted, PAGE):
            self._take(page.items)
            self._next = page.next

    def _take(self, found: list[Any]) -> None:
        from jobctl.services.output.items import item_document

        documents = [item_document(self._job.id, item, self._columns, self._job.input_format) for item in found]
        if not self._streaming:
            self._documents += documents
            return
        from jobctl.render import plain

        for document in documents:
            self._shared.say(plain.item(document))

    def finish(self) -> None:
        """Print what was kept, and how to go on."""
        shared, job = self._shared, self._job
        if shared.json:
            shared.emit({"schema": "jobctl.items/1", "job": job.id, "items": self._documents, "next": self._next})
            return
        if not self._streaming:
            from jobctl.render.items import print_items

            print_items(self._documents, sys.stdout, shared.look(sys.stdout))
        if self._next is not None:
            shared.note(f"there are more: add --after {self._next}, or --limit 0 for all")
