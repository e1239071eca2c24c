"""``jobctl status``: all jobs, or everything about some."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from jobctl.cli.command import Command, session
from jobctl.cli.session import Session, now_us
from jobctl.errors import Exit, NotFound, UsageError

if TYPE_CHECKING:
    from jobctl.domain.documents.status import StatusDocument, StatusListDocument

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command(cls=Command)
def status(
    ctx: typer.Context,
    jobs: Annotated[
        list[str] | None, typer.Argument(metavar="[JOB]...", help="A number, a name, last, or 1,3,5-8.")
    ] = None,
    watch: Annotated[bool, typer.Option("--watch", "-w", help="Keep showing it; ends when the JOBs are done.")] = False,
    everything: Annotated[bool, typer.Option("--all", "-a", help="Finished jobs too, however old.")] = False,
    exit_code: Annotated[
        bool, typer.Option("--exit-code", help="Exit as the jobs ended: 0, 3 partial, 4 failed, 5, 6.")
    ] = False,
) -> int:
    """Show all jobs, or everything about one.

    Examples:
      jobctl status                  jobs that are not done, and the newest others
      jobctl status 42               one job: state and why, failures, results
      jobctl status last --watch     the newest job, live, until it is done
      jobctl status --json           for programs

    Works with the daemon up or down, and says which. It costs the same for ten items and for ten million.
    """
    shared = session(ctx)
    if watch:
        return _watch(shared, jobs or [], everything)
    if not jobs:
        if exit_code:
            raise UsageError("--exit-code needs a JOB", hint="jobctl status last --exit-code")
        _show_list(shared, everything)
        return Exit.OK
    from jobctl.services.control.targets import resolve_jobs
    from jobctl.services.status.document import bundle, job_documents

    database, now = shared.open(), now_us()
    documents = job_documents(database, shared.home, resolve_jobs(database, jobs), now, program=shared.program)
    if shared.json:
        shared.emit(documents[0] if len(documents) == 1 else bundle(database, documents, now))
    else:
        _show_pages(shared, documents)
    if exit_code:
        from jobctl.services.daemon.wait import exit_code_of

        return exit_code_of([document["state"] for document in documents])
    return Exit.OK


def _show_list(shared: Session, everything: bool) -> None:
    document = _list_document(shared, everything)
    if shared.json:
        shared.emit(document)
    elif shared.is_terminal(sys.stdout):
        from jobctl.render.screen import print_jobs

        print_jobs(document, sys.stdout, shared.look(sys.stdout))
    else:
        from jobctl.render import plain

        shared.say(plain.jobs(document))
        for text in plain.damaged(document):
            shared.note(text)
        if document["daemon"]["state"] == "down" and any(not job["done"] for job in document["jobs"]):
            from jobctl.cli.presence import note_if_down

            note_if_down(shared)


def _list_document(shared: Session, everything: bool) -> StatusListDocument:
    from jobctl.services.status.document import empty_list_document, list_document

    try:
        database = shared.open()
    except NotFound:
        return empty_list_document(now_us())
    return list_document(database, shared.home, now_us(), everything=everything, program=shared.program)


def _show_pages(shared: Session, documents: list[StatusDocument]) -> None:
    from jobctl.render.screen import print_pages

    print_pages(documents, sys.stdout, shared.look(sys.stdout))


def _watch(shared: Session, jobs: list[str], everything: bool) -> int:
    from jobctl.cli.live.watching import watch_jobs, watch_list

    if not jobs:
        return watch_list(shared, everything)
    try:
        return watch_jobs(shared, jobs)
    except NotFound as error:
        if any(job.isdigit() for job in jobs):  # as after watch -n
            error.details = (*error.details, "--watch takes no interval: a number after it is a JOB")
        raise
