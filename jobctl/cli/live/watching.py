"""Live views of jobs: a screen that is redrawn in place on a terminal, and lines or documents elsewhere."""

from __future__ import annotations

import contextlib
import signal
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TextIO

from jobctl.cli.live.signals import STOPS, Keys, Signals, stop_process
from jobctl.cli.session import Session, now_us
from jobctl.process import reader
from jobctl.render.progress_lines import LINE_EVERY_S, ProgressLines
from jobctl.services.daemon.changes import Frames
from jobctl.services.daemon.wait import exit_code_of
from jobctl.services.status.watched import WatchedJobs

if TYPE_CHECKING:
    from jobctl.domain.documents.status import StatusListDocument
    from jobctl.domain.job_filter import JobList

#: The exit code after Ctrl-C, as shells give it.
INTERRUPTED = 130

#: Shows the terminal as it was before the view while Ctrl-Z has stopped the command.
Aside = Callable[[], contextlib.AbstractContextManager[None]]


@dataclass
class View:
    """The jobs of a live view, the stream that shows them, and the actions of the view."""

    shared: Session
    jobs: WatchedJobs
    stream: TextIO
    ends: bool  # the view ends when every job is done
    footer: str
    is_alone: Callable[[], bool] = lambda: False  # no engine runs the jobs, so ``tend`` is called
    tend: Callable[[], None] = lambda: None
    stop: Callable[[], str | None] = lambda: None  # for Ctrl-C and q: None = leave, else continue with this footer
    is_over: Callable[[], bool] = lambda: False
    descriptors: Callable[[], Iterable[int]] = lambda: ()  # readable when ``tend`` may have to be called
    keeps_order: bool = False  # a list whose order the user has chosen
    pipes: tuple[int, ...] = ()  # the view ends when one of them has lost its reader
    shown: StatusListDocument = field(init=False)
    signalled: bool = False  # a signal ended the view, not a key
    quiet: bool = False

    @property
    def is_screen(self) -> bool:
        """Whether the view draws frames, and does not write lines or documents."""
        return self.shared.is_screen(self.stream) and not self.shared.json and not self.quiet

    @property
    def is_done(self) -> bool:
        """Whether all jobs are done, so that the view ends."""
        return self.ends and all(job["done"] for job in self.shown["jobs"])


def watch(shared: Session, words: Sequence[str] | None, listing: JobList | None = None) -> int:
    """Show the jobs that words name until they are done, or all jobs until a key or a signal; returns the exit code."""
    view = View(
        shared,
        WatchedJobs(shared.home, words, program=shared.program, listing=listing),
        sys.stdout,
        ends=words is not None,
        footer="q leaves; the work continues",
        keeps_order=listing is not None and listing.has_order,
        pipes=reader.output_pipe(sys.stdout),
    )
    if not show(view):
        return INTERRUPTED if view.signalled else 0
    _print_final(view)
    return exit_code_of([job["state"] for job in view.shown["jobs"]])


def show(view: View) -> bool:
    """Run a view; returns False if a key or a signal ended it before the jobs were done."""
    if view.quiet:
        return _loop(view, lambda: None)
    if view.shared.json:
        json_lines = _JsonLines(view.stream)
        return _loop(view, lambda: json_lines.show(view))
    if not view.shared.is_screen(view.stream):
        lines = ProgressLines(view.stream)
        return _loop(view, lambda: lines.show(view.shown["jobs"]))
    from jobctl.render.live import LiveScreen

    with LiveScreen(view.stream, color=view.shared.colors(view.stream)) as screen:
        return _loop(view, lambda: screen.show(lambda look: _frame(view, look)), screen.aside)


def _frame(view: View, look: Any) -> Any:
    from jobctl.render.frames import job_frame, list_frame

    jobs = view.shown["jobs"]
    if view.ends and len(jobs) == 1:
        return job_frame(jobs[0], look, view.footer)
    return list_frame(view.shown, look, view.footer, keeps_order=view.keeps_order)


def _loop(view: View, draw: Callable[[], None], aside: Aside = contextlib.nullcontext) -> bool:
    with _waiting(view) as (signals, keys, frames):
        while True:
            alone = view.is_alone()  # asked first, so that the document has the last changes of that engine
            view.shown = view.jobs.document(now_us())
            draw()
            if view.is_done:
                return True
            if view.is_over():
                return False
            if alone:
                view.tend()
            busy = any(job["counts"]["running"] for job in view.shown["jobs"])
            # Lines are repeated from time to time, so that their reader sees that nothing has changed.
            frames.wait(
                busy=busy, also=(*view.descriptors(), *view.pipes), at_most_s=None if view.is_screen else LINE_EVERY_S
            )
            reader.check_reader(view.pipes)
            arrived = set(signals.take())
            if signal.SIGTSTP in arrived:
                with aside(), keys.released():
                    stop_process()
            view.signalled = bool(arrived & STOPS)
            if (view.signalled or "q" in keys.pressed()) and not _continues(view):
                return False


def _continues(view: View) -> bool:
    footer = view.stop()
    view.footer = footer or view.footer
    if footer and not view.is_screen and not view.shared.json:
        # Also with -q: after Ctrl-C, a person must see that the command has received it.
        view.stream.write(f"{footer}\n")
        view.stream.flush()
    return footer is not None


@contextlib.contextmanager
def _waiting(view: View) -> Iterator[tuple[Signals, Keys, Frames]]:
    with Signals() as signals, contextlib.ExitStack() as stack:
        typed = stack.enter_context(Keys()) if view.is_screen else Keys()
        yield (
            signals,
            typed,
            stack.enter_context(view.jobs.frames((signals.fileno(), *typed.descriptors))),
        )


class _JsonLines:
    """Writes the document on one line whenever a job has changed."""

    def __init__(self, stream: TextIO) -> None:
        from jobctl.render.machine import dumps, for_terminal

        self._dumps, self._guard = dumps, for_terminal if stream.isatty() else str
        self._stream = stream
        self._last: tuple[Any, ...] = ()

    def show(self, view: View) -> None:
        """Write the document if one of its jobs has a new revision."""
        revisions = tuple((job["job"], job["revision"]) for job in view.shown["jobs"])
        if revisions != self._last:
            self._last = revisions
            self._stream.write(self._guard(self._dumps(view.shown)) + "\n")
            self._stream.flush()


def _print_final(view: View) -> None:
    """Print the pages of the jobs after a screen, because the terminal keeps nothing of the screen."""
    if view.shared.json or not view.shared.is_screen(view.stream):
        return
    from jobctl.render.screen import print_pages

    print_pages(view.shown["jobs"], view.stream, view.shared.look(view.stream))
