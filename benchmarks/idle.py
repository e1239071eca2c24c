"""What it costs to wait: a daemon without work, a live view and a ``wait`` of a job that runs."""

from __future__ import annotations

import os
import pty
import subprocess
import threading
import time

from benchmarks import peers
from benchmarks.daemons import Activity, Daemon, daemon
from benchmarks.figure import Figure, Scale

TITLE = "a daemon without work, and commands that wait"
SETTLE_S = 4.0


def run(scale: Scale) -> list[Figure]:
    """Measure the CPU time as a share of one core, and the wake-ups in five seconds."""
    span_s = scale.of(60, 11)
    with daemon() as ours:
        time.sleep(SETTLE_S)
        figures = idle(ours, span_s)
        with open(ours.home.root / "row.txt", "w") as file:
            file.write("1000\n")
        ours.call("submit", file.name, "--", "sleep", "{}")
        return [*figures, *watchers(ours, span_s)]


def idle(ours: Daemon, span_s: float) -> list[Figure]:
    """Return the figures of the engine and the supervisor."""
    pids = {"engine": ours.engine, "supervisor": ours.supervisor}
    done = activity(pids, span_s)
    together = sum(one.cpu_us for one in done.values()) / span_s / 1e4
    details = ", ".join(f"{name} {one.cpu_us / 1e3:.1f} ms in {span_s:.0f} s" for name, one in done.items())
    wakeups = [
        Figure(f"wake-ups of the {name} in 5 s", one.wakeups / span_s * 5, "", 1.0, detail=f"{one.wakeups} in all")
        for name, one in done.items()
    ]
    return [Figure("CPU of an idle daemon", together, "%", 0.1, detail=details), *wakeups]


def watchers(ours: Daemon, span_s: float) -> list[Figure]:
    """Return the figures of ``status --watch`` on a terminal and of ``wait``, while one item runs."""
    master, slave = pty.openpty()
    threading.Thread(target=drain, args=(master,), daemon=True).start()
    argv = {"status --watch": ["status", "1", "--watch"], "wait": ["wait", "1"]}
    running = {
        name: subprocess.Popen([*peers.jobctl(), *words], env=ours.env, stdin=slave, stdout=slave, stderr=slave)
        for name, words in argv.items()
    }
    time.sleep(SETTLE_S)
    done = activity({name: child.pid for name, child in running.items()}, span_s)
    for child in running.values():
        child.terminate()
        child.wait()
    os.close(slave)
    return [
        Figure(
            f"CPU of {name}",
            one.cpu_us / span_s / 1e4,
            "%",
            1.0,
            detail=f"{one.wakeups / span_s:.1f} wake-ups per second",
        )
        for name, one in done.items()
    ]


def activity(pids: dict[str, int], span_s: float) -> dict[str, Activity]:
    """Return the activity of these processes in a span of time."""
    before = {name: Activity.of(pid) for name, pid in pids.items()}
    time.sleep(span_s)
    return {name: Activity.of(pid).since(before[name]) for name, pid in pids.items()}


def drain(master: int) -> None:
    """Read the terminal until its other end is closed."""
    try:
        while os.read(master, 1 << 16):
            pass
    except OSError:
        return
