"""Ends attempts, or notices that they ended by themselves: reaping, orphans, kills in progress, waits for leftovers."""

from __future__ import annotations

import os
from collections.abc import Callable

from jobctl.process import leaders, tree
from jobctl.process.identity import ENGINE_SERIAL, Tagger, is_dead, name_of
from jobctl.supervisor.attempts import Attempts
from jobctl.supervisor.killing import Kill
from jobctl.supervisor.orphans import NOBODY, UNKNOWN, Orphans
from jobctl.supervisor.owners import are_daemons, owners_of
from jobctl.supervisor.pressure import NEVER
from jobctl.supervisor.protocol import wire
from jobctl.supervisor.running import Running, left_text

TYPE_CHECKING = False  # as typing's own, which costs a tenth of the supervisor's start to import
if TYPE_CHECKING:
    from typing import Any

#: Grace of a process that belongs to no job.
DEFAULT_GRACE_S = 10.0
#: Pause before the next look at a process that KILL does not end.
_STUCK_PAUSE_S = 10.0
#: A process that an item left behind may still become a daemon; most do so right after their start.
_FIRST_LOOK_S = 0.1
_LONGEST_LOOK_S = 60.0
#: Longest pause on systems that do not give orphans to this process, where no signal reports their end.
_LONGEST_LOOK_WITHOUT_SIGNAL_S = 1.0


class Endings:
    """An attempt is over when its last process is. Its processes are ended on request, or when its leader is gone."""

    def __init__(self, attempts: Attempts, tagger: Tagger, log: Callable[[str], None]) -> None:
        self.engine_pid = 0
        self.due = NEVER  # when ``act`` has something to do
        self._attempts = attempts
        self._tagger = tagger
        self._log = log
        self._orphans = Orphans(tagger)
        self._kills: dict[int, Kill] = {}  # by serial
        self._waits: dict[int, tuple[float, float]] = {}  # by serial: next look at its leftovers, pause after it
        self._stuck: set[int] = set()  # serials that were logged as stuck

    @property
    def busy(self) -> bool:
        """True if any process other than the engine lives."""
        return bool(self._attempts.by_serial or self._kills or self._orphans.pids)

    def act(self, now: float) -> None:
        """Do the rounds that are due."""
        for kill in [kill for kill in self._kills.values() if now >= kill.due]:
            self._round(kill, now)
        for serial in [serial for serial, (due, _) in self._waits.items() if now >= due]:
            self._look_at_waiting(serial, now)
        self._plan()

    def _plan(self) -> None:
        self.due = min((kill.due for kill in self._kills.values()), default=NEVER)
        if self._waits:
            self.due = min(self.due, *(due for due, _ in self._waits.values()))

    def extend_deadlines(self, gap_s: float, now: float) -> None:
        """The supervisor stood still for this time, so attempts that are being ended get the rest of their grace."""
        for kill in self._kills.values():
            kill.extend_deadline(gap_s, now)
        self._plan()

    def reap(self, now: float, gap_s: float = 0.0) -> int | None:
        """Settle every process that has ended; returns the exit status of the engine if it is among them.

        ``gap_s`` is the time for which the supervisor stood still before. A process ended at an unknown moment of it.
        """
        attempts = self._attempts
        ended: list[Running] = []
        orphaned: set[int | None] = set()
        engine_status: int | None = None
        while (child := _next_dead_child()) is not None:
            pid, status, rusage = child
            run = attempts.running.pop(pid, None)
            if run is not None:
                run.reaped = (status, rusage, now if not gap_s else run.latest_end(now, gap_s))
                run.leader_ended()
                ended.append(run)
            elif pid == self.engine_pid:
                engine_status = status
                self.engine_pid = 0
            else:
                orphaned.add(self._orphans.ended(pid))
        self.look(now)
        for run in ended:
            self._leader_ended(run, now)
        if orphaned or self._orphans.pids or engine_status is not None:
            self._settle_orphans(orphaned, engine_status is not None, now)
        if self._kills or self._waits:
            self._plan()
        attempts.pressure.hurry()
        return engine_status

    def _settle_orphans(self, ended: set[int | None], engine_ended: bool, now: float) -> None:
        """Continue the attempts whose orphans ended, and end orphans that belong to no attempt."""
        for serial in ended:
            self._orphan_ended(serial, now)
        if engine_ended:
            self._end_strays(ENGINE_SERIAL, now)
        if self._orphans.pids:
            self._orphans.narrow(self._attempts.by_serial)
            self._end_strays(NOBODY, now)

    def rules_changed(self, now: float) -> None:
        """The rules of a job changed: perhaps attempts that wait for their leftovers must be ended now."""
        for serial, (_, pause_s) in self._waits.items():
            self._waits[serial] = (now, pause_s)
            self.due = now

    def end(self, run: Running, ending: int, grace_s: float, now: float) -> None:
        """End an attempt with all its descendants; its outcome waits for the last of them."""
        kill = self._kills.get(run.serial)
        if kill is None:
            kill = self._kills[run.serial] = Kill(run.serial, ending, now, grace_s)
            if self._waits.pop(run.serial, None) is not None:
                self._name_left(run)
        kill.hasten(now + grace_s)
        self._round(kill, now)
        self._plan()

    def end_everything(self, ending: int, grace_s: float, now: float) -> None:
        """End all attempts and all orphans."""
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
        for pid in self._orphans.look(expected, self._is_ours, lambda pid: owners_of(pid, attempts)):
            serial = self._owner(pid)
            if serial in self._kills:
                self._kills[serial].due = now
            elif serial in self._waits:
                self._waits[serial] = (now, self._waits[serial][1])
            elif serial not in attempts.by_serial and serial not in (UNKNOWN, ENGINE_SERIAL):
                self._end_strays(serial, now)

    def _owner(self, pid: int) -> int:
        """The serial of the attempt that an orphan belongs to.

        An orphan with the tag of another store may have been seen among the descendants of an item that is being ended.
        """
        if self._orphans.pids[pid] in (UNKNOWN, NOBODY):
            for serial, kill in self._kills.items():
                if kill.has_seen(pid):
                    self._orphans.pids[pid] = serial
        return self._orphans.pids[pid]

    def _is_ours(self, pid: int) -> bool:
        return pid in self._attempts.running or pid == self.engine_pid

    def _orphan_ended(self, serial: int | None, now: float) -> None:
        if serial in self._kills:
            self._kills[serial].due = now
        elif serial in self._waits:
            self._look_at_waiting(serial, now)

    # ---- leftovers ----

    def _leader_ended(self, run: Running, now: float) -> None:
        kill = self._kills.get(run.serial)
        if kill is not None:
            run.deadline = NEVER
            self._round(kill, now)
        elif self._orphans.exact and not self._orphans.pids:
            self._attempts.finish(run, None, reuse_files=True)
        else:
            self._settle_leftovers(run, _FIRST_LOOK_S, now)

    def _settle_leftovers(self, run: Running, pause_s: float, now: float) -> None:
        """Wait for the processes that an item left behind, or end them; without any, the item is over."""
        self._orphans.narrow(self._attempts.by_serial)
        left = self._orphans.of(run.serial) if self._orphans.exact else _group_of(run)
        if not left:
            self._finish(run, None, now)
        elif run.plan.leftovers == wire.WAIT and not run.takes_calls and not self._has_only_daemons(run, left):
            longest_s = _LONGEST_LOOK_S if self._orphans.exact else _LONGEST_LOOK_WITHOUT_SIGNAL_S
            run.has_waited = True
            self._waits[run.serial] = (now + pause_s, min(2 * pause_s, longest_s))
            waited = tree.descendants(left) if self._orphans.exact else [run.pid]
            self._attempts.table.turn(run.place, leaders.WAITS, waited)
        else:
            self._waits.pop(run.serial, None)
            run.deadline = NEVER
            self._name_left(run)
            kill = self._kills[run.serial] = Kill(run.serial, None, now, run.plan.grace_s)
            self._round(kill, now)

    def _name_left(self, run: Running) -> None:
        """Record the names of the processes that an item left behind; they are ended now."""
        left = self._orphans.of(run.serial) if self._orphans.exact else _group_of(run)
        run.left = _names(tree.descendants(left) if self._orphans.exact else left)

    def _look_at_waiting(self, serial: int, now: float) -> None:
        run = self._attempts.by_serial[serial]
        _, pause_s = self._waits[serial]
        self._settle_leftovers(run, pause_s, now)

    def _has_only_daemons(self, run: Running, left: list[int]) -> bool:
        return self._orphans.exact and are_daemons(left, run)

    def _finish(self, run: Running, ending: int | None, now: float) -> None:
        """No process of the attempt is left. An attempt that waited for its leftovers lasted until now, even if the
        supervisor ended them.
        """
        self._waits.pop(run.serial, None)
        if run.has_waited and run.reaped is not None:
            run.reaped = (*run.reaped[:2], now)
        self._stuck.discard(run.serial)
        if run.takes_calls and run.left:
            self._log(f"calls of job {run.id[0]} left processes, which ended with their worker: {left_text(run.left)}")
        self._attempts.finish(run, ending, reuse_files=self._orphans.exact)

    def _end_strays(self, serial: int, now: float) -> None:
        """End processes that belong to no running attempt."""
        if serial not in self._kills and self._orphans.of(serial):
            self._kills[serial] = Kill(serial, None, now, DEFAULT_GRACE_S)

    def _round(self, kill: Kill, now: float) -> None:
        run = self._attempts.by_serial.get(kill.serial)
        if run is not None:
            self._orphans.narrow(self._attempts.by_serial)
        roots = self._orphans.of(kill.serial)
        if run is not None and run.reaped is None:
            roots.insert(0, run.pid)
        group = 0 if self._orphans.exact or run is None else run.pid
        if kill.round(now, roots, self._tagger, group):
            return
        if run is not None and roots:  # KILL does not end it: the slot stays taken until it is gone
            kill.rest(now + _STUCK_PAUSE_S)
            self._log_stuck(run, roots)
            return
        del self._kills[kill.serial]
        for pid in roots:  # KILL does not end these either, but no attempt waits for them
            self._orphans.abandon(pid)
        if run is not None:
            self._finish(run, kill.ending, now)

    def _log_stuck(self, run: Running, roots: list[int]) -> None:
        self._attempts.table.turn(run.place, leaders.STUCK, roots)
        if run.serial not in self._stuck:
            self._stuck.add(run.serial)
            job, item, _ = run.ids()[0] if run.ids() else run.id
            named = ", ".join(f"{pid} {name_of(pid)}" for pid in roots[: leaders.MOST_LEFT])
            self._log(f"item {job}.{item} cannot be ended and keeps its slot: {named}")


def _group_of(run: Running) -> list[int]:
    return [-run.pid] if tree.group_lives(run.pid) else []


def _names(pids: list[int]) -> list[str]:
    """One name for each living process; a process group has the name ''."""
    return [name_of(pid) if pid > 0 else "" for pid in pids if pid < 0 or not is_dead(pid)]


def _next_dead_child() -> tuple[int, int, Any] | None:
    try:
        child = os.wait4(-1, os.WNOHANG)
    except ChildProcessError:
        return None
    return child if child[0] else None
