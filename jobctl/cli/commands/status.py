"""``jobctl status``: all jobs, or everything about some."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from jobctl.cli.job_conditions import ListCommand, list_of, refuse_with_jobs
from jobctl.cli.session import Session, now_us, session
from jobctl.errors import Exit, NotFound, UsageError

if TYPE_CHECKING:
    from jobctl.domain.documents.status import StatusDocument, StatusListDocument
    from jobctl.domain.job_filter import JobList

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command(cls=ListCommand)
def status(
    ctx: typer.Context,
    jobs: Annotated[
        list[str] | None, typer.Argument(metavar="[JOB]...", help="A number, a name, last, or 1,3,5-8.")
    ] = None,
    watch: Annotated[
        bool, typer.Option("--watch", "-w", help="Keep the view up to date until the JOBs are done.")
    ] = False,
    everything: Annotated[bool, typer.Option("--all", "-a", help="Show also all finished jobs, however old.")] = False,
    exit_code: Annotated[
        bool, typer.Option("--exit-code", help="Exit with the result of the jobs, as jobctl wait does.")
    ] = False,
) -> int:
    """Show all jobs, or everything about one.

    Examples:
      jobctl status                  jobs that are not done, and the newest others
      jobctl status 42               one job: state and reason, failures, results
      jobctl status last --watch     the newest job, live, until it is done
      jobctl status --state failed,partial --since yesterday --sort failed
      jobctl status --json           for programs

    This works with and without a daemon, and says whether one is running. It costs the same for ten items and for ten
    million.
    """
    shared = session(ctx)
    listing = _listing(ctx, jobs, everything=everything)
    if watch:
        return _watch(shared, jobs or None, listing)
    if exit_code and not jobs:
        raise UsageError("--exit-code needs a JOB", hint="jobctl status last --exit-code")
    if not jobs:
        _show_list(shared, listing)
        return Exit.OK
    documents = _show_jobs(shared, jobs)
    if exit_code:
        from jobctl.services.daemon.wait import exit_code_of

        return exit_code_of([document["state"] for document in documents])
    return Exit.OK


def _listing(ctx: typer.Context, jobs: list[str] | None, *, everything: bool) -> JobList:
    if jobs:
        refuse_with_jobs(ctx)
    return list_of(ctx, now_us(), everything=everything)


def _show_jobs(shared: Session, words: list[str]) -> list[StatusDocument]:
    from jobctl.services.status.document import bundle_of, status_of

    home, program, now = shared.home, shared.program, now_us()
    documents = status_of(home, words, now, program=program)
    if shared.json:
        shared.emit(bundle_of(home, documents, now))
    elif shared.is_terminal(sys.stdout):
        from jobctl.render.screen import print_pages

        print_pages(documents, sys.stdout, shared.look(sys.stdout))
    else:
        from jobctl.render.job.plain_page import print_plain_pages

        print_plain_pages(documents, sys.stdout)
    return documents


def _show_list(shared: Session, listing: JobList) -> None:
    from jobctl.services.status.document import status_list_of

    document = status_list_of(shared.home, now_us(), listing, program=shared.program)
    if shared.json:
        shared.emit(document)
    elif shared.is_terminal(sys.stdout):
        from jobctl.render.screen import print_jobs

        print_jobs(document, sys.stdout, shared.look(sys.stdout))
    else:
        _print_list(shared, document)


def _print_list(shared: Session, document: StatusListDocument) -> None:
    from jobctl.render import plain

    shared.say(plain.jobs(document))
    if not document["jobs"] and document["jobs_total"]:
        shared.note(plain.no_jobs(document))
    shared.note_unless_empty(plain.more_jobs(document))
    for text in plain.damaged(document):
        shared.note(text)
    if document["daemon"]["state"] == "down" and any(not job["done"] for job in document["jobs"]):
        from jobctl.services.daemon.absence import no_daemon

        shared.note(no_daemon(shared.home, shared.program))


def _watch(shared: Session, jobs: list[str] | None, listing: JobList) -> int:
    from jobctl.cli.live.watching import watch

    try:
        return watch(shared, jobs, listing)
    except NotFound as error:
        if any(job.isdigit() for job in jobs or ()):  # as after watch -n
            error.details = (*error.details, "--watch takes no interval: a number after it is a JOB")
        raise
