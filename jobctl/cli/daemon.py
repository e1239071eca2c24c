"""``jobctl daemon``: start, run, stop and look at what works the jobs off."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from jobctl.cli.app import subcommands
from jobctl.cli.command import Command, session
from jobctl.cli.session import Session, now_us
from jobctl.errors import Busy, Exit, NotFound

if TYPE_CHECKING:
    from jobctl.process.daemon import StartOptions

app = subcommands(
    """Start, stop and look at the daemon that works the jobs off.

    Examples:
      jobctl daemon start             in the background; one for each store
      jobctl daemon run               in the foreground, for systemd and containers
      jobctl daemon run --drain       until nothing is left, for cron
      jobctl daemon stop              what runs finishes; --now ends it
    """
)

SlotsOption = Annotated[
    int | None, typer.Option("--slots", "-j", min=1, metavar="N", help="Items at once; default: the number of CPUs.")
]


@app.command(cls=Command)
def start(ctx: typer.Context, slots: SlotsOption = None) -> int:
    """Start the daemon in the background; says when it is ready.

    Example:
      jobctl daemon start --slots 8

    It survives the terminal. A second one for the same store is refused (exit 75).
    """
    from jobctl.process.daemon import start_detached

    shared = session(ctx)
    pid = start_detached(_options(shared, slots))
    if shared.json:
        shared.emit(_document(shared))
    else:
        shared.note(f"the daemon is up (process {pid})")
    return Exit.OK


@app.command(cls=Command)
def run(
    ctx: typer.Context,
    slots: SlotsOption = None,
    drain: Annotated[bool, typer.Option("--drain", help="End when nothing is left to do.")] = False,
) -> int:
    """Run the daemon in the foreground.

    Examples:
      jobctl daemon run               ends on SIGTERM or Ctrl-C: politely, the second time at once
      jobctl daemon run --drain       works off what is queued, then ends; for cron without a daemon
    """
    from dataclasses import replace

    from jobctl.process.daemon import exec_foreground

    shared = session(ctx)
    exec_foreground(replace(_options(shared, slots), drain=drain))
    return Exit.OK


def _options(shared: Session, slots: int | None) -> StartOptions:
    from jobctl.cli.defaults import daemon_slots
    from jobctl.process.daemon import StartOptions
    from jobctl.store.database import open_database

    # Made here, where errors can be told; and closed again, for no connection may cross a fork.
    open_database(shared.home, create=True).close()
    return StartOptions(home=shared.home, slots=daemon_slots(slots))


@app.command(cls=Command)
def stop(
    ctx: typer.Context,
    at_once: Annotated[bool, typer.Option("--now", help="End what runs; it runs again after the next start.")] = False,
    timeout: Annotated[
        str | None, typer.Option(metavar="DURATION", help="Do not wait longer than this (exit 75).")
    ] = None,
) -> int:
    """Stop the daemon: what runs finishes, nothing new starts.

    Examples:
      jobctl daemon stop                  waits for what runs
      jobctl daemon stop --now            TERM, grace, KILL
      jobctl daemon stop --timeout 30s
    """
    from jobctl.domain.durations import parse_duration
    from jobctl.services.stopping import stop_daemon

    shared = session(ctx)
    seconds = None if timeout is None else parse_duration(timeout, allow_zero=True)
    stopped = stop_daemon(shared.home, at_once=at_once, timeout_s=seconds, tell=shared.note)
    if stopped is None:
        shared.note("no daemon is running")
        return Exit.OK
    if not stopped:
        raise Busy(
            f"the daemon still waits for what runs after {timeout}",
            hint="jobctl daemon stop --now ends it, jobctl daemon status shows it",
        )
    shared.note("the daemon has stopped")
    return Exit.OK


@app.command(cls=Command)
def status(ctx: typer.Context) -> int:
    """Show whether the daemon is up, and what it does; answers also when it is down.

    Example:
      jobctl daemon status --json
    """
    shared = session(ctx)
    document = _document(shared)
    if shared.json:
        shared.emit(document)
    else:
        from jobctl.render.daemon import lines

        sys.stdout.write("\n".join(lines(document, shared.program)) + "\n")
    return Exit.OK


def _document(shared: Session) -> dict[str, Any]:
    from jobctl.services.daemon import daemon_document, down_document

    try:
        database = shared.open()
    except NotFound:
        return down_document(shared.home)
    return daemon_document(database, shared.home, now_us())
