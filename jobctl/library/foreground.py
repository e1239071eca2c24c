"""A job in the foreground of a program: an engine for it alone, its progress, and Ctrl-C."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

from jobctl.library.progress import Progress, Show, shown
from jobctl.library.records import wrap
from jobctl.process import moment
from jobctl.process.start_options import StartOptions
from jobctl.services.daemon.foreground import ForegroundRun, is_done
from jobctl.services.status.watched import WatchedJobs

if TYPE_CHECKING:
    from jobctl.config import Home
    from jobctl.library.documents import StatusDocument

#: What a screen says about keys.
FOOTER = "Ctrl-C stops politely, twice at once"
LEAVE = "Ctrl-C leaves; the work continues"
#: The most seconds between two calls of ``progress`` while nothing changes.
_CALL_EVERY_S = 30.0


def run_here(options: StartOptions, program: str, view: AbstractContextManager[Show], stop: int | None = None) -> None:
    """Run the job ``options.scope`` here until it is done, or follow the daemon that runs it; ``view`` shows it.

    Each byte that comes from the descriptor ``stop`` counts as one Ctrl-C; signals are then left alone. Raises
    KeyboardInterrupt after Ctrl-C, when the running items have finished; the job stays. Raises JobctlError if it cannot
    run here.
    """
    job = options.scope
    assert job is not None
    with view as show:
        if is_done(options.home, job):
            _show_last(options, job, program, show)
            return
        with ForegroundRun(options) as engine, _interrupts(stop) as interrupts:
            engine.settle()
            follower = _Follower(options, engine, interrupts, show, program)
            status = follower.follow(job)
            if undo := _undo_of(options, status):
                follower.follow(undo)


def watch_here(home: Home, job: int, program: str, progress: Progress) -> None:
    """Show a job until it is done, whoever runs it. Raises NotFound."""
    from jobctl.library.documents import StatusDocument

    watched = WatchedJobs(home, [str(job)], program=program)
    with contextlib.closing(watched), watched.frames(()) as frames, shown(progress, LEAVE) as show:
        while True:
            status = wrap(watched.document(moment.now())["jobs"][0], StatusDocument)
            show(status)
            if status.done:
                return
            frames.wait(busy=bool(status.counts.running), at_most_s=_CALL_EVERY_S)


class _Follower:
    """Follows jobs that an engine of this process runs."""

    def __init__(
        self, options: StartOptions, engine: ForegroundRun, interrupts: _Interrupts, show: Show, program: str
    ) -> None:
        self._home = options.home
        self._engine = engine
        self._interrupts = interrupts
        self._show = show
        self._program = program

    def follow(self, job: int) -> StatusDocument:
        """Show a job until it is done; returns its last status. Raises KeyboardInterrupt."""
        from jobctl.library.documents import StatusDocument

        watched = WatchedJobs(self._home, [str(job)], program=self._program)
        with contextlib.closing(watched), watched.frames(self._interrupts.descriptors) as frames:
            while True:
                alone = self._engine.has_ended()  # asked first, so that the document has the engine's last changes
                status = wrap(watched.document(moment.now())["jobs"][0], StatusDocument)
                self._show(status)
                self._interrupts.check(self._engine)
                if status.done:
                    self._interrupts.raise_late(self._engine)
                    return status
                if alone:
                    self._engine.tend()
                with self._interrupts.counted():
                    frames.wait(
                        busy=bool(status.counts.running),
                        also=self._engine.descriptors(),
                        at_most_s=_CALL_EVERY_S,
                    )


class _Interrupts:
    """Ctrl-C while a job runs here: each one stops the engine, and the last one reaches the program at the end."""

    def __init__(self, reader: int) -> None:
        #: Readable after Ctrl-C.
        self.descriptors = (reader,) if reader >= 0 else ()
        self._count = 0

    @contextlib.contextmanager
    def counted(self) -> Iterator[None]:
        """Count Ctrl-C in the block also where a handler of the program raises it."""
        try:
            yield
        except KeyboardInterrupt:
            self._count += 1

    def check(self, engine: ForegroundRun) -> None:
        """Stop the engine for each Ctrl-C. Raises KeyboardInterrupt when it has ended, or if a daemon has the job."""
        for reader in self.descriptors:
            with contextlib.suppress(BlockingIOError):
                self._count += len(os.read(reader, 64))
        while self._count:
            self._count -= 1
            if not engine.interrupt():
                raise KeyboardInterrupt
        if engine.stops and engine.has_ended():
            raise KeyboardInterrupt

    @staticmethod
    def raise_late(engine: ForegroundRun) -> None:
        """Raise KeyboardInterrupt at the end of the job after Ctrl-C, which stops the program and not only the job."""
        if engine.stops:
            raise KeyboardInterrupt


@contextlib.contextmanager
def _interrupts(stop: int | None) -> Iterator[_Interrupts]:
    """Catch Ctrl-C inside the block, if this is the main thread and the program has no handler of its own."""
    if stop is not None:
        yield _Interrupts(stop)
        return
    is_default = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if threading.current_thread() is not threading.main_thread() or not is_default:
        yield _Interrupts(-1)
        return
    reader, writer = os.pipe()
    os.set_blocking(reader, False)
    os.set_blocking(writer, False)

    def note(_number: int, _frame: Any) -> None:
        with contextlib.suppress(BlockingIOError):
            os.write(writer, b"!")

    before = signal.signal(signal.SIGINT, note)
    try:
        yield _Interrupts(reader)
    finally:
        signal.signal(signal.SIGINT, before)
        os.close(reader)
        os.close(writer)


def _undo_of(options: StartOptions, status: StatusDocument) -> int | None:
    """The undo job that the job has begun by itself at its end: the engine runs it as well."""
    undo = status.get("undo")
    if not undo or not undo["on_failure"] or not undo["jobs"]:
        return None
    from jobctl.services.control.undo import begun_by_end

    return begun_by_end(options.home, status.job)


def _show_last(options: StartOptions, job: int, program: str, show: Show) -> None:
    from jobctl.library.documents import StatusDocument
    from jobctl.services.status.document import status_of

    show(wrap(status_of(options.home, [str(job)], moment.now(), program=program)[0], StatusDocument))
