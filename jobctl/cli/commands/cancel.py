"""``jobctl cancel``: end jobs, or single items."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from jobctl.cli.job_conditions import EndCommand
from jobctl.cli.session import Session, now_us, session
from jobctl.errors import Exit

if TYPE_CHECKING:
    from jobctl.services.control.cancel import Cancelled
    from jobctl.services.control.targets import Target

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command(cls=EndCommand)
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

    This works without a daemon. Cancelling a job that is done changes nothing and is not an error. With conditions or
    --all, and with a name that several jobs have, cancel lists the jobs and asks; without a terminal, it needs --yes or
    numbers.
    """
    from jobctl.services.control.cancel import cancel_document
    from jobctl.services.control.targets import targets_of

    shared = session(ctx)
    wanted = targets_of(shared.home, _words(ctx, targets or []))
    results = _cancel(shared, wanted, at_once=at_once, reason=reason)
    if shared.json:
        shared.emit(cancel_document(results))
        return Exit.OK
    for result in results:
        shared.note(result.sentence)
    return Exit.OK


def _cancel(shared: Session, wanted: list[Target], *, at_once: bool, reason: str) -> list[Cancelled]:
    from jobctl.cli.live.waiting_line import for_cancel
    from jobctl.services.control.cancel import cancel

    line = for_cancel(shared, wanted, at_once=at_once)
    try:
        with line:
            return cancel(shared.home, wanted, at_once=at_once, reason=reason, now=now_us(), look=line.draw)
    except KeyboardInterrupt:
        follow = f"not waiting any more; the cancel continues: {shared.program} status {wanted[0].job}"
        shared.note(f"\n{follow}" if line.has_begun else "\nnothing was changed")
        raise


def _words(ctx: typer.Context, targets: list[str]) -> list[str]:
    """The jobs and items to cancel, as numbers."""
    from jobctl.cli.choosing import check_words, clear_words, selected_to_end
    from jobctl.services.control.job_choice import CANCEL

    check_words(ctx, targets)
    if targets:
        return clear_words(ctx, targets, CANCEL)
    return [str(job) for job in selected_to_end(ctx, CANCEL, "cancel")]
