"""T10: numbers of processes come back. T18: items that try to get away. T21: files that are not what they should be."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from random import Random

from jobctl.store.schema import SCHEMA_VERSION
from tests.faults import proc
from tests.faults.campaign import adopt_orphans, fault, on_a_rig
from tests.faults.check import violations
from tests.faults.rig import QUICK, Rig, Skip, kill, need, need_root, reap
from tests.wait import wait_until

# ---- numbers that come back ----


@fault("T10", "pids of a dead daemon and its items belong to strangers", full=100, sample=2)
def pid_reuse(rng: Random, number: int) -> list[str]:
    """In a pid namespace of its own, where the next number can be chosen."""
    need_root()
    words = ["-p", "-f", "--mount-proc", sys.executable, "-m", "tests.faults.strangers", str(rng.random()), str(number)]
    done = subprocess.run([need("unshare"), *words], capture_output=True, text=True, timeout=120)
    if done.returncode not in (0, 1):
        raise Skip(done.stderr.strip()[-200:])
    return [line for line in done.stdout.splitlines() + done.stderr.splitlines()[-3:] if line]


def _in_a_namespace(rng: Random, number: int) -> list[str]:
    rig = Rig(rng, number)
    try:
        rig.submit(6, mix=(("long", 1),))
        rig.start()
        wait_until(lambda: len(rig.witness()) >= 4, 20, "items to run")
        numbers = {seen.pid for seen in rig.witness()} | {rig.supervisor(), rig.engine()}
        for pid in rig.whole_tree():
            kill(pid)
        reap()
        strangers = [_start_as(pid) for pid in sorted(pid for pid in numbers if pid)]
        rig.start_again()
        rig.wait_done()
        hurt = [stranger.pid for stranger in strangers if stranger.poll() is not None]
        if hurt:
            rig.notes.append(f"strangers {hurt} were signalled")
        for stranger in strangers:
            stranger.kill()
            stranger.wait()
        return violations(rig)
    finally:
        rig.close()


def _start_as(pid: int) -> subprocess.Popen[bytes]:
    """A process that gets this number."""
    for _ in range(50):
        Path("/proc/sys/kernel/ns_last_pid").write_text(str(pid - 1))
        stranger = subprocess.Popen(["sleep", "60"], stdin=subprocess.DEVNULL, start_new_session=True)
        if stranger.pid == pid:
            return stranger
        stranger.kill()
        stranger.wait()
    raise AssertionError(f"number {pid} could not be had")


# ---- items that get away ----

_ESCAPE = Path(__file__).with_name("escape.py")
_WAYS = ("fork", "setsid", "term", "env", "chain", "closed", "thread")


@fault("T18", "items escape (fork, setsid, TERM, env -i, chains of forks), then cancel", full=67, sample=1)
@on_a_rig
def escapes(rig: Rig) -> None:
    """Three tries of one way each time; nothing lives 15 s after the cancel."""
    rows = rig.place / "rows.csv"
    rows.write_text("kind,id\n" + "".join(f"{rig.rng.choice(_WAYS)},{n}\n" for n in range(3)))
    words = ["submit", rows, "--grace", "0.3s", "--", sys.executable, "-I", "-S", _ESCAPE, "{kind}", rig.place]
    rig.acknowledge(rig.jobctl(*words).stdout, 3)
    rig.start()
    escaped = rig.place / "escaped"
    wait_until(lambda: escaped.exists() and len(set(escaped.read_text().split())) >= 6, 30, "items to escape")
    done = rig.jobctl("cancel", "1")
    if done.returncode:
        rig.notes.append(f"cancel: exit {done.returncode}: {done.stderr}")
    rig.wait_done()
    left: list[int] = []

    def are_gone() -> bool:
        pids = set(map(int, escaped.read_text().split()))
        left[:] = [pid for pid in pids if not proc.is_dead(pid) and "escape.py" in proc.command(pid)]
        return not left

    try:
        wait_until(are_gone, 15, "the escaped processes to be gone")
    except AssertionError:
        rig.notes.append(f"alive 15 s after the cancel: {[proc.command(pid) for pid in left]}")
        for pid in left:
            kill(pid)


# ---- files ----

_Damage = Callable[[Rig], None]


def _flip(rig: Rig) -> None:
    size = rig.home.database.stat().st_size
    with rig.home.database.open("r+b") as file:
        for _ in range(8):
            file.seek(rig.rng.randrange(100, size))
            file.write(bytes([rig.rng.randrange(256)]))


def _zero_block(rig: Rig) -> None:
    blocks = rig.home.database.stat().st_size // 4096
    with rig.home.database.open("r+b") as file:
        file.seek(rig.rng.randrange(1, blocks) * 4096)
        file.write(bytes(4096))


def _truncate(rig: Rig) -> None:
    os.truncate(rig.home.database, rig.rng.randrange(100, rig.home.database.stat().st_size - 1))


def _bad_header(rig: Rig) -> None:
    with rig.home.database.open("r+b") as file:
        file.write(b"not a database at all")


def _newer(rig: Rig) -> None:
    connection = sqlite3.connect(rig.home.database)
    connection.execute(f"PRAGMA user_version={SCHEMA_VERSION + 1}")
    connection.close()


def _foreign(rig: Rig) -> None:
    rig.home.database.unlink()
    connection = sqlite3.connect(rig.home.database)
    connection.execute("CREATE TABLE recipes (name TEXT)")
    connection.close()
    rig.home.database.chmod(0o600)


def _planted(kind: str) -> _Damage:
    def plant(rig: Rig) -> None:
        target = rig.place / "precious"
        target.write_text("precious\n")
        rig.home.database.unlink()
        if kind == "fifo":
            os.mkfifo(rig.home.database)
        elif kind == "symlink":
            rig.home.database.symlink_to(target)
        else:
            rig.home.database.hardlink_to(target)

    return plant


#: damage -> must it be refused (page damage may hit nothing that is read)
_DAMAGES: tuple[tuple[_Damage, bool], ...] = (
    (_bad_header, True),
    (_newer, True),
    (_foreign, True),
    (_truncate, True),
    (_flip, False),
    (_zero_block, False),
    (_planted("fifo"), True),
    (_planted("symlink"), True),
    (_planted("hardlink"), True),
)


@fault("T21", "database torn, zeroed, truncated, newer, foreign, replaced by links", full=200, sample=len(_DAMAGES))
def damaged_file(rng: Random, number: int) -> list[str]:
    """Refused with a way out and left as it is; never an empty queue in its place."""
    rig = Rig(rng, number)
    try:
        damage, must_refuse = _DAMAGES[number % len(_DAMAGES)]
        _finished_store(rig)
        damage(rig)
        return [f"{damage.__name__} {damage.__qualname__}: {text}" for text in _reactions(rig, must_refuse)]
    finally:
        rig.close()


def _finished_store(rig: Rig) -> None:
    rig.submit(40, mix=QUICK)
    rig.start()
    rig.wait_done()
    rig.jobctl("daemon", "stop")
    rig.submit(200, mix=QUICK)
    os.sync() if rig.rng.random() < 0.05 else None
    shutil.copy(rig.home.database, rig.place / "whole.db")


def _reactions(rig: Rig, must_refuse: bool) -> list[str]:
    path = rig.home.database
    before = path.read_bytes() if path.is_file() else b""
    found = []
    for words in (["status", "1"], rig.submit_words(rig.rows_file(3, QUICK)), ["daemon", "start"]):
        done = rig.jobctl(*words, timeout=40)
        name = words[0]
        if "Traceback" in done.stderr or done.returncode < 0:
            found.append(f"{name} broke: {done.returncode} {done.stderr[-300:]}")
        elif done.returncode and "hint" not in done.stderr and "\n" not in done.stderr.strip():
            found.append(f"{name} shows no way out: {done.stderr.strip()}")
        if must_refuse and done.returncode == 0:
            found.append(f"{name} was not refused")
        if name == "status" and done.returncode == 0 and "job 1" not in done.stdout:
            found.append(f"status shows another queue: {done.stdout[:200]}")
    kill(rig.supervisor(), signal.SIGTERM)
    after = path.read_bytes() if path.is_file() else b""
    if must_refuse and before != after:
        found.append("the file was changed")
    precious = rig.place / "precious"
    if precious.exists() and precious.read_text() != "precious\n":
        found.append("what a link points to was changed")
    return found


if __name__ == "__main__":
    adopt_orphans()
    sentences = _in_a_namespace(Random(sys.argv[1]), int(sys.argv[2]))
    print("\n".join(sentences))
    sys.exit(bool(sentences))
