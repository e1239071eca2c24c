"""Keeps the leaders of unfinished attempts in a file whose content survives the supervisor.

The mapped file is a table with one entry for each attempt, from the start of its process until its last process is
gone. The kernel reuses process ids, so an entry also has two moments between which its process started. After the
death of a supervisor, its successor finds processes without tag and cookie by this table. Commands read in it which
processes an item waits for. A mapped page survives any kill but not a power cut, so the table is valid only in the boot
in which it was made.
"""

from __future__ import annotations

import os
import struct
import time

from jobctl.process import cgroup
from jobctl.process.identity import boot_id, start_time
from jobctl.process.mapped import open_mapped

TYPE_CHECKING = False  # as typing's own, which costs a tenth of the supervisor's start to import
if TYPE_CHECKING:
    AttemptId = tuple[int, int, int]

NAME = "leaders"
_MAGIC = b"jobctl\0\3"
_HEADER = struct.Struct("<8s36sxxxxQQ")  # magic, boot id, since when (ns since boot), places in use at most
_SINCE_AT = 48
_USED_AT = 56
_WORD = struct.Struct("<Q")
_GROUP_AT = 64
_GROUP_ROOM = 960
_RECORDS_AT = 1024
_ENTRY = struct.Struct("<8Q")  # state, job, item, attempt, pid, started not before, not after (ns), serial
_LEFT = struct.Struct("<8Q")  # how many processes are left, numbers of the first of them
_ATTEMPT = struct.Struct("<3Q")
_SIZE_OF_ONE = _ENTRY.size + _LEFT.size
_ROOM = 4096
_SIZE = _RECORDS_AT + _ROOM * _SIZE_OF_ONE
#: The number of pids that are kept of the processes that an attempt waits for.
MOST_LEFT = 7

FREE = 0
RUNS = 1
WAITS = 2  # its command has exited, and it lasts until the processes left behind have ended
STUCK = 3  # it cannot be ended
BARRED = 4  # a supervisor that died left it, and it cannot be ended

TICK_NS = 10**9 // os.sysconf("SC_CLK_TCK")
_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


def since_boot_ns() -> int:
    """Nanoseconds on the clock by which the kernel gives the start times of processes."""
    return time.clock_gettime_ns(_CLOCK)


class LeaderEntry:
    """One attempt in the table."""

    __slots__ = ("attempt", "begun", "count", "left", "pid", "place", "serial", "settled", "state")

    def __init__(self, place: int, fields: tuple[int, ...], left: tuple[int, ...]) -> None:
        self.place = place
        self.state, job, item, attempt, self.pid, self.begun, self.settled, self.serial = fields
        self.attempt: AttemptId = (job, item, attempt)
        self.count = left[0]
        self.left = [pid for pid in left[1 : 1 + min(left[0], MOST_LEFT)] if pid]

    def started_at(self, ticks: int) -> bool:
        """True if a process with the leader's pid and this start time is the leader."""
        return self.begun - TICK_NS <= ticks * TICK_NS <= self.settled

    def is_before(self, ticks: int) -> bool:
        """True if a process with this start time can descend from the leader."""
        return ticks * TICK_NS >= self.begun - TICK_NS

    def lives(self) -> bool:
        """True if the leader itself still exists, perhaps as a zombie."""
        ticks = start_time(self.pid)
        return ticks is not None and self.started_at(ticks)


class Leaders:
    """The supervisor's end of the table. Never fails: without the file, it records nothing."""

    def __init__(self, path: str) -> None:
        """``before`` has the entries that a dead supervisor left; the caller must sweep each or keep it."""
        self.before: list[LeaderEntry] = []
        self.since = 0  # start of the first supervisor that did not end well; 0 = the last one ended well
        self._free: list[int] = []
        self._next = 0
        self._is_open = False
        self._group = ""
        try:
            self._map = open_mapped(path, _SIZE)
        except (OSError, ValueError):
            self._next = _ROOM
            return
        self._is_open = True
        magic, boot, since, used = _HEADER.unpack_from(self._map)
        if magic == _MAGIC and boot.rstrip(b"\0").decode("ascii", "replace") == boot_id() and used <= _ROOM:
            self.before = _entries(self._map, used)
            self.since = since
        if not self.since:
            _HEADER.pack_into(self._map, 0, _MAGIC, boot_id().encode(), since_boot_ns(), 0)
            used = 0
        self._next = used
        taken = {entry.place for entry in self.before}
        self._free = [place for place in range(used) if place not in taken]

    def add(self, attempt: AttemptId, pid: int, begun: int, serial: int) -> int:
        """Add the leader of an attempt; returns its place, -1 when the table is full."""
        if self._free:
            place = self._free.pop()
        elif self._next < _ROOM:
            place = self._next
            self._next += 1
            _WORD.pack_into(self._map, _USED_AT, self._next)
        else:
            return -1
        at = _RECORDS_AT + place * _SIZE_OF_ONE
        _ENTRY.pack_into(self._map, at, RUNS, *attempt, pid, begun, time.clock_gettime_ns(_CLOCK), serial)
        return place

    def rename(self, place: int, attempt: AttemptId) -> None:
        """The leader now runs another attempt."""
        if place >= 0:
            _ATTEMPT.pack_into(self._map, _RECORDS_AT + place * _SIZE_OF_ONE + _WORD.size, *attempt)

    def turn(self, place: int, state: int, left: list[int] | tuple[int, ...] = ()) -> None:
        """Set the state of an attempt, and the processes that are the reason for it."""
        if place < 0:
            return
        at = _RECORDS_AT + place * _SIZE_OF_ONE
        first = [*left[:MOST_LEFT], *([0] * MOST_LEFT)][:MOST_LEFT]
        _LEFT.pack_into(self._map, at + _ENTRY.size, len(left), *first)
        _WORD.pack_into(self._map, at, state)

    def remove(self, place: int) -> None:
        """Remove the entry of an attempt; none of its processes is left."""
        if place >= 0:
            _WORD.pack_into(self._map, _RECORDS_AT + place * _SIZE_OF_ONE, FREE)
            self._free.append(place)

    def drop_before(self, keep: set[int]) -> None:
        """The processes of a dead supervisor are gone: remove its entries except those in these places."""
        for entry in self.before:
            if entry.place not in keep:
                self.remove(entry.place)
        self.before = [entry for entry in self.before if entry.place in keep]
        if not self.before and self._is_open:
            _WORD.pack_into(self._map, _SINCE_AT, since_boot_ns())

    def enter_group(self) -> None:
        """Enter a new control group, where the system allows it; processes that are started from now on are in it."""
        if not self._is_open:
            return
        folder = cgroup.enter(f"{os.getpid()}-{since_boot_ns() // 10**6}")
        if len(os.fsencode(folder)) >= _GROUP_ROOM:
            cgroup.leave(folder)
            folder = ""
        self._map[_GROUP_AT : _GROUP_AT + _GROUP_ROOM] = os.fsencode(folder).ljust(_GROUP_ROOM, b"\0")
        self._group = folder

    def close(self) -> None:
        """The supervisor ends well, and none of the processes that it started is left."""
        cgroup.leave(self._group)
        if self._is_open and not _entries(self._map, self._next):
            _WORD.pack_into(self._map, _SINCE_AT, 0)


def _entries(data: object, used: int) -> list[LeaderEntry]:
    found = []
    for place in range(used):
        at = _RECORDS_AT + place * _SIZE_OF_ONE
        fields = _ENTRY.unpack_from(data, at)  # type: ignore[arg-type]
        if fields[0]:
            found.append(LeaderEntry(place, fields, _LEFT.unpack_from(data, at + _ENTRY.size)))  # type: ignore[arg-type]
    return found


class LeadersFile:
    """The content of the table for a reader. ``since`` is 0 if there is no valid table or the supervisor ended well."""

    def __init__(self, path: str) -> None:
        self.entries: list[LeaderEntry] = []
        self.since = 0
        self.group = ""  # the folder of the control group
        data = _read(path)
        if len(data) < _RECORDS_AT:
            return
        magic, boot, since, used = _HEADER.unpack_from(data)
        if magic != _MAGIC or boot.rstrip(b"\0").decode("ascii", "replace") != boot_id():
            return
        self.since = since
        self.group = os.fsdecode(data[_GROUP_AT : _GROUP_AT + _GROUP_ROOM].rstrip(b"\0"))
        self.entries = _entries(data, min(used, (len(data) - _RECORDS_AT) // _SIZE_OF_ONE))


def _read(path: str) -> bytes:
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return b""
    try:
        head = os.pread(fd, _RECORDS_AT, 0)
        if len(head) < _RECORDS_AT:
            return b""
        used = min(_WORD.unpack_from(head, _USED_AT)[0], _ROOM)
        return head + os.pread(fd, used * _SIZE_OF_ONE, _RECORDS_AT)
    except OSError:
        return b""
    finally:
        os.close(fd)
