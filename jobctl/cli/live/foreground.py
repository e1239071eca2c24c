"""A job in the foreground: its engine, its progress, and how the command ends."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, TextIO

from jobctl.cli import standard
from jobctl.cli.session import Session, now_us
from jobctl.errors import Exit

if TYPE_CHECKING:
    from jobctl.cli.live.watching import View
    from jobctl.domain.documents.status import StatusDocument
    from jobctl.process.start_options import StartOptions
    from jobctl.services.daemon.foreground import ForegroundRun
    from jobctl.services.status.watched import WatchedJobs

_STOPPING = "stopping: running items finish, no new ones start; Ctrl-C again ends them at once"
_ENDING = "ending the running items"
_FOOTER_FOLLOWING = "q leaves; the work continues"
_FOOTER_RUNNING = "Ctrl-C stops politely, twice at once"


def run_in_foreground(shared: Session, job: int, options: StartOptions) -> int:
    """Run a job here, or follow the daemon that runs it; returns the exit code. Raises JobctlError."""
    from jobctl.services.daemon.foreground import ForegroundRun, is_done

    if is_done(shared.home, job):  # its key was known, or it has no rows: there is nothing to run
        return _finish(shared, _jobs(shared, job).document(now_us())["jobs"][0], finished=True)
    try:
        with ForegroundRun(options) as engine:
            view = _view(shared, job, engine)
            engine.settle()  # while the engine started, we loaded the modules that show it
            view.footer = _FOOTER_FOLLOWING if engine.follows else _FOOTER_RUNNING
            from jobctl.cli.live.watching import show

            finished = show(view)
            document = view.shown["jobs"][0]
            undo = _undo_of(shared, document) if finished else None
            if undo is not None:  # the engine takes the rows back before it ends
                shared.note(f"job {job} ended without success: job {undo} takes its rows back")
                finished = _show_undo(shared, undo, engine)
                document = _jobs(shared, job).document(now_us())["jobs"][0]
    except KeyboardInterrupt:  # before the view handled signals
        standard.done_lines.clear()
        _tell_left(shared, job)
        raise
    return _finish(shared, document, finished=finished)


def _undo_of(shared: Session, document: StatusDocument) -> int | None:
    """The undo job that the job has begun by itself at its end."""
    undo = document.get("undo")
    if not undo or not undo["on_failure"] or not undo["jobs"]:
        return None
    from jobctl.services.control.undo import begun_by_end

    return begun_by_end(shared.home, document["job"])


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
