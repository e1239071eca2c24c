"""``jobctl daemon``: start, run, stop and look at what runs the jobs."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from jobctl.cli.app import subcommands
from jobctl.cli.command import Command, session
from jobctl.cli.session import Session, now_us
from jobctl.cli.submission.cluster import ClusterCommand, cluster_words, forgets_cluster
from jobctl.errors import Busy, Exit, NotFound

if TYPE_CHECKING:
    from jobctl.domain.documents.daemon import DaemonDocument
    from jobctl.process.daemon import StartOptions

app = subcommands(
    """Start, stop and look at the daemon that runs the jobs.

    Examples:
      jobctl daemon start             in the background; one for each store
      jobctl daemon run               in the foreground, for systemd and containers
      jobctl daemon run --drain       until nothing is left, for cron
      jobctl daemon stop              running items finish; --now ends them
      jobctl daemon install           a unit for systemd
    """
)

SlotsOption = Annotated[
    int | None, typer.Option("--slots", "-j", min=1, metavar="N", help="Items at once; default: the number of CPUs.")
]


@app.command(cls=ClusterCommand)
def start(ctx: typer.Context, slots: SlotsOption = None) -> int:
    """Start the daemon in the background; says when it is ready.

    Example:
      jobctl daemon start --slots 8
      jobctl daemon start --scheduler-file sched.json    on a Dask cluster

    It survives the terminal. A second one for the same store is refused (exit 75).
    """
    from jobctl.process.daemon import start_detached

    shared = session(ctx)
    options = _options(ctx, slots)
    try:
        pid = start_detached(options)
    except Busy as error:
        raise _who_is_there(shared) or error from None
    if shared.json:
        shared.emit(_document(shared))
    else:
        shared.note(f"the daemon is up (process {pid})")
    return Exit.OK


def _who_is_there(shared: Session) -> Busy | None:
    """Who holds the store, where that is no daemon that takes work; None otherwise."""
    from jobctl.services.daemon.view import daemon_view

    view = daemon_view(shared.open(), shared.home, now_us())
    if view.state == "draining":
        return Busy(
            f"the daemon (process {view.pid}) is stopping: running items finish, nothing new starts",
            hint="jobctl daemon stop && jobctl daemon start waits for that, with stop --now it does not",
        )
    if view.is_working and view.scope != "all":
        return Busy(
            f"process {view.pid} holds the store: it works on job {view.scope} alone (jobctl run)",
            hint=f"jobctl wait {view.scope}; jobctl daemon start",
        )
    return None


@app.command(cls=ClusterCommand)
def run(
    ctx: typer.Context,
    slots: SlotsOption = None,
    drain: Annotated[bool, typer.Option("--drain", help="End when nothing is left to do.")] = False,
) -> int:
    """Run the daemon in the foreground.

    Examples:
      jobctl daemon run
      jobctl daemon run --drain       run what is queued, then end; for cron

    SIGTERM and Ctrl-C stop it: politely the first time, at once the second.
    """
    from dataclasses import replace

    from jobctl.process.daemon import exec_foreground

    shared, options = session(ctx), replace(_options(ctx, slots), drain=drain)
    exec_foreground(options, (lambda: _announce(shared, options)) if shared.json else None)
    return Exit.OK


def _announce(shared: Session, options: StartOptions) -> None:
    """What this process is from here on; all it says later goes to standard error."""
    import os

    facts = {"pid": os.getpid(), "home": str(options.home.root), "slots": options.slots, "drain": options.drain}
    shared.emit({"schema": "jobctl.daemon_run/1"} | facts)


def _options(ctx: typer.Context, slots: int | None) -> StartOptions:
    from jobctl.cli.submission.defaults import daemon_slots, daemon_spawners, name_devices
    from jobctl.cli.submission.untrusted import tell_untrusted
    from jobctl.process.daemon import StartOptions
    from jobctl.services.daemon.elsewhere import refuse_elsewhere
    from jobctl.store.database import open_database

    home, cluster = session(ctx).home, cluster_words(ctx)
    name_devices()
    count = daemon_slots(slots, on_cluster=bool(cluster))
    tell_untrusted(session(ctx), "daemon")
    # Made here, where errors can be told; and closed again, for no connection may cross a fork.
    open_database(home, create=True).close()
    options = StartOptions(
        home=home,
        slots=count,
        spawners=daemon_spawners(count),
        cluster=cluster,
        forget_cluster=forgets_cluster(ctx),
    )
    refuse_elsewhere(options)
    return options


@app.command(cls=Command)
def stop(
    ctx: typer.Context,
    at_once: Annotated[bool, typer.Option("--now", help="End what runs; it runs again after the next start.")] = False,
    timeout: Annotated[
        str | None, typer.Option(metavar="DURATION", help="Do not wait longer than this (exit 75).")
    ] = None,
) -> int:
    """Stop the daemon: running items finish, nothing new starts.

    Examples:
      jobctl daemon stop                  waits for what runs
      jobctl daemon stop --now            TERM, grace, KILL
      jobctl daemon stop --timeout 30s
    """
    from jobctl.domain.blockers import DAEMON_DOWN
    from jobctl.domain.durations import option_duration
    from jobctl.services.daemon.stop import stop_daemon

    shared = session(ctx)
    seconds = None if timeout is None else option_duration("--timeout", timeout)
    stopped = stop_daemon(shared.home, at_once=at_once, timeout_s=seconds, tell=shared.note)
    if stopped is False:
        raise Busy(
            f"the daemon still waits for what runs after {timeout}",
            hint="jobctl daemon stop --now ends it, jobctl daemon status shows it",
        )
    if shared.json:
        shared.emit(_document(shared))
    else:
        shared.note(DAEMON_DOWN.sentence if stopped is None else "the daemon has stopped")
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


def _document(shared: Session) -> DaemonDocument:
    from jobctl.services.daemon.view import daemon_document, down_document

    try:
        database = shared.open()
    except NotFound:
        return down_document(shared.home)
    return daemon_document(database, shared.home, now_us())


@app.command(cls=Command)
def logs(
    ctx: typer.Context,
    lines: Annotated[int, typer.Option("--lines", "-n", min=0, metavar="N", help="So many of the last lines.")] = 50,
    everything: Annotated[bool, typer.Option("--all", "-a", help="All lines, from the beginning.")] = False,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on as it is written.")] = False,
) -> int:
    """Show what the daemon itself said; what items write is shown by jobctl logs.

    Examples:
      jobctl daemon logs -n 20
      jobctl daemon logs --follow
      jobctl daemon logs --all --json        with --follow, one on each line

    A daemon in the foreground or under systemd logs there: journalctl --user -u jobctl.
    """
    from jobctl.services.daemon import log as daemon_log

    shared = session(ctx)
    path = shared.home.daemon_log
    last = daemon_log.last_lines(path, None if everything else lines)
    if shared.json and not follow:
        documents = [daemon_log.line_document(line) for line in last]
        shared.emit({"schema": "jobctl.daemon_log/1", "log": str(path), "lines": documents})
        return Exit.OK
    for line in last:
        _log_line(shared, line)
    if follow:
        from jobctl.process.reader import readers_end

        sys.stdout.flush()
        for line in daemon_log.follow(path, readers_end(sys.stdout)):
            _log_line(shared, line)
            sys.stdout.flush()
    return Exit.OK


def _log_line(shared: Session, line: str) -> None:
    from jobctl.render.inert import inert
    from jobctl.services.daemon.log import line_document

    if shared.json:
        shared.emit_line({"schema": "jobctl.daemon_log_line/1"} | line_document(line))
    else:
        shared.say(inert(line))


@app.command(cls=Command)
def install(
    ctx: typer.Context,
    slots: SlotsOption = None,
    name: Annotated[str, typer.Option(metavar="NAME", help="Of the unit; default: jobctl.")] = "jobctl",
    show: Annotated[bool, typer.Option("--print", help="Print the unit instead; change nothing.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Write over a unit that says something else.")] = False,
) -> int:
    """Write a systemd user unit, so that the daemon starts with the session or at boot.

    Examples:
      jobctl daemon install
      jobctl daemon install --print --slots 8
      jobctl --home /srv/queue daemon install --name jobctl-srv

    The unit is Type=notify with a watchdog. A stop lets what runs go on for a minute, then ends it; it runs again
    after the next start.
    """
    import os

    from jobctl.services.daemon.service_unit import Unit
    from jobctl.services.daemon.service_unit import install as write

    shared = session(ctx)
    unit = Unit(shared.home.root, slots, name)
    if show:
        if shared.json:
            place = str(unit.path(os.environ))
            shared.emit({"schema": "jobctl.unit/1", "path": place, "changed": False, "text": unit.text()})
        else:
            sys.stdout.write(unit.text())
        return Exit.OK
    path, changed = write(unit, os.environ, force=force)
    if shared.json:
        shared.emit({"schema": "jobctl.unit/1", "path": str(path), "changed": changed})
        return Exit.OK
    shared.note(f"{path} {'written' if changed else 'is as it should be'}; now:")
    _next_steps(shared, path)
    return Exit.OK


def _next_steps(shared: Session, path: Path) -> None:
    shared.note("  systemctl --user daemon-reload")
    shared.note(f"  systemctl --user enable --now {path.stem}")
    shared.note("  loginctl enable-linger           to start it at boot, without anybody logging in")
