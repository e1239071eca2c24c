"""P: the same blow to others, for comparison: GNU parallel and task-spooler, killed in the middle and started again."""

from __future__ import annotations

import os
import subprocess
import time
from collections import Counter
from random import Random

from tests.faults import proc
from tests.faults.campaign import fault, measure
from tests.faults.rig import Rig, kill, need
from tests.wait import wait_until

_ITEMS, _SLOTS = 24, 4
#: Says when it begins and ends, and whether an earlier one of the same item still runs.
_ITEM = """
item=$1 place=$2
[ -e "$place/alive/$item" ] && grep -qs '^State:.[^ZX]' "/proc/$(cat "$place/alive/$item")/status" &&
  echo "overlap $item" >>"$place/log"
echo $$ >"$place/alive/$item"
echo "start $item" >>"$place/log"
sleep 1.2
echo "end $item" >>"$place/log"
rm -f "$place/alive/$item"
"""


class _Bench:
    """Items of a peer and what they said."""

    def __init__(self, rng: Random, number: int) -> None:
        self.rig = Rig(rng, number)
        self.place = self.rig.place
        (self.place / "item.sh").write_text(_ITEM)
        self.env = {
            **self.rig.env,
            "TS_SOCKET": str(self.place / "socket"),
            "TS_SLOTS": str(_SLOTS),
            "TMPDIR": str(self.place),
        }

    def said(self) -> Counter[str]:
        """The number of times that each line was written."""
        try:
            return Counter((self.place / "log").read_text().splitlines())
        except FileNotFoundError:
            return Counter()

    def run(self, *words: object, wait: bool = True) -> subprocess.Popen[bytes]:
        """A command of the peer."""
        process = subprocess.Popen(
            [str(word) for word in words],
            cwd=self.place,
            env=self.env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        if wait:
            process.wait(60)
        return process

    def until_some_ended(self) -> None:
        """A random number of items is over, and others run."""
        ended = self.rig.rng.randrange(4, 12)
        wait_until(lambda: sum(line.startswith("end") for line in self.said()) >= ended, 30, "items to end")

    def report(self) -> None:
        """Measure what became of the items."""
        said = self.said()
        starts = [said[f"start {item}"] for item in range(_ITEMS)]
        measure("run twice at once", sum(line.startswith("overlap") for line in said.elements()))
        measure("ran more than once", sum(count > 1 for count in starts))
        measure("ran to the end more than once", sum(said[f"end {item}"] > 1 for item in range(_ITEMS)))
        measure("never ran", starts.count(0))
        measure("items", _ITEMS)

    def serves(self, pid: int) -> bool:
        """Whether a process belongs to our queue of task-spooler."""
        return proc.variable(pid, "TS_SOCKET") == self.socket

    def close(self) -> None:
        """End its remaining processes."""
        mark = str(self.place)
        for pid in proc.all_pids():
            if pid != os.getpid() and (
                mark in proc.command(pid) or proc.variable(pid, "TS_SOCKET") == self.env["TS_SOCKET"]
            ):
                kill(pid)
        self.rig.close()


@fault("P-parallel", "for comparison: GNU parallel --joblog killed, then --resume", full=30, sample=1)
def parallel(rng: Random, number: int) -> list[str]:
    """Its children continue without it, and run a second time meanwhile."""
    bench = _Bench(rng, number)
    try:
        words = [
            need("parallel"),
            "--will-cite",
            "-j",
            _SLOTS,
            "--joblog",
            "joblog",
            "--resume",
            "sh",
            "item.sh",
            "{}",
            bench.place,
        ]
        words += [":::", *range(_ITEMS)]
        first = bench.run(*words, wait=False)
        bench.until_some_ended()
        kill(first.pid)
        first.wait()
        bench.run(*words)
        bench.report()
        return []
    finally:
        bench.close()


@fault("P-spooler", "for comparison: the server of task-spooler killed, then its queue asked for", full=30, sample=1)
def spooler(rng: Random, number: int) -> list[str]:
    """Its queue was in its memory."""
    bench = _Bench(rng, number)
    try:
        tsp = need("tsp")
        for item in range(_ITEMS):
            bench.run(tsp, "sh", "item.sh", item, bench.place)
        bench.until_some_ended()
        server = [
            pid
            for pid in proc.all_pids()
            if proc.command(pid) == tsp or proc.command(pid).split(" ")[0].endswith("tsp")
        ]
        for pid in server:
            if proc.variable(pid, "TS_SOCKET") == bench.env["TS_SOCKET"]:
                kill(pid)
        bench.run(tsp)  # a new server: what does it know?
        quiet_since = time.monotonic()
        before = bench.said()
        while time.monotonic() < quiet_since + 2.5:
            time.sleep(0.05)
            if bench.said() != before:
                before, quiet_since = bench.said(), time.monotonic()
        bench.report()
        return []
    finally:
        bench.close()


@fault(
    "P-jobctl",
    "for comparison: jobctl run --key killed, supervisor and engine, then the same line again",
    full=30,
    sample=1,
)
def ourselves(rng: Random, number: int) -> list[str]:
    """The same blow and the same way back."""
    bench = _Bench(rng, number)
    try:
        (bench.place / "rows").write_text("".join(f"{item}\n" for item in range(_ITEMS)))
        words = bench.rig.command(
            "run", "rows", "--format", "lines", "--slots", _SLOTS, "--key", "k", "--on-duplicate", "resume"
        )
        words += ["-q", "--", "sh", "item.sh", "{}", str(bench.place)]
        first = bench.run(*words, wait=False)
        bench.until_some_ended()
        for pid in (bench.rig.supervisor(), bench.rig.engine(), first.pid):
            kill(pid)
        first.wait()
        bench.run(*words)
        bench.report()
        said = bench.said()
        found = [f"{line}" for line in said if line.startswith("overlap")]
        found += [f"item {item} never ran" for item in range(_ITEMS) if not said[f"end {item}"]]
        return found
    finally:
        bench.close()
