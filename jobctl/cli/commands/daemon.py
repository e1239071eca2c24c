"""``jobctl daemon``: start, run, stop and inspect the process that runs the jobs."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from jobctl.cli.command import Command, subcommands
from jobctl.cli.session import Session, now_us, session
from jobctl.cli.submission.cluster import ClusterCommand, cluster_given, forgets_cluster
from jobctl.errors import Exit, UsageError

if TYPE_CHECKING:
    from jobctl.domain.documents.daemon import UnitDocument
    from jobctl.services.daemon.options import DaemonRequest
    from jobctl.services.daemon.restart import Restarted
    from jobctl.services.daemon.serve_unit import ServeUnit
    from jobctl.services.daemon.service_unit import Unit
    from jobctl.services.daemon.start import StartedDaemon
    from jobctl.services.settings.settings import Settings

app = subcommands(
    """Start, stop and inspect the daemon that runs the jobs.

    Examples:
      jobctl daemon start             in the background; one for each store
      jobctl daemon run               in the foreground, for systemd and containers
      jobctl daemon run --drain       until no work is left, for cron
      jobctl daemon stop              running items finish; --now ends them
      jobctl daemon restart           after an upgrade or a change of the settings
      jobctl daemon install           a unit for systemd
    """
)

SlotsOption = Annotated[
    int | None,
    typer.Option("--slots", "-j", min=1, metavar="N", help="Run N items at once; default: the number of CPUs."),
]


@app.command(cls=ClusterCommand)
def start(ctx: typer.Context, slots: SlotsOption = None) -> int:
    """Start the daemon in the background, and return when it is ready.

    Examples:
      jobctl daemon start --slots 8
      jobctl daemon start --scheduler-file sched.json    on a Dask cluster

    It continues after the terminal is closed. Each store has at most one daemon; a second one is refused (exit 75).
    """
    from jobctl.cli.submission.untrusted import tell_untrusted
    from jobctl.services.daemon.options import DaemonRequest

    shared = session(ctx)
    tell_untrusted(shared, "daemon")
    started = _start(shared, DaemonRequest(slots, cluster_given(ctx), forgets_cluster(ctx)))
    if shared.json:
        shared.emit(started.document)
    else:
        shared.note(f"the daemon is running (process {started.pid})")
    return Exit.OK


def _start(shared: Session, wanted: DaemonRequest) -> StartedDaemon:
    from jobctl.cli.live.waiting_line import for_start
    from jobctl.services.daemon.start import start
    from jobctl.services.settings.settings import load_settings

    with for_start(shared) as line:
        return start(shared.home, wanted, load_settings(os.environ, os.getcwd()), now_us(), line.look)


@app.command(cls=ClusterCommand)
def run(
    ctx: typer.Context,
    slots: SlotsOption = None,
    drain: Annotated[bool, typer.Option("--drain", help="End when no work is left.")] = False,
) -> int:
    """Run the daemon in the foreground.

    Examples:
      jobctl daemon run
      jobctl daemon run --drain       run the queued items, then end; for cron

    SIGTERM or Ctrl-C stops it: the first one politely, the second one at once.
    """
    from jobctl.cli.submission.untrusted import tell_untrusted
    from jobctl.services.daemon.options import DaemonRequest, start_options
    from jobctl.services.daemon.start import become, run_document
    from jobctl.services.settings.settings import load_settings

    shared = session(ctx)
    tell_untrusted(shared, "daemon")
    wanted = DaemonRequest(slots, cluster_given(ctx), forgets_cluster(ctx), drain)
    options = start_options(shared.home, wanted, load_settings(os.environ, os.getcwd()))
    become(options, (lambda: shared.emit(run_document(options, os.getpid()))) if shared.json else None)
    return Exit.OK


@app.command(cls=Command)
def stop(
    ctx: typer.Context,
    at_once: Annotated[
        bool, typer.Option("--now", help="End the running items; they run again after the next start.")
    ] = False,
    timeout: Annotated[
        str | None, typer.Option(metavar="DURATION", help="Stop waiting after this time (exit 75).")
    ] = None,
) -> int:
    """Stop the daemon: running items finish, no new ones start.

    Examples:
      jobctl daemon stop                  wait for the running items
      jobctl daemon stop --now            TERM, grace, KILL
      jobctl daemon stop --timeout 30s
    """
    from jobctl.domain.blocker_kinds import DAEMON_DOWN
    from jobctl.domain.durations import option_duration
    from jobctl.services.daemon.view import daemon_document_of

    shared = session(ctx)
    timeout_s = None if timeout is None else option_duration("--timeout", timeout)
    stopped = _stop(shared, at_once=at_once, timeout_s=timeout_s)
    if shared.json:
        shared.emit(daemon_document_of(shared.home, now_us()))
    else:
        shared.note("the daemon has stopped" if stopped else DAEMON_DOWN.sentence)
    return Exit.OK


def _stop(shared: Session, *, at_once: bool, timeout_s: float | None) -> bool:
    from jobctl.cli.live.waiting_line import for_daemon
    from jobctl.services.daemon.stop import stop_daemon

    try:
        with for_daemon(shared, "the daemon still stops") as line:
            return stop_daemon(shared.home, at_once=at_once, timeout_s=timeout_s, tell=line.note, look=line.look)
    except KeyboardInterrupt:
        shared.note("\nnot waiting any more; the daemon stops when its running items have finished")
        raise


@app.command(cls=ClusterCommand)
def restart(
    ctx: typer.Context,
    slots: Annotated[
        int | None, typer.Option("--slots", "-j", min=1, metavar="N", help="Run N items at once; default: as before.")
    ] = None,
    at_once: Annotated[bool, typer.Option("--now", help="End the running items; they run again.")] = False,
    timeout: Annotated[
        str | None,
        typer.Option(metavar="DURATION", help="Stop waiting after this time (exit 75); the next daemon starts later."),
    ] = None,
) -> int:
    """Replace the daemon by a new one, after its running items have finished.

    Examples:
      jobctl daemon restart               after an upgrade or a change of settings
      jobctl daemon restart --slots 16
      jobctl daemon restart --now         do not wait for the running items

    The next daemon keeps the options that were given to the running one; those that you give here replace them. The
    settings are read again. No item is lost: queued items wait, and with --now the running items run again. If no
    daemon is running, one is started. The next daemon waits in line, so it also starts if you stop waiting with Ctrl-C
    or close the terminal.
    """
    from jobctl.services.daemon.options import DaemonRequest
    from jobctl.services.settings.settings import load_settings

    shared = session(ctx)
    wanted = DaemonRequest(slots, cluster_given(ctx), forgets_cluster(ctx))
    done = _restart(shared, wanted, load_settings(os.environ, os.getcwd()), at_once=at_once, timeout=timeout)
    if shared.json:
        shared.emit(done.daemon.document)
    else:
        before = "" if done.was_running else "no daemon was running; "
        shared.note(f"{before}the daemon is running (process {done.daemon.pid})")
    return Exit.OK


def _restart(
    shared: Session, wanted: DaemonRequest, settings: Settings, *, at_once: bool, timeout: str | None
) -> Restarted:
    from jobctl.cli.live.waiting_line import for_daemon
    from jobctl.cli.submission.untrusted import tell_untrusted
    from jobctl.domain.durations import option_duration
    from jobctl.services.daemon.restart import Stop, restart

    tell_untrusted(shared, "daemon")
    timeout_s = None if timeout is None else option_duration("--timeout", timeout)
    try:
        with for_daemon(shared, "the next one still starts") as line:
            return restart(shared.home, wanted, settings, Stop(at_once, timeout_s, line.note, line.look))
    except KeyboardInterrupt:
        shared.note("\nnot waiting any more; the next daemon starts when the running items have finished")
        raise


@app.command(cls=Command)
def status(ctx: typer.Context) -> int:
    """Show whether the daemon is running, and what it does.

    Example:
      jobctl daemon status --json
    """
    from jobctl.services.daemon.view import daemon_document_of

    shared = session(ctx)
    document = daemon_document_of(shared.home, now_us())
    if shared.json:
        shared.emit(document)
    else:
        from jobctl.render.daemon import lines

        sys.stdout.write("\n".join(lines(document, shared.program)) + "\n")
    return Exit.OK


@app.command(cls=Command)
def logs(
    ctx: typer.Context,
    lines: Annotated[int, typer.Option("--lines", "-n", min=0, metavar="N", help="Show the last N lines.")] = 50,
    everything: Annotated[bool, typer.Option("--all", "-a", help="Show all lines, from the beginning.")] = False,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Show more lines as they are written.")] = False,
) -> int:
    """Show the log of the daemon itself; jobctl logs shows the output of items.

    Examples:
      jobctl daemon logs -n 20
      jobctl daemon logs --follow
      jobctl daemon logs --all --json        with --follow, one on each line

    A daemon in the foreground writes to its terminal, one under systemd to the journal: journalctl --user -u jobctl.
    """
    from jobctl.services.daemon.log import document, last_lines

    shared = session(ctx)
    path = shared.home.daemon_log
    last = last_lines(path, None if everything else lines)
    if shared.json and not follow:
        shared.emit(document(path, last))
        return Exit.OK
    for line in last:
        _log_line(shared, line)
    if follow:
        _follow(shared)
    return Exit.OK


def _follow(shared: Session) -> None:
    from jobctl.process.reader import output_pipe
    from jobctl.services.daemon.log import follow

    sys.stdout.flush()
    for line in follow(shared.home.daemon_log, output_pipe(sys.stdout)):
        _log_line(shared, line)
        sys.stdout.flush()


def _log_line(shared: Session, line: str) -> None:
    from jobctl.render.inert import inert
    from jobctl.services.daemon.log import line_document

    if shared.json:
        shared.emit_line(line_document(line))
    else:
        shared.say(inert(line))


@app.command(cls=Command)
def install(
    ctx: typer.Context,
    slots: SlotsOption = None,
    serve: Annotated[
        bool, typer.Option("--serve", help="Write the units of the HTTP server instead: a service and its socket.")
    ] = False,
    name: Annotated[
        str | None, typer.Option(metavar="NAME", help="The name of the unit; default: jobctl, or jobctl-serve.")
    ] = None,
    show: Annotated[bool, typer.Option("--print", help="Print the unit and change nothing.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace an existing unit that differs.")] = False,
) -> int:
    """Write a systemd user unit, so that the daemon starts with the session or at boot.

    Examples:
      jobctl daemon install
      jobctl daemon install --print --slots 8
      jobctl daemon install --serve           the units of the HTTP server
      jobctl --home /srv/queue daemon install --name jobctl-srv

    The unit is Type=notify with a watchdog. A stop gives the running items a minute to finish, then ends them; they run
    again after the next start. The units of --serve listen where the settings say, and start the server when a request
    comes.
    """
    shared = session(ctx)
    unit = _serve_unit(shared, slots, name) if serve else _unit(shared, slots, name)
    if show and not shared.json:
        sys.stdout.write(unit.texts())
        return Exit.OK
    document = unit.document(os.environ) if show else unit.install(os.environ, force=force)
    if shared.json:
        shared.emit(document)
    else:
        _tell_installed(shared, document)
    return Exit.OK


def _unit(shared: Session, slots: int | None, name: str | None) -> Unit:
    from jobctl.services.daemon.service_unit import Unit

    return Unit(shared.home.root, slots, name or "jobctl")


def _serve_unit(shared: Session, slots: int | None, name: str | None) -> ServeUnit:
    from jobctl.services.daemon.serve_unit import ServeUnit
    from jobctl.services.serve.options import serve_options
    from jobctl.services.settings.settings import load_settings

    if slots is not None:
        raise UsageError("--serve and --slots at once: the HTTP server runs no items", hint="leave one of them out")
    options = serve_options(shared.home, {}, load_settings(os.environ, os.getcwd()))
    return ServeUnit.of(shared.home.root, options, name or "jobctl-serve")


def _tell_installed(shared: Session, document: UnitDocument) -> None:
    written = [(document["path"], document["changed"])]
    if "socket" in document:
        written.append((document["socket"]["path"], document["socket"]["changed"]))
    for path, changed in written:
        shared.note(f"{path} {'written' if changed else 'is as it should be'}")
    name = os.path.basename(written[-1][0]).removesuffix(".service")
    shared.note("now:")
    shared.note("  systemctl --user daemon-reload")
    shared.note(f"  systemctl --user enable --now {name}")
    shared.note("  loginctl enable-linger           to start it at boot, even if nobody logs in")
