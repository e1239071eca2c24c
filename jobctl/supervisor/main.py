"""The entry of the supervisor process: it resets what it inherited, takes the lock, and runs the loop."""

from __future__ import annotations

import contextlib
import errno
import os
import signal
import sys

from jobctl.errors import Exit
from jobctl.process import leaders, lock, sweep
from jobctl.process.evidence import guests_of
from jobctl.process.leaders import Leaders
from jobctl.supervisor import spawn
from jobctl.supervisor.barred import BarredAttempts
from jobctl.supervisor.kept_outcomes import KeptOutcomes
from jobctl.supervisor.kept_starts import KeptStarts
from jobctl.supervisor.loop import Supervisor
from jobctl.supervisor.options import Options
from jobctl.supervisor.state import SurvivingRecords

_PR_SET_CHILD_SUBREAPER = 36
_PR_SET_NAME = 15


def main() -> None:
    """Run a supervisor with the options in sys.argv; exits with its code."""
    options = Options(sys.argv[1:])
    os.umask(0o077)
    _reset_descriptors(options.inherited)
    with contextlib.suppress(OSError):  # already the leader of a group: started by hand or by a service manager
        os.setsid()
    os.chdir("/")
    spawn.reset_signals()
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # until the loop has a handler for it, which items do not inherit
    sys.exit(_supervise(options))


def _supervise(options: Options) -> int:
    if options.guest_fd >= 0:
        _adopt_orphans()
        table = Leaders("")
        records = SurvivingRecords(KeptStarts(""), KeptOutcomes(""), table, BarredAttempts("", "", table, []))
        return _run(options, records)  # the process that started this one keeps the records
    try:
        if options.lock_fd < 0:
            options.lock_fd = _lock(options)  # held until this process ends
    except lock.HeldError as held:
        waited = f"error process {held.pid} still holds this store after {lock.PATIENCE_S:.0f} s"
        word = "displaced" if held.is_displaced else "busy"
        options.report(f"{word} {held.pid}" if held.is_daemon else waited)
        return Exit.BUSY
    except OSError as problem:
        options.report(f"error {options.lock}: {problem.strerror}")
        return Exit.INTERNAL
    _adopt_orphans()
    try:
        records = _open_records(options)
    except LookupError as unknown:
        options.report(f"error processes of an earlier run cannot be ended: {unknown}")
        return Exit.INTERNAL
    return _run(options, records)


def _open_records(options: Options) -> SurvivingRecords:
    """End the processes of an earlier supervisor, open its records, and name them to engines in the environment.

    Raises LookupError when a process cannot be ended and no evidence says which items it belongs to.
    """
    folder = os.path.dirname(options.lock)
    survivors = sweep.sweep(options.store_id, folder=folder) + sweep.sweep(guests_of(options.store_id))
    table = Leaders(os.path.join(folder, leaders.NAME))
    barred = BarredAttempts(options.store_id, folder, table, survivors)
    table.enter_group()
    starts, outcomes = KeptStarts(os.path.join(folder, "starts")), KeptOutcomes(os.path.join(folder, "outcomes"))
    os.environ["JOBCTL_STARTS"] = starts.name
    status = os.fstat(options.lock_fd)
    os.environ["JOBCTL_LOCK"] = f"{status.st_dev} {status.st_ino}"  # so that engines notice another file in its place
    return SurvivingRecords(starts, outcomes, table, barred)


def _lock(options: Options) -> int:
    if options.in_line:
        return lock.take_in_line(options.lock, lambda holder: options.report(f"line {holder}"))
    return lock.take(options.lock)


def _run(options: Options, records: SurvivingRecords) -> int:
    environ = dict(os.environ)  # before the supervisor changes it
    restarts = False
    try:
        supervisor = Supervisor(options, records)
        code = supervisor.run()
        restarts = supervisor.restarts
        records.outcomes.close()
    except Exception as problem:
        _report_crash(options, problem)
        code = Exit.INTERNAL
    # Normally nothing is left. A process that outlived this one would run together with the next attempt of its item.
    survivors = sweep.sweep(options.store_id, grace_s=0, folder=os.path.dirname(options.lock))
    if not survivors:
        records.table.close()
    if restarts:
        _restart(options, environ)
    return code


def _report_crash(options: Options, problem: Exception) -> None:
    """Log the error that ended the supervisor: as a traceback, or in one sentence if it was a limit of the shell.

    That sentence also goes to the process that waits for the start. The imports below and the last sweep need a
    descriptor, so standard input, which nobody reads, gives up its own.
    """
    if isinstance(problem, OSError) and problem.errno == errno.EMFILE:
        os.close(0)
    from jobctl.process import ulimit
    from jobctl.process.own_log import say, say_traceback

    if isinstance(problem, OSError) and ulimit.explain(problem.errno or 0):
        options.report(f"error {ulimit.in_words(problem)}")
        say(f"supervisor: {ulimit.in_words(problem)}")
    else:
        say_traceback()


def _restart(options: Options, environ: dict[str, str]) -> None:
    """Become the supervisor that is installed now, as the same process and with the same lock."""
    for fd in options.inherited:
        os.set_inheritable(fd, True)
    argv = [word for word in sys.orig_argv if not word.startswith(("ready=", "held=", "line="))]
    argv.insert(argv.index("--"), f"held={options.lock_fd}")
    os.execve(argv[0], argv, environ)


def _reset_descriptors(keep: set[int]) -> None:
    """Point standard input to /dev/null, make sure that 0 to 2 are open, and close everything else that was inherited.

    If 1 or 2 stayed closed, the next file that the supervisor opens would get that number, and output would go there.
    """
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 0)
    os.set_inheritable(0, True)  # /dev/null itself may have been opened as 0
    for fd in (1, 2):
        try:
            os.fstat(fd)
        except OSError:
            os.dup2(null, fd)
    _close_inherited(keep)


def _close_inherited(keep: set[int]) -> None:
    for folder in ("/proc/self/fd", "/dev/fd"):
        with contextlib.suppress(OSError):
            for fd in [int(name) for name in os.listdir(folder)]:
                if fd > 2 and fd not in keep:
                    with contextlib.suppress(OSError):  # the descriptor that listed the folder is closed already
                        os.close(fd)
            return


def _adopt_orphans() -> None:
    """Make orphaned descendants children of this process, so that none can escape from its item."""
    import ctypes

    with contextlib.suppress(OSError, AttributeError):  # a system without prctl
        prctl = ctypes.CDLL(None, use_errno=True).prctl
        prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        prctl(_PR_SET_NAME, b"jobctl-super", 0, 0, 0)
