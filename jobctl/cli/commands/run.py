"""``jobctl run``: submit a file and run it here, with live progress."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TextIO

import typer

from jobctl.cli.commands.submit import FileArgument, accept, dry_run
from jobctl.cli.session import Session, now_us, session
from jobctl.cli.submission.cluster import cluster_options, cluster_words, forgets_cluster
from jobctl.cli.submission.intake import request_of
from jobctl.cli.submission.messages import accepted_lines, forecast, foreground_slots, times_of
from jobctl.cli.submission.options import IntakeCommand, values
from jobctl.domain.job_options import FAILURES
from jobctl.errors import Exit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jobctl.cli.live.watching import View
    from jobctl.domain.documents.status import StatusDocument
    from jobctl.process.start_options import StartOptions
    from jobctl.services.daemon.foreground import ForegroundRun
    from jobctl.services.status.watched import WatchedJobs
    from jobctl.services.submit.request import Accepted, SubmitRequest

app = typer.Typer(add_completion=False, rich_markup_mode=None)

_STOPPING = "stopping: running items finish, no new ones start; Ctrl-C again ends them at once"
_ENDING = "ending the running items"
_FOOTER_FOLLOWING = "q leaves; the work continues"
_FOOTER_RUNNING = "Ctrl-C stops politely, twice at once"


class _RunCommand(IntakeCommand):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        place = next(n for n, param in enumerate(self.params) if param.rich_help_panel == FAILURES)  # type: ignore[attr-defined]
        self.params[place:place] = cluster_options()


@app.command(cls=_RunCommand)
def run(ctx: typer.Context, file: FileArgument) -> int:
    """Accept the rows of a file and run them in the foreground; exit with the result of the job.

    Examples:
      jobctl run urls.csv -- curl -fsS -o '{id}.pdf' '{url}'
      jobctl run photos.txt -j 4 -q -- convert '{}' '{.}.webp'
      jobctl run orders.csv --call shop.prices:update       a Python function

    run is like submit, but it needs no daemon. If a daemon is running, the daemon runs the items and run shows them.
    After Ctrl-C the running items finish; a second Ctrl-C ends them. The job stays, and jobctl daemon start
    continues it.
    """
    shared, now, cluster = session(ctx), now_us(), cluster_words(ctx)
    request = request_of(ctx, file, foreground=True)
    slots = foreground_slots(request.policy, on_cluster=bool(cluster))
    if values(ctx)["dry_run"]:
        return dry_run(shared, request, planned=lambda: slots)
    options = _options(shared, request, slots, cluster, forget_cluster=forgets_cluster(ctx))
    accepted = accept(shared, request, now)
    _tell_fewer_slots(shared, accepted, request.queue, slots)
    return _run_job(shared, accepted, times_of(request, accepted), replace(options, scope=accepted.job))


def _options(
    shared: Session, request: SubmitRequest, slots: int, cluster: tuple[str, ...], *, forget_cluster: bool
) -> StartOptions:
    """Return the options of the engine, which are checked before anything is accepted."""
    from jobctl.process.start_options import StartOptions
    from jobctl.services.daemon.options import as_set, refuse_elsewhere
    from jobctl.services.settings.settings import load_settings
    from jobctl.services.submit.request import refuse_hold

    refuse_hold(request)
    options = StartOptions(shared.home, slots, cluster=cluster, forget_cluster=forget_cluster)
    options = as_set(options, load_settings(os.environ, os.getcwd()))
    refuse_elsewhere(options)
    return options


def _tell_fewer_slots(shared: Session, accepted: Accepted, queue: str, slots: int) -> None:
    """A daemon that is up, or the queue, may have fewer slots than were asked for."""
    if accepted.policy.slots is not None:
        found = forecast(shared, accepted.policy, queue, accepted.items, planned=lambda: slots, foreground=True)
        if found.fewer:
            shared.note(found.fewer)


def _run_job(shared: Session, accepted: Accepted, times: Sequence[str], options: StartOptions) -> int:
    from jobctl.services.daemon.foreground import ForegroundRun, is_done

    for line in (*(accepted_lines(accepted) if accepted.is_special else ()), *times):
        shared.note(line)
    if is_done(shared.home, accepted.job):  # its key was known, or it has no rows: there is nothing to run
        return _finish(shared, _jobs(shared, accepted.job).document(now_us())["jobs"][0], finished=True)
    try:
        with ForegroundRun(options) as engine:
            view = _view(shared, accepted.job, engine)
            engine.settle()  # while the engine started, we loaded the modules that show it
            view.footer = _FOOTER_FOLLOWING if engine.follows else _FOOTER_RUNNING
            from jobctl.cli.live.watching import show

            finished = show(view)
            undo = _undo_of(shared, accepted.job) if finished else None
            if undo is not None:  # the engine takes the rows back before it ends
                shared.note(f"job {accepted.job} ended without success: job {undo} takes its rows back")
                finished = _show_undo(shared, undo, engine)
    except KeyboardInterrupt:  # before the view handled signals
        _tell_left(shared, accepted.job)
        raise
    return _finish(shared, view.shown["jobs"][0], finished=finished)


def _undo_of(shared: Session, job: int) -> int | None:
    from jobctl.services.control.undo import undo_in_foreground

    return undo_in_foreground(shared.home, job)


def _show_undo(shared: Session, undo: int, engine: ForegroundRun) -> bool:
    """Show the undo job until it is done; False if the user left it before."""
    from jobctl.cli.live.watching import show

    view = _view(shared, undo, engine)
    view.footer = _FOOTER_FOLLOWING if engine.follows else _FOOTER_RUNNING
    finished = show(view)
    if finished and not (shared.json or shared.quiet):
        from jobctl.render.lines import print_summary

        print_summary(view.shown["jobs"][0], sys.stderr, shared.colorless_look(sys.stderr))
    return finished


def _jobs(shared: Session, job: int) -> WatchedJobs:
    from jobctl.services.status.watched import WatchedJobs

    return WatchedJobs(shared.home, [str(job)], program=shared.program)


def _view(shared: Session, job: int, engine: ForegroundRun) -> View:

    from jobctl.cli.live.watching import View

    return View(
        shared=shared,
        jobs=_jobs(shared, job),
        stream=_progress_stream(shared),
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
    """Progress is not data: it goes to standard error, unless only standard output is a terminal."""
    return sys.stderr if shared.is_screen(sys.stderr) or not shared.is_screen(sys.stdout) else sys.stdout


def _stop(engine: ForegroundRun) -> str | None:
    if not engine.interrupt():
        return None
    return _STOPPING if engine.stops == 1 else _ENDING


def _finish(shared: Session, document: StatusDocument, *, finished: bool) -> int:
    from jobctl.cli.live.watching import INTERRUPTED
    from jobctl.render.lines import print_summary
    from jobctl.services.daemon.wait import exit_code_of

    if shared.json:
        shared.emit(document)
    elif not finished:
        _tell_left(shared, document["job"])
    elif not shared.quiet or document["state"] != "succeeded":
        print_summary(document, sys.stderr, shared.colorless_look(sys.stderr))
    if not finished:
        return INTERRUPTED
    return exit_code_of([document["state"]]) or Exit.OK


def _tell_left(shared: Session, job: int) -> None:
    """Say whether a daemon continues a job that is left before its end; otherwise print the command that does."""
    from jobctl.services.daemon.absence import after_detaching

    sys.stderr.write(f"{after_detaching(shared.home, job, shared.program, now_us())}\n")
