"""What ends, by itself or because it must: reaping, orphans, kills in progress."""

from __future__ import annotations

import os

from jobctl.engine.supervisor_attempts import Attempts
from jobctl.engine.supervisor_pressure import NEVER
from jobctl.engine.supervisor_running import Running
from jobctl.process import tree
from jobctl.process.identity import ENGINE_SERIAL, Tagger
from jobctl.process.killing import Kill
from jobctl.process.orphans import UNKNOWN, Orphans

TYPE_CHECKING = False  # as typing's own, which costs a tenth of the supervisor's start to import
if TYPE_CHECKING:
    from typing import Any

#: For what no job gives a grace to.
DEFAULT_GRACE_S = 10.0
#: Next look at a process that KILL does not end.
_STUCK_PAUSE_S = 10.0


class Endings:
    """An attempt is over when its leader is; what it leaves behind is ended, and so is all of it when asked."""

    def __init__(self, attempts: Attempts, tagger: Tagger) -> None:
        self.engine_pid = 0
        self.due = NEVER  # when ``act`` has something to do
        self._attempts = attempts
        self._tagger = tagger
        self._orphans = Orphans(tagger)
        self._kills: dict[int, Kill] = {}  # by serial
        self._groups: dict[int, int] = {}  # process groups of ended leaders, where orphans cannot be seen

    @property
    def busy(self) -> bool:
        """Whether anything lives that is not the engine."""
        return bool(self._attempts.by_serial or self._kills or self._orphans.pids)

    def act(self, now: float) -> None:
        """Do the rounds that are due."""
        for kill in [kill for kill in self._kills.values() if now >= kill.due]:
            self._round(kill, now)
        self._plan()

    def _plan(self) -> None:
        self.due = min((kill.due for kill in self._kills.values()), default=NEVER)

    def reap(self, now: float) -> int | None:
        """Settle whatever has ended; the exit status of the engine if it is among it."""
        attempts = self._attempts
        ended: list[Running] = []
        engine_status: int | None = None
        while (child := _next_dead_child()) is not None:
            pid, status, rusage = child
            run = attempts.running.pop(pid, None)
            if run is not None:
                run.reaped = (status, rusage, now)
                ended.append(run)
            elif pid == self.engine_pid:
                engine_status = status
                self.engine_pid = 0
            else:
                self._orphan_ended(self._orphans.pids.pop(pid, None), now)
        self.look(now)
        for run in ended:
            self._leader_ended(run, now)
        if engine_status is not None:
            self._end_strays(ENGINE_SERIAL, now)
        if self._orphans.pids and not attempts.by_serial:
            self._end_strays(UNKNOWN, now)
        if self._kills:
            self._plan()
        attempts.pressure.hurry()
        return engine_status

    def end(self, run: Running, ending: int, grace_s: float, now: float) -> None:
        """End an attempt and all that descends from it; its outcome waits for the last of them."""
        kill = self._kills.get(run.serial)
        if kill is None:
            kill = self._kills[run.serial] = Kill(run.serial, ending, now, grace_s)
        kill.hasten(now + grace_s)
        self._round(kill, now)
        self._plan()

    def end_everything(self, ending: int, grace_s: float, now: float) -> None:
        """End all attempts and whatever else was left to us."""
        for run in list(self._attempts.by_serial.values()):
            if not run.leave(now):
                self.end(run, ending, grace_s, now)
        self.look(now)
        for serial in set(self._orphans.pids.values()):
            self._end_strays(serial, now)
        for kill in self._kills.values():
            kill.hasten(now + grace_s)
        self._plan()

    def look(self, now: float) -> None:
        """Find processes that lost their parent since the last look."""
        attempts = self._attempts
        expected = len(attempts.running) + (1 if self.engine_pid else 0)
        for pid in self._orphans.look(expected, self._is_ours, attempts.serial_of_cookie):
            serial = self._owner(pid)
            if serial in self._kills:
                self._kills[serial].due = now
            elif serial not in attempts.by_serial and serial not in (UNKNOWN, ENGINE_SERIAL):
                self._end_strays(serial, now)

    def _owner(self, pid: int) -> int:
        """Whose an orphan is; one that wears another store's tag may have been seen below an item that is ended."""
        if self._orphans.pids[pid] == UNKNOWN:
            for serial, kill in self._kills.items():
                if kill.has_seen(pid):
                    self._orphans.pids[pid] = serial
        return self._orphans.pids[pid]

    def _is_ours(self, pid: int) -> bool:
        return pid in self._attempts.running or pid == self.engine_pid

    def _orphan_ended(self, serial: int | None, now: float) -> None:
        if serial in self._kills:
            self._kills[serial].due = now

    def _leader_ended(self, run: Running, now: float) -> None:
        kill = self._kills.get(run.serial)
        if kill is not None:
            self._round(kill, now)
            return
        if self._orphans.exact:
            leftovers = bool(self._orphans.pids) and bool(self._orphans.of(run.serial))
        else:
            leftovers = tree.group_lives(run.pid)
        self._attempts.finish(run, None, leftovers, reuse_files=self._orphans.exact and not leftovers)
        if leftovers:
            self._kills[run.serial] = Kill(run.serial, None, now, run.plan.grace_s)
            self._groups[run.serial] = run.pid

    def _end_strays(self, serial: int, now: float) -> None:
        """End what belongs to no attempt that runs."""
        if serial not in self._kills and self._orphans.of(serial):
            self._kills[serial] = Kill(serial, None, now, DEFAULT_GRACE_S)

    def _round(self, kill: Kill, now: float) -> None:
        run = self._attempts.by_serial.get(kill.serial)
        roots = self._orphans.of(kill.serial)
        if run is not None and run.reaped is None:
            roots.insert(0, run.pid)
        group = 0 if self._orphans.exact else (run.pid if run is not None else self._groups.get(kill.serial, 0))
        if kill.round(now, roots, self._tagger, group):
            return
        if run is not None and run.reaped is None:  # cannot be killed: the slot stays taken until it is gone
            kill.due = now + _STUCK_PAUSE_S
            return
        del self._kills[kill.serial]
        self._groups.pop(kill.serial, None)
        for pid in roots:  # cannot be killed either; nobody waits for these
            self._orphans.abandon(pid)
        if run is not None:
            self._attempts.finish(run, kill.ending, bool(roots), reuse_files=self._orphans.exact and not roots)


def _next_dead_child() -> tuple[int, int, Any] | None:
    try:
        child = os.wait4(-1, os.WNOHANG)
    except ChildProcessError:
        return None
    return child if child[0] else None
