"""Becoming a supervisor: the process's own state is put in order before the loop starts."""

from __future__ import annotations

import contextlib
import errno
import os
import signal
import sys

from jobctl.errors import Exit
from jobctl.process import leaders, lock, sweep
from jobctl.process.leaders import Leaders
from jobctl.supervisor import spawn
from jobctl.supervisor.barred import BarredAttempts
from jobctl.supervisor.kept_outcomes import KeptOutcomes
from jobctl.supervisor.kept_starts import KeptStarts
from jobctl.supervisor.loop import Supervisor, SurvivingRecords
from jobctl.supervisor.options import Options

_PR_SET_CHILD_SUBREAPER = 36
_PR_SET_NAME = 15


def main() -> None:
    """Run a supervisor with the options in sys.argv; exits with its code."""
    options = Options(sys.argv[1:])
    os.umask(0o077)
    _settle_descriptors(options.inherited)
    with contextlib.suppress(OSError):  # already the leader of a group: started by hand or by a service manager
        os.setsid()
    os.chdir("/")
    spawn.settle_signals()
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # until the supervisor handles it, which items do not inherit
    sys.exit(_supervise(options))


def _supervise(options: Options) -> int:
    if options.guest >= 0:
        _adopt_orphans()
        table = Leaders("")
        records = SurvivingRecords(KeptStarts(""), KeptOutcomes(""), table, BarredAttempts("", "", table, []))
        return _run(options, records)  # whoever started us keeps the books
    try:
        if options.held < 0:
            options.held = _lock(options)  # as long as this process lives
    except lock.HeldError as held:
        waited = f"error process {held.pid} still looks after this store after {lock.PATIENCE_S:.0f} s"
        word = "displaced" if held.is_displaced else "busy"
        options.report(f"{word} {held.pid}" if held.is_daemon else waited)
        return Exit.BUSY
    except OSError as problem:
        options.report(f"error {options.lock}: {problem.strerror}")
        return Exit.INTERNAL
    _adopt_orphans()
    place = os.path.dirname(options.lock)
    left = sweep.sweep(options.store_id, place=place) + sweep.sweep(sweep.guests_of(options.store_id))
    table = Leaders(os.path.join(place, leaders.NAME))
    try:
        barred = BarredAttempts(options.store_id, place, table, left)
    except LookupError as unknown:
        options.report(f"error processes of an earlier run cannot be ended: {unknown}")
        return Exit.INTERNAL
    table.enter_group()
    starts, kept = KeptStarts(os.path.join(place, "starts")), KeptOutcomes(os.path.join(place, "outcomes"))
    os.environ["JOBCTL_STARTS"] = starts.name  # for the engines
    status = os.fstat(options.held)
    os.environ["JOBCTL_LOCK"] = f"{status.st_dev} {status.st_ino}"  # they see when it is another file
    return _run(options, SurvivingRecords(starts, kept, table, barred))


def _lock(options: Options) -> int:
    if options.in_line:
        return lock.take_in_line(options.lock, lambda holder: options.report(f"line {holder}"))
    return lock.take(options.lock)


def _run(options: Options, records: SurvivingRecords) -> int:
    environ = dict(os.environ)  # as whoever started us left it
    begins_anew = False
    try:
        supervisor = Supervisor(options, records)
        code = supervisor.run()
        begins_anew = supervisor.begins_anew
        records.kept.close()
    except Exception as problem:
        _say(options, problem)
        code = Exit.INTERNAL
    # Normally nothing is left; but nothing may outlive this process.
    left = sweep.sweep(options.store_id, grace_s=0, place=os.path.dirname(options.lock))
    if not left:
        records.table.close()
    if begins_anew:
        _begin_anew(options, environ)
    return code


def _say(options: Options, problem: Exception) -> None:
    """What ended the supervisor: into the log, and a limit of the shell to whoever waits for the start as well."""
    if isinstance(problem, OSError) and problem.errno == errno.EMFILE:
        os.close(0)  # what is imported now and the last sweep need a descriptor, and nothing reads that one any more
    from jobctl.process import ulimit
    from jobctl.process.own_log import say_traceback

    if isinstance(problem, OSError) and ulimit.explain(problem.errno or 0):
        options.report(f"error {ulimit.in_words(problem)}")
    say_traceback()


def _begin_anew(options: Options, environ: dict[str, str]) -> None:
    """Become, as the same process and with the same lock, the supervisor that is installed now."""
    for fd in options.inherited:
        os.set_inheritable(fd, True)
    argv = [word for word in sys.orig_argv if not word.startswith(("ready=", "held=", "line="))]
    argv.insert(argv.index("--"), f"held={options.held}")
    os.execve(argv[0], argv, environ)


def _settle_descriptors(keep: set[int]) -> None:
    """Nothing is read from a terminal, 0 to 2 are open, and what whoever started us had open is closed."""
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 0)
    os.set_inheritable(0, True)  # it may have been opened as 0 just now
    for fd in (1, 2):
        try:
            os.fstat(fd)
        except OSError:  # started with it closed: a file of ours must not get its number
            os.dup2(null, fd)
    _close_inherited(keep)


def _close_inherited(keep: set[int]) -> None:
    for place in ("/proc/self/fd", "/dev/fd"):
        with contextlib.suppress(OSError):
            for fd in [int(name) for name in os.listdir(place)]:
                if fd > 2 and fd not in keep:
                    with contextlib.suppress(OSError):  # the one that listed them
                        os.close(fd)
            return


def _adopt_orphans() -> None:
    """Descendants that lose their parent become our children, so none can run away from its item."""
    import ctypes

    with contextlib.suppress(OSError, AttributeError):  # a system without prctl
        prctl = ctypes.CDLL(None, use_errno=True).prctl
        prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        prctl(_PR_SET_NAME, b"jobctl-super", 0, 0, 0)
