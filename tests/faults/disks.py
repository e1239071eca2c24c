"""T4: the power goes. T5: the disk is full. T7: no descriptors. T11: the machine was rebooted."""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import os
import resource
import signal
import struct
import subprocess
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from random import Random

from tests.faults import proc
from tests.faults.campaign import fault, measure, on_a_rig
from tests.faults.check import violations
from tests.faults.rig import QUICK, Rig, Skip, kill, need, need_root, nothing_spent, pause
from tests.wait import wait_until

#: EXT4_IOC_SHUTDOWN, and its way without writing anything back.
_SHUTDOWN = 0x8004587D
_CLONE_NEWNS = 0x00020000
_NO_FLUSH = struct.pack("I", 2)


def _run(*argv: str) -> None:
    done = subprocess.run(argv, capture_output=True, text=True)
    if done.returncode:
        raise Skip(f"{argv[0]}: {done.stderr.strip()}")


class _Disk:
    """An ext4 of its own in a file, whose power can be cut."""

    def __init__(self, place: Path) -> None:
        need_root()
        self.image, self.mounted = place / "disk.img", place / "disk"
        self.mounted.mkdir()
        with self.image.open("wb") as file:
            file.truncate(128 << 20)
        _run(need("mkfs.ext4"), "-q", str(self.image))
        self.mount()

    def mount(self) -> None:
        """Journal replayed, as after any boot."""
        _run("mount", "-o", "loop", str(self.image), str(self.mounted))

    def cut(self) -> None:
        """From this moment nothing reaches the disk any more."""
        fd = os.open(self.mounted, os.O_RDONLY)
        try:
            fcntl.ioctl(fd, _SHUTDOWN, _NO_FLUSH)
        finally:
            os.close(fd)

    def unmount(self) -> None:
        """Raises Skip if it stays busy."""
        subprocess.run(["umount", str(self.mounted)], capture_output=True)
        if os.path.ismount(self.mounted):
            _run("umount", "-l", str(self.mounted))


@cache
def _own_mounts() -> None:
    """From now on this process has mounts that no other process sees.

    A process elsewhere that gets a mount namespace of its own meanwhile would keep a copy of ours, and with it the file
    system from before the cut alive.
    """
    need_root()
    if ctypes.CDLL(None, use_errno=True).unshare(_CLONE_NEWNS):
        raise Skip("no mount namespace can be had")
    _run("mount", "--make-rprivate", "/")


@fault("T4", "power cut (ext4 shut down without a flush)", full=100, sample=2)
def power_cut(rng: Random, number: int) -> list[str]:
    """Every job whose number was printed, and every record that a reader saw, exists after the power cut."""
    _own_mounts()
    rig = Rig(rng, number)
    disk = None
    try:
        disk = _Disk(rig.place)
        rig.put_on(disk.mounted)
        _cut_under_load(rig, disk)
        return violations(rig)
    finally:
        rig.close(keep=True)
        if disk is not None:
            disk.unmount()
        rig.close()


def _cut_under_load(rig: Rig, disk: _Disk) -> None:
    rig.submit(60)
    rig.start()
    if rig.rng.random() < 0.3:
        rig.submit(5, mix=QUICK)
    pause(rig.rng, 0.8)
    seen, ended = rig.recorded(), set(rig.rows("SELECT id, results FROM jobs WHERE finished_at IS NOT NULL"))
    supervisor, store = rig.supervisor(), rig.store_id()
    _hold_still(supervisor, rig.engine())
    disk.cut()
    while alive := [pid for pid in proc.all_pids() if proc.belongs(pid, store) and not proc.is_dead(pid)]:
        for pid in [supervisor, *alive]:
            kill(pid)
    disk.unmount()
    disk.mount()
    lost = seen - rig.recorded()
    if lost:
        rig.notes.append(f"{len(lost)} recorded outcomes are gone after the power cut: {sorted(lost)[:3]}")
    for job, results in ended:
        if rig.rows("SELECT results FROM jobs WHERE id = ?", job) != [(results,)]:
            rig.notes.append(f"job {job} had ended before the power cut and has not after it")
    with other_boot(rig):
        rig.start_again()
    rig.wait_done()


def _hold_still(*pids: int | None) -> None:
    """Stop processes, and be sure of it: whatever system call they were in is over.

    In one thing the ioctl differs from a real power cut: it lets a flush that is under way at this moment succeed
    although nothing of it reaches the disk. (A loop of write, fdatasync and count, with no database at all, lost its
    last write so in 2 of 60 cuts.)
    """
    for pid in pids:
        kill(pid, signal.SIGSTOP)
    for pid in filter(None, pids):
        wait_until(lambda pid=pid: proc.is_dead(pid) or proc.stat_of(pid)[:1] == ["T"], 20, "it to be stopped")


@contextmanager
def other_boot(rig: Rig) -> Iterator[None]:
    """Daemons started inside find another boot id than the real one."""
    need_root()
    fake = rig.place / "boot_id"
    fake.write_text(f"{uuid.UUID(int=rig.rng.getrandbits(128))}\n")
    before = rig.launcher
    bind = f"mount --bind {fake} /proc/sys/kernel/random/boot_id"
    rig.launcher = (need("unshare"), "-m", "sh", "-c", f'{bind} && exec "$@"', "sh")
    try:
        yield
    finally:
        rig.launcher = before


@fault("T11", "the machine was rebooted: another boot id", full=50, sample=2)
@on_a_rig
def reboot(rig: Rig) -> None:
    """All running items are interrupted, and no process is signalled by a number from before the reboot."""
    rig.submit(80)
    rig.start()
    pause(rig.rng, 0.6)
    for pid in rig.whole_tree():
        kill(pid)
    running = rig.rows("SELECT count(*) FROM items WHERE state = 1")[0][0]
    with other_boot(rig):
        rig.start_again()
    rig.wait_done()
    interrupted = rig.rows("SELECT count(*) FROM attempts WHERE ending = 4")[0][0]
    measure("attempts interrupted", interrupted)
    if interrupted != running:
        rig.notes.append(f"{running} attempts were running, {interrupted} are recorded as interrupted")


# ---- full ----


@contextmanager
def _tmpfs(where: Path, megabytes: int) -> Iterator[Path]:
    need_root()
    where.mkdir(mode=0o700, parents=True, exist_ok=True)
    _run("mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=0700", "tmpfs", str(where))
    try:
        yield where
    finally:
        subprocess.run(["umount", "-l", str(where)], capture_output=True)


@contextmanager
def _filled(where: Path, leave: int) -> Iterator[None]:
    """Nothing but ``leave`` bytes is left of a file system."""
    fill = where / "fill"
    with fill.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(b"x" * 4096)
    os.truncate(fill, max(0, fill.stat().st_size - leave))
    try:
        yield
    finally:
        fill.unlink(missing_ok=True)


@contextmanager
def _no_inodes(where: Path) -> Iterator[None]:
    """Not one file more can be made on a file system."""
    options = "remount,nr_inodes={}"
    used = os.statvfs(where).f_files - os.statvfs(where).f_ffree
    _run("mount", "-o", options.format(used), str(where))
    try:
        yield
    finally:
        _run("mount", "-o", options.format(10_000), str(where))


def _full(name: str, what: str, *mounted: Callable[[Rig], Path], inodes: bool = False) -> None:
    """The first of the places is filled, each is a file system of its own."""

    def trial(rng: Random, number: int) -> list[str]:
        rig = Rig(rng, number)
        try:
            with contextlib.ExitStack() as mounts:
                for place in mounted:
                    mounts.enter_context(_tmpfs(place(rig), 16))
                return _fill_and_free(rig, mounted[0](rig), inodes)
        finally:
            rig.close()

    fault(name, what, full=30, sample=1)(trial)


def _fill_and_free(rig: Rig, where: Path, inodes: bool) -> list[str]:
    try:
        mix = (*QUICK, ("nap", 25))
        if not inodes:
            rig.submit(120, mix=mix)
        rig.start()
        supervisor = rig.supervisor()
        pause(rig.rng, 0.4)
        room = rig.rng.choice([0, 0, 8 << 10, 40 << 10])
        with _no_inodes(where) if inodes else _filled(where, leave=room):
            if inodes:
                rig.submit(120, mix=mix)
            pause(rig.rng, 1.5)
            if rig.supervisor() != supervisor:
                rig.notes.append("the daemon ended because the disk was full")
        freed = time.monotonic()
        rig.wait_done(40)
        took = time.monotonic() - freed
        measure("until done after there was room (s)", took)
        if took > 30:
            rig.notes.append(f"it took {took:.0f} s to go on after there was room again")
        nothing_spent(rig)
        return violations(rig)
    finally:
        for pid in rig.whole_tree():
            kill(pid)


def _home(rig: Rig) -> Path:
    return rig.home.root


def _logs(rig: Rig) -> Path:
    return rig.home.logs


_full("T5-both", "disk full: database and logs", _home)
_full("T5-database", "disk full: database, the logs have room", _home, _logs)
_full("T5-logs", "disk full: logs alone", _logs)
_full("T5-inodes", "no inode left: database and logs", _home, inodes=True)


# ---- no descriptors ----


@fault("T7", "no descriptor left in supervisor or engine for a while", full=30, sample=2)
@on_a_rig
def no_descriptors(rig: Rig) -> None:
    """No item fails for EMFILE."""
    rig.start()
    victim = rig.supervisor() if rig.rng.random() < 0.7 else rig.engine()
    assert victim is not None
    soft, hard = resource.prlimit(victim, resource.RLIMIT_NOFILE)
    used = max(map(int, os.listdir(f"/proc/{victim}/fd"))) + 1
    resource.prlimit(victim, resource.RLIMIT_NOFILE, (used + rig.rng.randrange(3), hard))
    try:
        rig.submit(60, mix=QUICK)
        pause(rig.rng, 1.0)
    finally:
        with contextlib.suppress(ProcessLookupError):
            resource.prlimit(victim, resource.RLIMIT_NOFILE, (soft, hard))
    rig.wait_done(40)
    nothing_spent(rig)
    if rig.supervisor() is None:
        rig.notes.append("the daemon ended")
