"""Finds the attempt of an orphan without a tag, and recognizes daemons."""

from __future__ import annotations

import os

from jobctl.process import tree
from jobctl.process.identity import ENGINE_SERIAL, environment, is_dead, stat_fields
from jobctl.process.leaders import TICK_NS

TYPE_CHECKING = False  # as typing's own, which costs a tenth of the supervisor's start to import
if TYPE_CHECKING:
    from collections.abc import Iterator

    from jobctl.supervisor.attempts import Attempts
    from jobctl.supervisor.running import Running

    FileId = tuple[int, int]

_MOST_DESCRIPTORS = 256
_GROUP, _SESSION, _STARTED_AT = 2, 3, 19


def owners_of(pid: int, attempts: Attempts) -> set[int]:
    """Serials of the attempts that an orphan may belong to.

    Its environment, its session or group, or a file that it holds open names one attempt. Without any of these, it
    may belong to every attempt that ran when it started.
    """
    values = environment(pid, (b"JOBCTL_COOKIE", b"JOBCTL_ENGINE"))
    serial = attempts.serial_of_cookie(values.get(b"JOBCTL_COOKIE", b""))
    if serial is not None:
        return {serial}
    if values.get(b"JOBCTL_ENGINE") == attempts.store:
        return {ENGINE_SERIAL}
    fields = stat_fields(pid)
    if fields is None:
        return set()
    runs = attempts.by_serial.values()
    group_ids = {int(fields[_SESSION]), int(fields[_GROUP])}
    open_files = set(files_of(pid))
    for run in runs:
        if run.pid in group_ids or not open_files.isdisjoint(_outputs(run)):
            return {run.serial}
    started_ns = int(fields[_STARTED_AT]) * TICK_NS
    return {run.serial for run in runs if run.begun <= started_ns + TICK_NS}


def are_daemons(left: list[int], run: Running) -> bool:
    """True if every process that an item left behind has left its session and holds neither of its output files.

    A process of ``left`` that ends while this function looks may hand over children that it does not see. They are
    found when that process is reaped, so until then the answer is False.
    """
    outputs = _outputs(run)
    for pid in tree.descendants(left):
        fields = stat_fields(pid)
        if fields is None or fields[0] in (b"Z", b"X"):
            continue
        if run.pid == int(fields[_SESSION]) or not outputs.isdisjoint(files_of(pid)):
            return False
        if not os.access(f"/proc/{pid}/fd", os.R_OK | os.X_OK):  # of another user: its files are unknown
            return False
    return not any(map(is_dead, left))  # last, because one may end while the others are examined


def _outputs(run: Running) -> set[FileId]:
    found = set()
    for fd in (run.scratch.out, run.scratch.err):
        try:
            status = os.fstat(fd)
        except OSError:
            continue
        found.add((status.st_dev, status.st_ino))
    return found


def files_of(pid: int) -> Iterator[FileId]:
    """The files that a process has open, as far as this user may see them."""
    folder = f"/proc/{pid}/fd"
    try:
        names = os.listdir(folder)
    except OSError:
        return
    for name in names[:_MOST_DESCRIPTORS]:
        try:
            status = os.stat(f"{folder}/{name}")
        except OSError:
            continue
        yield status.st_dev, status.st_ino
