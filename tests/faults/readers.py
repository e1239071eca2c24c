"""T17: a reader that does not let go. T19: terminals that close. T23: calls of the C library that fail at random."""

from __future__ import annotations

import signal
import subprocess
import sys
import time

from jobctl.errors import JobctlError
from tests.faults import proc
from tests.faults.campaign import fault, measure, on_a_rig
from tests.faults.rig import QUICK, Rig, kill, need, pause
from tests.wait import wait_until

_WAL_LIMIT = 64 << 20
#: Opens the store as jobctl does, begins to read, and keeps its transaction open until it is killed.
_READER = """
import sys, time
from pathlib import Path
from jobctl.config import Home
from jobctl.store.opening.open import open_database
database = open_database(Home(Path(sys.argv[1])))
database.execute("BEGIN")
print(database.scalar("SELECT count(*) FROM items"), flush=True)
time.sleep(600)
"""


@fault("T17", "a read transaction is held open under load, then let go", full=10, sample=1)
@on_a_rig
def stuck_reader(rig: Rig) -> None:
    """The WAL grows while a reader sees an old state, and is small again soon after; nothing waits for the reader."""
    rig.submit(20, mix=QUICK)
    rig.start()
    reader = subprocess.Popen([sys.executable, "-c", _READER, str(rig.home.root)], env=rig.env, stdout=subprocess.PIPE)
    try:
        assert reader.stdout is not None and reader.stdout.readline()
        kill(reader.pid, signal.SIGSTOP)
        for _ in range(3):
            rig.submit(5000, "--hold", mix=QUICK)
        rig.submit(60, mix=QUICK)
        rig.jobctl("wait", rig.accepted[-1].job)
        held = _wal_bytes(rig)
    finally:
        reader.kill()
        reader.communicate()
    done = rig.jobctl("cancel", "2-4")
    assert done.returncode == 0, done.stderr
    rig.wait_done()
    wait_until(lambda: _wal_bytes(rig) < _WAL_LIMIT, 30, "the WAL to be small again")
    rig.submit(60, mix=QUICK)
    rig.wait_done()
    measure("WAL while it was held (MiB)", held / (1 << 20))
    measure("WAL after (MiB)", _wal_bytes(rig) / (1 << 20))


def _wal_bytes(rig: Rig) -> int:
    try:
        return (rig.home.root / "jobctl.db-wal").stat().st_size
    except FileNotFoundError:
        return 0


@fault("T19", "the terminal in which the daemon was started closes, HUP to every process", full=30, sample=1)
@on_a_rig
def closed_terminal(rig: Rig) -> None:
    """Daemon and items live on, nothing is interrupted."""
    rig.submit(60)
    marked = rig.place / "started"
    words = " ".join(rig.command("daemon", "start", "--slots", 6))
    terminal = subprocess.Popen(
        [need("script"), "-qfec", f"{words}; touch {marked}; sleep 60", "/dev/null"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        cwd=rig.place,
        env=rig.env,
        start_new_session=True,
    )
    try:
        wait_until(marked.exists, 30, "the daemon to be started")
        pause(rig.rng, 0.4)
        supervisor, engine = rig.supervisor(), rig.engine()
    finally:
        shells = proc.family(terminal.pid)
        kill(terminal.pid)  # its end of the terminal is closed with it
        terminal.wait()
    for pid in shells[1:]:
        kill(pid)
    for pid in (supervisor, engine):
        kill(pid, signal.SIGHUP)
    rig.wait_done()
    if (rig.supervisor(), rig.engine()) != (supervisor, engine):
        rig.notes.append("the daemon did not outlive the terminal")
    interrupted = rig.rows("SELECT count(*) FROM attempts WHERE ending <> 0")[0][0]
    if interrupted:
        rig.notes.append(f"{interrupted} attempts did not end by themselves")


_POINTS = ("posix/io/rw/pwrite", "posix/io/rw/pread", "posix/io/sync/fdatasync", "posix/io/oc/open", "posix/mm/mmap")


@fault("T23", "calls of the C library fail at random in supervisor and engine (libfiu)", full=100, sample=2)
@on_a_rig
def failing_library(rig: Rig) -> None:
    """Engines may die of it, even a daemon may give up; what is recorded is true."""
    point = rig.rng.choice(_POINTS)
    rig.launcher = (need("fiu-run"), "-f", "", "-x", "-c", f"enable_random name={point},probability=0.02")
    rig.submit(60, mix=QUICK)
    try:
        rig.start()
    except JobctlError:
        measure("starts that failed", 1)
    until = time.monotonic() + 4
    while time.monotonic() < until and not rig.is_done() and rig.supervisor():
        pause(rig.rng, 0.1)
    measure("done in spite of it", rig.is_done())
    for pid in (rig.supervisor(), rig.engine()):
        kill(pid)
    rig.launcher = ()
    rig.start_again()
    rig.wait_done()
