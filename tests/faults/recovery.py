"""R1: a large queue and many running items when the daemon dies: when it works again, and what status says."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

from jobctl.services.daemon.view import daemon_view
from jobctl.store import sqlite
from jobctl.store.opening.open import open_database
from tests.faults.campaign import fault, measure
from tests.faults.check import violations
from tests.faults.rig import Rig, kill
from tests.wait import wait_until

QUEUED, IN_FLIGHT = 100_000, 64
_LIMIT_S = 2.0
#: What a reader must see from the blow to the recovery: up, down, recovering.
_COURSES = {"engine": "uru", "both": "udru", "all": "udru"}
_LETTERS = {"up": "u", "recovering": "r", "down": "d", "draining": "D", "not_responding": "n"}


#: Lives until the gate is open.
_ITEM = """
echo "start $JOBCTL_JOB $JOBCTL_ITEM $JOBCTL_ATTEMPT $$" >>witness
[ -e gate ] || sleep 60
echo "end $JOBCTL_JOB $JOBCTL_ITEM $JOBCTL_ATTEMPT $$" >>witness
"""


class Watch:
    """Asks for the state of the daemon again and again; ``seen`` has each change, a letter each."""

    def __init__(self, rig: Rig) -> None:
        self.seen: list[str] = []
        self.problems: list[str] = []
        self._rig = rig
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look)

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(self, *_problem: object) -> None:
        self._over.set()
        self._thread.join()

    def _look(self) -> None:
        database = open_database(self._rig.home)
        while not self._over.wait(0.005):
            try:
                state = daemon_view(database, self._rig.home, time.time_ns() // 1000).state
                total, *parts = database.one(
                    "SELECT total, queued + running + retrying, succeeded + failed + unprocessed FROM jobs"
                )
            except sqlite.Error as problem:
                self.problems.append(f"status failed: {problem}")
                continue
            if sum(parts) != total:
                self.problems.append(f"status shows {parts} of {total}")
            if _LETTERS[state] not in self.seen[-1:]:
                self.seen.append(_LETTERS[state])
        database.close()

    def complaints(self, victim: str) -> list[str]:
        """The violations."""
        course = "".join(self.seen)
        found = self.problems[:3]
        if course != _COURSES[victim]:
            found.append(f"after the death of {victim}, status went {course}")
        return found


def interrupted_queue(rig: Rig, queued: int, in_flight: int, victim: str) -> tuple[float, Watch]:
    """Kill in the middle of a large job; seconds until the next daemon starts an item, and what a watcher saw."""
    count = queued + in_flight
    rows = rig.place / "rows.csv"
    rows.write_text("id\n" + "".join(f"{number}\n" for number in range(count)))
    gate = rig.place / "gate"
    script = rig.place / "item.sh"
    script.write_text(_ITEM)
    done = rig.jobctl("submit", rows, "--cwd", rig.place, "--", "sh", script)
    assert done.returncode == 0, done.stderr
    rig.acknowledge(done.stdout, count)
    rig.start(slots=in_flight)
    wait_until(lambda: _began(rig.place) >= in_flight, 60, "the slots to be full")
    with Watch(rig) as watch:
        wait_until(lambda: watch.seen == ["u"], 10, "the watcher to look")
        gate.touch()  # from now on an item that starts ends at once
        before = _began(rig.place)
        victims = {
            "engine": [rig.engine()],
            "both": [rig.supervisor(), rig.engine()],
            "all": rig.whole_tree(),
        }[victim]
        killed = time.monotonic()
        for pid in victims:
            kill(pid)
        if victim == "engine":
            # Its items go on and hold all slots: one of them has to end for another to start.
            wait_until(lambda: watch.seen[-1:] == ["u"] and len(watch.seen) > 1, 60, "the next engine to be up")
            took = time.monotonic() - killed
        else:
            wait_until(lambda: rig.supervisor() is None, 30, "the lock to be free")
            restarted = time.monotonic()
            rig.start(slots=in_flight)
            wait_until(lambda: _began(rig.place) > before, 60, "an item to start")
            took = time.monotonic() - restarted
            wait_until(lambda: watch.seen[-1:] == ["u"], 60, "the daemon to be up")
    return took, watch


def _began(place: Path) -> int:
    try:
        return (place / "witness").read_bytes().count(b"start")
    except FileNotFoundError:
        return 0


def _trial(victim: str) -> None:
    def trial(rng, number: int) -> list[str]:
        rig = Rig(rng, number)
        try:
            took, watch = interrupted_queue(rig, QUEUED, IN_FLIGHT, victim)
            measure("until it works again (s)", took)
            rig.notes += watch.complaints(victim)
            if took > _LIMIT_S and os.getloadavg()[0] < 2 * (os.cpu_count() or 1):  # else it says more about others
                rig.notes.append(f"it took {took:.2f} s to work again")
            rig.jobctl("cancel", "1", "--now")
            rig.wait_done()
            return violations(rig)
        finally:
            rig.close()

    what = {"engine": "the engine", "both": "supervisor and engine", "all": "everything"}[victim]
    text = f"SIGKILL of {what} with {QUEUED:,} queued and {IN_FLIGHT} running: works again within 2 s, status right"
    fault(f"R1-{victim}", text, full=20, sample=1)(trial)


_trial("engine")
_trial("both")
_trial("all")
