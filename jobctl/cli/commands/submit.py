"""``jobctl submit``: accept a file of rows as a job."""

from __future__ import annotations

import os
import sys
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from jobctl.cli import standard
from jobctl.cli.session import Session, now_us, session
from jobctl.cli.submission.accepting import accept_job
from jobctl.cli.submission.intake import input_stream, request_of
from jobctl.cli.submission.messages import daemon_slots_planned, print_messages
from jobctl.cli.submission.options import IntakeCommand, values
from jobctl.errors import Exit

if TYPE_CHECKING:
    from collections.abc import Callable

    from jobctl.cli.submission.reading_progress import ReadingProgress
    from jobctl.process.start_options import StartOptions
    from jobctl.services.submit.request import Accepted, SubmitRequest

app = typer.Typer(add_completion=False, rich_markup_mode=None)

FileArgument = Annotated[
    str,
    typer.Argument(
        metavar="FILE", help="CSV, TSV, JSON lines or plain lines, also .gz, .bz2, .xz; - means standard input."
    ),
]


@app.command(cls=IntakeCommand)
def submit(
    ctx: typer.Context,
    file: FileArgument,
    start_daemon: Annotated[
        bool,
        typer.Option(
            "--start-daemon",
            help="Start a daemon if none is running; if another jobctl uses the store, wait for it first.",
        ),
    ] = False,
    wait: Annotated[
        bool, typer.Option("--wait", help="Wait until the job is done and exit with its result; for cron.")
    ] = False,
) -> int:
    """Accept the rows of a file as a job and print its number; a daemon runs it.

    Examples:
      jobctl submit urls.csv -- curl -fsS -o '{id}.pdf' '{url}'
      find . -name '*.png' | jobctl submit - --format lines -- oxipng '{}'
      jobctl submit orders.jsonl --slots 4 --timeout 5m -- ./import '{id}'
      jobctl submit commands.csv               the file has a column called command
      jobctl submit orders.csv --call shop.prices:update       a Python function
      jobctl submit day.csv --key "$(date +%F)" --start-daemon --wait -- ./load {id}

    In COMMAND, {name} is the value of a column, {} the line or the first column, {#} the number of the item, and {%}
    its slot. {{ and }} are braces. {name:q} quotes the value for a shell, as ssh needs it; {name:json} and {name:url}
    encode it. COMMAND runs without a shell. A file with a bad row is rejected (exit 7). submit prints the number of
    the job on standard output when the job is safe on disk.
    """
    shared, now = session(ctx), now_us()
    request = request_of(ctx, file, foreground=False)
    if values(ctx)["dry_run"]:
        return dry_run(shared, request, planned=daemon_slots_planned)
    if wait:
        _check_wait(shared, request, start_daemon=start_daemon)
    daemon = _daemon_options(shared) if start_daemon else None
    accepted = accept(shared, request, now)
    if not (shared.json or (wait and shared.quiet)):
        shared.say(str(accepted.job))
    pid = _start(daemon, accepted.job) if daemon else None
    if wait:
        return _await(shared, accepted, request, pid, daemon)
    print_messages(shared, accepted, request, pid, waits=False)
    return Exit.OK


def dry_run(shared: Session, request: SubmitRequest, *, planned: Callable[[], int]) -> int:
    """Show the result that a submission would have; returns its exit code.

    ``planned`` returns the number of slots that there would be if no daemon is running.
    """
    from jobctl.cli.submission.dry_run import show_preview

    return show_preview(shared, request, planned=planned)


def _check_wait(shared: Session, request: SubmitRequest, *, start_daemon: bool) -> None:
    from jobctl.services.submit.request import refuse_hold, refuse_without_daemon

    refuse_hold(request)
    if not start_daemon:
        refuse_without_daemon(shared.home, request)


def _daemon_options(shared: Session) -> StartOptions:
    """Return the options of a daemon, which are checked before anything is accepted."""
    from jobctl.services.daemon.options import DaemonRequest, refuse_elsewhere, start_options
    from jobctl.services.settings.settings import load_settings

    options = start_options(shared.home, DaemonRequest(), load_settings(os.environ, os.getcwd()))
    refuse_elsewhere(options)
    return options


def accept(shared: Session, request: SubmitRequest, now: int) -> Accepted:
    """Accept the job of a request, and show how far the input is read."""
    from jobctl.services.submit.submit import lost_database, submit

    lost: list[str] = []

    def take(reading: ReadingProgress) -> Accepted:
        stream = input_stream(request.input.path)
        lost.append(lost_database(shared.home))
        return submit(shared.home, request, now=now, stdin=stream, watch=reading)

    accepted = accept_job(shared, take)
    for text in filter(None, lost):
        shared.warn(text)
    return accepted


def _start(daemon: StartOptions, job: int) -> int | None:
    from jobctl.services.daemon.start import start_for_job

    return start_for_job(daemon, job)


def _await(
    shared: Session, accepted: Accepted, request: SubmitRequest, started: int | None, daemon: StartOptions | None
) -> int:
    """Wait for the end; with ``-q`` print nothing unless something is wrong, and then only once."""
    from jobctl.cli.live.waiting_line import for_jobs
    from jobctl.services.daemon.wait import exit_code_of, wait_served
    from jobctl.services.submit.documents import accepted_document

    if not shared.json:
        print_messages(shared, accepted, request, started, waits=True)
    serve = partial(_start, daemon, accepted.job) if daemon else None
    try:
        with for_jobs(shared, [accepted.job]) as line:
            state = wait_served(shared.home, accepted.job, serve, line.look)
    except KeyboardInterrupt:
        follow = f"{shared.program} status {accepted.job} --watch"
        standard.done_lines.clear()
        shared.note(f"\nnot waiting any more; job {accepted.job} continues; follow it with: {follow}")
        raise
    document = accepted_document(shared.home, accepted, now_us(), shared.program)
    if shared.json:
        shared.emit(document)
    elif not shared.quiet or state != "succeeded":
        from jobctl.render.lines import print_summary

        sys.stdout.flush()
        print_summary(document, sys.stderr, shared.colorless_look(sys.stderr))
    return exit_code_of([state])
