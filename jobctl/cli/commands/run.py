"""``jobctl run``: submit a file and run it here, with live progress."""

from __future__ import annotations

import sys
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, TextIO

import typer

from jobctl.cli import standard
from jobctl.cli.command import session
from jobctl.cli.commands.submit import FileArgument, dry_run, lines, lost_database, refuse_hold
from jobctl.cli.session import Session, now_us
from jobctl.cli.submission.cluster import cluster_options, cluster_words, forgets_cluster
from jobctl.cli.submission.intake import input_stream, request_of
from jobctl.cli.submission.options import IntakeCommand, values
from jobctl.cli.submission.outlook import of_a_run, outlook
from jobctl.cli.submission.reading import Reading
from jobctl.errors import Exit

if TYPE_CHECKING:
    from jobctl.cli.live.watching import View
    from jobctl.domain.documents.status import StatusDocument
    from jobctl.process.daemon import StartOptions
    from jobctl.services.daemon.foreground import ForegroundRun
    from jobctl.services.submit.request import Accepted
    from jobctl.store.database import Database

app = typer.Typer(add_completion=False, rich_markup_mode=None)

_POLITE = "stopping: running items finish, nothing new starts; Ctrl-C again ends them at once"
_AT_ONCE = "ending what runs"


class _RunCommand(IntakeCommand):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        place = next(n for n, param in enumerate(self.params) if param.rich_help_panel == "Failures")  # type: ignore[attr-defined]
        self.params[place:place] = cluster_options()


@app.command(cls=_RunCommand)
def run(ctx: typer.Context, file: FileArgument) -> int:
    """Accept the rows of a file and run them here and now; exit as the job ended.

    Examples:
      jobctl run urls.csv -- curl -fsS -o '{id}.pdf' '{url}'
      jobctl run photos.txt -j 4 -q -- convert '{}' '{.}.webp'
      jobctl run orders.csv --call shop.prices:update       a Python function

    The same as submit, with an engine of its own instead of a daemon; if a daemon is up it does the work, and this
    follows. Ctrl-C stops politely, twice at once; the job stays and goes on with jobctl daemon start.
    """
    shared, now, cluster = session(ctx), now_us(), cluster_words(ctx)
    request = request_of(ctx, file, foreground=True)
    if values(ctx)["dry_run"]:
        return dry_run(shared, request, planned=partial(of_a_run, request.policy, on_cluster=bool(cluster)))
    refuse_hold(request)
    from jobctl.cli.submission.defaults import daemon_spawners, name_devices
    from jobctl.process.daemon import StartOptions
    from jobctl.services.daemon.elsewhere import refuse_elsewhere
    from jobctl.services.submit.submit import submit

    name_devices()
    slots = of_a_run(request.policy, on_cluster=bool(cluster))
    options = StartOptions(
        shared.home,
        slots,
        spawners=daemon_spawners(slots),
        cluster=cluster,
        forget_cluster=forgets_cluster(ctx),
    )
    refuse_elsewhere(options)
    lost = lost_database(shared)
    with Reading(shared) as reading:
        accepted = submit(shared.home, request, now=now, stdin=input_stream(file), watch=reading)
    standard.done[:] = [f"  job {accepted.job} was accepted nevertheless: {shared.program} status {accepted.job}"]
    if lost:
        shared.warn(lost)
    _tell_fewer(shared, accepted, request.queue, slots)
    return _work_off(shared, accepted, replace(options, scope=accepted.job))


def _tell_fewer(shared: Session, accepted: Accepted, queue: str, slots: int) -> None:
    """A daemon that is up, or the queue, may have fewer slots than were asked for."""
    if accepted.policy.slots is not None:
        found = outlook(shared, accepted.policy, queue, accepted.items, planned=lambda: slots, foreground=True)
        if found.fewer:
            shared.note(found.fewer)


def _work_off(shared: Session, accepted: Accepted, options: StartOptions) -> int:
    from jobctl.services.daemon.foreground import ForegroundRun

    database = shared.open()
    if accepted.is_special:
        for line in lines(accepted):
            shared.note(line)
    if _is_done(database, accepted.job):  # its key was known, or it has no rows: nothing to work off
        from jobctl.cli.live.watching import jobs_list

        return _finish(shared, jobs_list(shared, database, [accepted.job])["jobs"][0], finished=True)
    try:
        with ForegroundRun(options) as engine:
            view = _view(shared, database, accepted.job, engine)
            engine.settle()  # while it began, we loaded what shows it
            view.footer = "q leaves; the work goes on" if engine.follows else "Ctrl-C stops politely, twice at once"
            from jobctl.cli.live.watching import show

            finished = show(view)
    except KeyboardInterrupt:  # before the view listened to signals
        _tell_left(shared, database, accepted.job)
        raise
    return _finish(shared, view.shown["jobs"][0], finished=finished)


def _is_done(database: Database, number: int) -> bool:
    from jobctl.domain.states import TERMINAL_JOB_STATES
    from jobctl.store import jobs

    row = jobs.load(database, number)
    return row is not None and row.state in TERMINAL_JOB_STATES


def _view(shared: Session, database: Database, job: int, engine: ForegroundRun) -> View:
    from jobctl.cli.live.watching import View, jobs_list

    return View(
        shared=shared,
        database=database,
        stream=_progress_stream(shared),
        take=lambda: jobs_list(shared, database, [job]),
        ends=True,
        footer="",
        is_alone=engine.has_ended,
        tend=engine.tend,
        descriptors=engine.descriptors,
        stop=lambda: _stop(engine),
        is_over=lambda: engine.stops > 0 and engine.has_ended(),
        quiet=shared.quiet or shared.json,
    )


def _progress_stream(shared: Session) -> TextIO:
    """Progress is no data: it goes to standard error, unless only standard output is a terminal."""
    return sys.stderr if shared.is_screen(sys.stderr) or not shared.is_screen(sys.stdout) else sys.stdout


def _stop(engine: ForegroundRun) -> str | None:
    if not engine.interrupt():
        return None
    return _POLITE if engine.stops == 1 else _AT_ONCE


def _finish(shared: Session, document: StatusDocument, *, finished: bool) -> int:
    from jobctl.cli.live.watching import INTERRUPTED
    from jobctl.render.lines import summary_lines
    from jobctl.services.daemon.wait import exit_code_of

    if shared.json:
        shared.emit(document)
    elif not finished:
        _tell_left(shared, shared.open(), document["job"])
    elif not shared.quiet or document["state"] != "succeeded":
        sys.stderr.write("\n".join(summary_lines(document)) + "\n")
    if not finished:
        return INTERRUPTED
    return exit_code_of([document["state"]]) or Exit.OK


def _tell_left(shared: Session, database: Database, job: int) -> None:
    """A job that is left before its end: whether somebody else goes on with it, and if not who could."""
    from jobctl.services.daemon.view import daemon_view

    view = daemon_view(database, shared.home, now_us())
    if view.state == "up" and view.scope != str(job) and view.serves(job, foreground=True):
        text = f"job {job} goes on; follow it with: {shared.program} status {job} --watch"
    else:
        text = f"job {job} is not done; go on with: {shared.program} daemon start, or {shared.program} cancel {job}"
        from jobctl.domain.blockers import DISK_FULL
        from jobctl.process.space import shortage

        if short := shortage(*shared.home.output_places):
            text = f"{DISK_FULL.words(short=short)}\n  make room: {shared.program} prune --dry-run\n{text}"
    sys.stderr.write(f"{text}\n")
