"""The report of a prune, before it and after it."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from jobctl.cli.session import Session
from jobctl.render.choice import INDENT, SHOWN

if TYPE_CHECKING:
    from jobctl.services.control.prune_choice import KeptJob, Pruned, PrunedJob


def permit_removal(shared: Session, planned: Pruned) -> None:
    """Return if the jobs of a dry run may be removed. Raises UsageError where nobody can be asked, Exit after a no."""
    from jobctl.cli.asking import permit
    from jobctl.domain.wording import number, plural, size
    from jobctl.render.look import cut

    if not planned.jobs:
        return
    items, file_bytes = sum(job.items for job in planned.jobs), sum(job.file_bytes for job in planned.jobs)
    deed = f"remove {plural(len(planned.jobs), 'job')} with {plural(items, 'item')} and {size(file_bytes)} of files"
    more = len(planned.jobs) - SHOWN
    look = shared.colorless_look(sys.stderr)
    lines = [cut(_facts(job), look.width - INDENT, look) for job in planned.jobs[:SHOWN]]
    lines += [f"and {number(more)} more"] if more > 0 else []
    permit(shared, f"{deed}, for ever", lines, yes=False)


def _facts(job: PrunedJob) -> str:
    from jobctl.domain.wording import plural, size
    from jobctl.render.clock import local
    from jobctl.render.inert import inert

    ended = local(job.finished_at)
    return f"{job.job}  {inert(job.name)}  {job.state} {ended}, {plural(job.items, 'item')}, {size(job.file_bytes)}"


def _kept_line(kept: Sequence[KeptJob], why: str) -> str:
    """One line for all jobs that are kept for one reason."""
    from jobctl.render.inert import inert

    named = ", ".join(f"{job.job} ({inert(job.name)})" for job in kept[:SHOWN])
    more = f" and {len(kept) - SHOWN} more" if len(kept) > SHOWN else ""
    return f"job {named} stays: {why}" if len(kept) == 1 else f"jobs {named}{more} stay: {why}"


def tell(shared: Session, report: Pruned, *, named: bool) -> None:
    """Print the jobs that were removed, or would be, those that stay with the reason, and the space that is free."""
    from jobctl.domain.durations import format_given
    from jobctl.domain.wording import plural, size
    from jobctl.render.clock import local
    from jobctl.render.inert import inert

    if shared.is_terminal(sys.stdout) and report.jobs:
        from jobctl.render.grid import print_grid

        cells = [(j.job, j.name, j.state, local(j.finished_at), j.items, size(j.file_bytes)) for j in report.jobs]
        print_grid(("job", "name", "state", "finished", "items", "files"), cells, sys.stdout, shared.look(sys.stdout))
    else:
        for job in report.jobs:
            facts = f"{job.state} {job.finished_at}, {plural(job.items, 'item')}, {size(job.file_bytes)} of files"
            shared.say(f"{job.job}\t{inert(job.name)}\t{facts}")
    for why in dict.fromkeys(kept.why for kept in report.kept):
        shared.note(_kept_line([kept for kept in report.kept if kept.why == why], why))
    which = "" if named else f" done for more than {format_given(report.older_than_s)}"
    if report.dry_run:
        shared.note(f"{plural(len(report.jobs), 'job')}{which} would be removed; nothing was changed")
        return
    if report.finished:
        numbers = ", ".join(map(str, report.finished[:SHOWN])) + (", ..." if len(report.finished) > SHOWN else "")
        shared.note(f"finished what an interrupted prune had begun to remove: job {numbers}")
    if report.jobs or report.file_bytes or report.database_bytes > 0:
        freed = f"{size(report.file_bytes)} of files, {size(max(0, report.database_bytes))} of database"
        shared.note(f"{plural(len(report.jobs), 'job')}{which} removed: {freed}")
    else:
        shared.note(f"no job{which}: nothing was removed" if not report.kept else f"no job{which} was removed")
    _name_set_aside(shared, report)


def _name_set_aside(shared: Session, report: Pruned) -> None:
    from jobctl.render.inert import inert

    if report.set_aside:
        shared.note(
            f"{', '.join(report.set_aside)} in {inert(str(shared.home.root))}: saved from a damaged or removed"
            " database, may hold rows of removed jobs; jobctl never deletes it, so delete it when you do not need it"
        )
