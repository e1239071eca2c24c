"""T8, T9: control groups take processes or memory away. Version 1 hierarchies, as root."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.faults.campaign import fault, measure, on_a_rig
from tests.faults.rig import QUICK, Rig, Skip, need_root, nothing_spent, pause
from tests.wait import wait_until


@contextmanager
def _group(controller: str, name: str) -> Iterator[Path]:
    """A control group of ours below the one we are in."""
    need_root()
    root = Path("/sys/fs/cgroup") / controller
    lines = Path("/proc/self/cgroup").read_text().splitlines()
    ours = next((line.partition(f":{controller}:")[2] for line in lines if f":{controller}:" in line), None)
    if ours is None or not root.is_dir():
        raise Skip(f"no control groups for {controller} here")
    place = root / ours.lstrip("/") / f"jobctl-faults-{os.getpid()}-{name}"
    try:
        place.mkdir()
    except OSError as problem:
        raise Skip(f"no control group for {controller} can be made: {problem.strerror}") from None
    try:
        yield place
    finally:
        with contextlib.suppress(AssertionError):
            wait_until(lambda: _emptied(place), 10, "the control group to be empty")


def _emptied(place: Path) -> bool:
    """Move who is left back to where we are; a group without members can go."""
    parent = place.parent / "cgroup.procs"
    for pid in (place / "cgroup.procs").read_text().split():
        with contextlib.suppress(OSError):
            parent.write_text(pid)
    try:
        place.rmdir()
    except OSError:
        return False
    return True


def _put(group: Path, pid: int | None) -> None:
    assert pid
    (group / "cgroup.procs").write_text(str(pid))


@fault("T8-pids", "the control group has no room for processes for a while", full=30, sample=1)
@on_a_rig
def no_processes(rig: Rig) -> None:
    """EAGAIN from the kernel itself, and no item fails for that."""
    with _group("pids", "pids") as group:
        rig.start()
        _put(group, rig.supervisor())
        (group / "pids.max").write_text(str(1 + rig.rng.randrange(3)))
        try:
            rig.submit(40, mix=(("true", 90), ("fail", 10)))
            pause(rig.rng, 1.0)
        finally:
            (group / "pids.max").write_text("max")
        rig.wait_done(40)
        if rig.supervisor() is None:
            rig.notes.append("the daemon ended")
        nothing_spent(rig, own_codes=(0, 2, 3))  # the item's own shell may find no room either


@fault("T9-item", "items that eat the memory of their control group", full=30, sample=1)
@on_a_rig
def greedy_item(rig: Rig) -> None:
    """The kernel kills the item, its cause is the signal, the daemon lives and the rest is done."""
    with _group("memory", "item") as group:
        rig.start()
        supervisor, engine = rig.supervisor(), rig.engine()
        # The kernel kills the largest process of the group. With little room that is the supervisor at times.
        (group / "memory.limit_in_bytes").write_text(str(192 << 20))
        _put(group, supervisor)
        rig.submit(24, "--attempts", "1", mix=(("true", 80), ("hog", 20)))
        rig.wait_done()
        if (supervisor, engine) != (rig.supervisor(), rig.engine()):
            rig.notes.append("the daemon was killed for an item")
        killed = rig.rows("SELECT count(*) FROM attempts WHERE ending = 1 AND code = 9")[0][0]
        measure("items killed", killed)
        nothing_spent(rig, killed_by=(9,))


@fault("T9-engine", "the engine has no memory left", full=30, sample=1)
@on_a_rig
def starved_engine(rig: Rig) -> None:
    """Killed by the kernel in the middle of whatever needed memory; the next one takes over."""
    with _group("memory", "engine") as group:
        rig.start()
        engine = rig.engine()
        _put(group, engine)
        (group / "memory.limit_in_bytes").write_text(str(256 << 10))
        rig.submit(60, mix=QUICK)
        rig.wait_done()
        measure("engines killed", rig.engine() != engine)
        if rig.supervisor() is None:
            rig.notes.append("the daemon ended")
        nothing_spent(rig)
