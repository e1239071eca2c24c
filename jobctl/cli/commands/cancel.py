"""``jobctl cancel``: end jobs, or single items."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from jobctl.cli.item_conditions import CAUSE, ITEMS, WHERE, ItemsCommand, options_given, selection_of
from jobctl.cli.job_conditions import (
    ALL,
    LABEL,
    NAME,
    QUEUE,
    SINCE,
    STATE,
    EndCommand,
    refuse_with_jobs,
    value_of,
)
from jobctl.cli.session import Session, now_us, session
from jobctl.errors import Exit, UsageError

if TYPE_CHECKING:
    from jobctl.cli.live.waiting_line import WaitingLine
    from jobctl.domain.selection import Selection
    from jobctl.services.control.cancel import Cancelled
    from jobctl.services.control.targets import Target

_STATE_HELP = "Only jobs in these states; with JOB, only its items in these: queued,running. May be repeated."

app = typer.Typer(add_completion=False, rich_markup_mode=None)


class CancelCommand(ItemsCommand, EndCommand):
    """The command, with the options that select jobs, and those that select items of a job."""

    conditions = (STATE._replace(help=_STATE_HELP), *EndCommand.conditions[1:])
    item_conditions = (CAUSE, WHERE, ITEMS)
    on_first_screen = ("--now", "--reason", "--where", "--items", "--state", "--name", "--label", "--all", "--yes")


@app.command(cls=CancelCommand)
def cancel(
    ctx: typer.Context,
    targets: Annotated[
        list[str] | None,
        typer.Argument(metavar="[JOB[.ITEM]]...", help="Jobs or items: 42, last, 1,3,5-8, 42.17, 42.1-5."),
    ] = None,
    at_once: Annotated[bool, typer.Option("--now", help="Send KILL at once, without TERM and a grace period.")] = False,
    reason: Annotated[str, typer.Option(metavar="TEXT", help="The reason, which the journal of the job keeps.")] = "",
) -> int:
    """End jobs or items: stop running items with all their processes, and leave the others unprocessed.

    Examples:
      jobctl cancel last
      jobctl cancel 42.17 42.30-35       only these items; the job continues
      jobctl cancel 42 --now             kill at once, without TERM first
      jobctl cancel --name 'nightly*'    all jobs of these names, after a question
      jobctl cancel 42 --where 'size > 100'   these items alone; the job continues

    This works without a daemon. Cancelling a job that is done changes nothing and is not an error. With conditions on
    jobs or --all, and with a name that several jobs have, cancel lists the jobs and asks; without a terminal, it needs
    --yes or numbers.
    """
    from jobctl.services.control.targets import MAX_WRITTEN_OUT, count_named, targets_of

    shared, selection = session(ctx), _selection(ctx, targets or [])
    wanted = targets_of(shared.home, _words(ctx, targets or []))
    if selection.is_default and count_named(wanted) <= MAX_WRITTEN_OUT:
        _cancel_each(shared, wanted, at_once=at_once, reason=reason)
    elif wanted:
        _cancel_items(shared, wanted, selection, at_once=at_once, reason=reason)
    return Exit.OK


def _selection(ctx: typer.Context, words: list[str]) -> Selection:
    """The items of the named jobs that are selected."""
    given = options_given(ctx)
    if given and not words:
        raise UsageError(
            f"{given[0]} selects items of a job, and JOB is missing", hint=f"{ctx.command_path} JOB {given[0]} ..."
        )
    return selection_of(ctx, (value_of(ctx, STATE) or ()) if words else ())


def _cancel_each(shared: Session, wanted: list[Target], *, at_once: bool, reason: str) -> None:
    from jobctl.services.control.cancel import cancel_document

    results = _cancel(shared, wanted, at_once=at_once, reason=reason)
    if shared.json:
        shared.emit(cancel_document(results))
        return
    for result in results:
        shared.note(result.sentence)


def _cancel_items(shared: Session, wanted: list[Target], selection: Selection, *, at_once: bool, reason: str) -> None:
    from jobctl.cli.live.waiting_line import for_cancel_of_items
    from jobctl.services.control.cancel_items import ItemsToCancel, cancel_items, items_document
    from jobctl.services.selection import for_each_job

    chosen = for_each_job(wanted, selection, "cancelled")
    line = for_cancel_of_items(shared, list(chosen), at_once=at_once)
    with _waiting(shared, line, next(iter(chosen))):
        results = cancel_items(shared.home, chosen, ItemsToCancel(at_once, reason, now_us(), line.draw))
    if shared.json:
        shared.emit(items_document(results))
        return
    for result in results:
        shared.note(result.sentence)


def _cancel(shared: Session, wanted: list[Target], *, at_once: bool, reason: str) -> list[Cancelled]:
    from jobctl.cli.live.waiting_line import for_cancel
    from jobctl.services.control.cancel import cancel

    line = for_cancel(shared, wanted, at_once=at_once)
    with _waiting(shared, line, wanted[0].job if wanted else 0):
        return cancel(shared.home, wanted, at_once=at_once, reason=reason, now=now_us(), look=line.draw)


@contextlib.contextmanager
def _waiting(shared: Session, line: WaitingLine, job: int) -> Iterator[None]:
    """A wait with its line; Ctrl-C leaves it, and a sentence says what happens then."""
    try:
        with line:
            yield
    except KeyboardInterrupt:
        follow = f"not waiting any more; the cancel continues: {shared.program} status {job}"
        shared.note(f"\n{follow}" if line.has_begun else "\nnothing was changed")
        raise


def _words(ctx: typer.Context, targets: list[str]) -> list[str]:
    """The jobs and items to cancel, as numbers."""
    from jobctl.cli.choosing import check_words, clear_words, selected_to_end
    from jobctl.services.control.job_choice import CANCEL

    if targets:
        refuse_with_jobs(ctx, (NAME, LABEL, QUEUE, SINCE, ALL))  # --state selects items then
        return clear_words(ctx, targets, CANCEL)
    check_words(ctx, targets)
    return [str(job) for job in selected_to_end(ctx, CANCEL, "cancel")]
