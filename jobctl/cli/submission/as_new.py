"""``jobctl retry --as-new``: the new job that a command line asks for."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import TYPE_CHECKING

from typer import Context

from jobctl.cli.session import Session, session
from jobctl.cli.submission.intake import place_of
from jobctl.cli.submission.options import command_line, values
from jobctl.errors import Exit, NotFound, UsageError

if TYPE_CHECKING:
    from jobctl.domain.selection import Selection
    from jobctl.services.submit.copied_job import CopiedJob


def retry_as_new(ctx: Context, targets: Sequence[str]) -> int:
    """Make a new job of rows of another one, and say so; returns the exit code."""
    from jobctl.services.submit.copied_job import CopiedJob
    from jobctl.services.submit.copy_options import check_copy, copy_request

    shared, given, words = session(ctx), values(ctx), command_line(ctx).words
    place = place_of(ctx, foreground=False, may_ask=True)
    job, selection = _rows(ctx, targets)
    copied = CopiedJob(shared.home, copy_request(job, selection, given, words, place), now=place.now)
    check_copy(given, words, copied, place)
    return _dry_run(shared, copied) if given["dry_run"] else _accept(shared, copied, job)


def _dry_run(shared: Session, copied: CopiedJob) -> int:
    from jobctl.cli.submission.dry_run import show
    from jobctl.cli.submission.messages import daemon_slots_planned

    return show(shared, copied.request, copied.preview, planned=daemon_slots_planned)


def _accept(shared: Session, copied: CopiedJob, of: int) -> int:
    from jobctl.cli.submission.accepting import accept_job
    from jobctl.cli.submission.messages import print_messages

    accepted = accept_job(shared, copied.accept)
    if not shared.json:
        shared.say(str(accepted.job))
        shared.note(f"job {accepted.job} has rows of job {of}")
    print_messages(shared, accepted, copied.request, None, waits=False)
    return Exit.OK


def _rows(ctx: Context, targets: Sequence[str]) -> tuple[int, Selection]:
    """The job whose rows are taken, and which of them. Raises NotFound, UsageError."""
    from jobctl.cli.item_conditions import selection_of
    from jobctl.domain.states import ItemState
    from jobctl.services.control.retry import selections
    from jobctl.services.control.targets import targets_of

    try:
        named = targets_of(session(ctx).home, targets)
    except NotFound as error:
        if len(targets) > 1 and not command_line(ctx).separated:
            words = f"retry {targets[0]} --as-new -- {shlex.join(targets[1:])}"
            error.hint = f"the words of a command come after --: {session(ctx).program} {words}"
        raise
    chosen = selections(named, selection_of(ctx), tuple(ItemState))
    if len(chosen) > 1:
        raise UsageError("--as-new takes the rows of one job", hint="give the command once for each job")
    ((job, selection),) = chosen.items()
    return job, selection
