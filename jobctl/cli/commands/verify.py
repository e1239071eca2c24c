"""``jobctl verify``: compute again everything that the store says about a job."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from jobctl.cli.command import Command
from jobctl.cli.session import Session, session
from jobctl.errors import Exit

if TYPE_CHECKING:
    from jobctl.services.output.verify import Verification

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command(cls=Command)
def verify(
    ctx: typer.Context,
    job: Annotated[str, typer.Argument(metavar="JOB", help="A number, a name or last.")],
) -> int:
    """Check a job against its data: counters, accepted rows, checksums, and each row once in the result files.

    Examples:
      jobctl verify last
      jobctl verify 42 --json

    This changes nothing. Exit 0 if everything is correct, 1 with a list of findings.
    """
    from jobctl.services.control.targets import job_of
    from jobctl.services.output.verify import verify

    shared = session(ctx)
    found = verify(shared.home, job_of(shared.home, job))
    if shared.json:
        shared.emit(found.document())
    else:
        _report(shared, found)
    return Exit.OK if found.ok else Exit.INTERNAL


def _report(shared: Session, found: Verification) -> None:
    from jobctl.domain.wording import plural
    from jobctl.render.inert import inert

    for finding in found.findings:
        shared.say(f"{finding.code}: {inert(finding.message)}")
    hidden = found.findings_total - len(found.findings)
    if hidden:
        shared.say(f"and {plural(hidden, 'more finding')}")
    verdict = "is correct" if found.ok else f"is not correct: {plural(found.findings_total, 'finding')}"
    rows = f"{plural(found.items, 'item')}, {plural(found.file_rows, 'row')} in {plural(found.files, 'result file')}"
    shared.note(f"job {found.job} {verdict} ({', '.join(found.checked)}; {rows})")
    for what in found.unchecked:
        shared.note(f"  not checked: {what}")
