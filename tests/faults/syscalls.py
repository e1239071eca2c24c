"""T3: killed at every system call that changes something. T6, T8: system calls that fail. All by strace."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from random import Random

from jobctl.errors import JobctlError
from tests.faults.campaign import fault, on_a_rig
from tests.faults.rig import QUICK, Rig, kill, need, nothing_spent
from tests.faults.strace import CHANGING, Point, count_points, killing, spread, strace
from tests.faults.undoing import take_back_the_rest
from tests.wait import wait_until

_ROWS = 6
_LONG_ENOUGH_S = 4.0


# ---- commands ----


def _cancel_words(_rig: Rig) -> list[str]:
    return ["cancel", "1"]


def _submit_words(rig: Rig) -> list[str]:
    return rig.submit_words(rig.rows_file(_ROWS, QUICK))


def _nothing(_rig: Rig) -> None:
    """The store does not exist yet."""


def _one_job(rig: Rig) -> None:
    rig.submit(_ROWS, mix=QUICK)


def _one_done(rig: Rig) -> None:
    rig.submit(_ROWS, mix=(("fail", 1),))
    rig.start()
    rig.wait_done()
    kill(rig.supervisor())
    rig.wait_down()


def _one_to_undo(rig: Rig) -> None:
    rig.submit_with_undo(_ROWS, mix=QUICK)
    rig.start()
    rig.wait_done()
    kill(rig.supervisor())
    rig.wait_down()


#: name -> (what is there before, the words of the command)
_COMMANDS: dict[str, tuple[Callable[[Rig], None], Callable[[Rig], list[str]]]] = {
    "create": (_nothing, _submit_words),
    "submit": (_one_job, _submit_words),
    "cancel": (_one_job, _cancel_words),
    "retry": (_one_done, lambda _rig: ["retry", "1"]),
    "undo": (_one_to_undo, lambda _rig: ["undo", "1"]),
}


@cache
def _points_of(name: str) -> list[Point]:
    before, words = _COMMANDS[name]
    rig = Rig(Random(0))
    try:
        before(rig)
        log = rig.place / "strace"
        argv = [*strace("-e", f"trace={CHANGING}", output=str(log)), *rig.command(*words(rig))]
        subprocess.run(argv, cwd=rig.place, env=rig.env, capture_output=True, check=True)
        return count_points(log)
    finally:
        rig.close()


def _crash_command(name: str) -> Callable[[Rig], None]:
    def hurt(rig: Rig) -> None:
        before, words = _COMMANDS[name]
        points = _points_of(name)
        before(rig)
        known = len(rig.accepted)
        said = _struck(rig, points[rig.number % len(points)], words(rig))
        if name in ("create", "submit"):
            if said.strip():
                rig.acknowledge(said, _ROWS)
            else:
                _whole_or_nothing(rig, known)
        rig.start_again()
        rig.wait_done()
        if name == "undo":
            take_back_the_rest(rig, rig.accepted[0].job)

    return hurt


def _struck(rig: Rig, point: Point, words: list[str]) -> str:
    """The text of a command that was killed there, or of an engine that it started."""
    argv = [*strace(*killing(point)), *rig.command(*words)]
    with subprocess.Popen(
        argv, cwd=rig.place, env=rig.env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as tracer:
        try:
            said, _ = tracer.communicate(timeout=_LONG_ENOUGH_S)
        except subprocess.TimeoutExpired:
            tracer.kill()  # one engine after the other is killed there; the next one is spared
            said, _ = tracer.communicate()
    return said.decode()


def _whole_or_nothing(rig: Rig, known: int) -> None:
    """A submit that died without a number left a whole job or none."""
    found = rig.jobctl("status", "--all", "--json")
    jobs = json.loads(found.stdout)["jobs"] if found.returncode == 0 else []
    if found.returncode not in (0, 9):
        rig.notes.append(f"status after a killed submit: exit {found.returncode}: {found.stderr}")
    if len(jobs) > known + 1:
        rig.notes.append(f"{len(jobs)} jobs, {known} were there before")
    for number in {job["job"] for job in jobs} - {accepted.job for accepted in rig.accepted}:
        rig.acknowledge(str(number), _ROWS)


def _register_commands() -> None:
    for name in _COMMANDS:
        register = fault(
            f"T3-{name}",
            f"SIGKILL at a system call of {'the first submit' if name == 'create' else name}",
            full=lambda name=name: len(_points_of(name)),  # type: ignore[misc]
            sample=2 if name == "undo" else 3,
        )
        register(spread(lambda name=name: len(_points_of(name)), on_a_rig(_crash_command(name))))


_register_commands()


# ---- the engine and the supervisor ----


def _traced_once(rig: Rig, *words: str, output: str = "/dev/null") -> tuple[str, ...]:
    """In front of an engine's command line: the first engine runs under strace, the next ones without."""
    flag = str(rig.place / "traced")
    script = 'if mkdir "$0" 2>/dev/null; then shift; exec "$@"; fi; n=$1; shift; shift "$n"; exec "$@"'
    traced = strace("-D", *words, output=output)
    return ("/bin/sh", "-c", script, flag, str(len(traced)), *traced)


@cache
def _engine_points() -> list[Point]:
    rig = Rig(Random(0))
    try:
        log = rig.place / "strace"
        rig.submit(30, mix=QUICK)
        rig.start(engine=_traced_once(rig, "-e", f"trace={CHANGING}", output=str(log)))
        rig.wait_done()
        rig.jobctl("daemon", "stop")
        return [point for point in count_points(log) if point[0] != "write" or point[1] < 40]
    finally:
        rig.close()


@fault("T3-engine", "SIGKILL at a system call of the engine", full=lambda: len(_engine_points()), sample=6)
def crash_engine(rng: Random, number: int) -> list[str]:
    """Claim, settle, close, checkpoint: whatever the engine was doing."""
    return spread(lambda: len(_engine_points()), on_a_rig(_crash_engine))(rng, number)


def _crash_engine(rig: Rig) -> None:
    points = _engine_points()
    rig.submit(30, mix=QUICK)
    try:
        rig.start(engine=_traced_once(rig, *killing(points[rig.number % len(points)])))
    except JobctlError:
        rig.start_again()
    rig.wait_done()


@cache
def _supervisor_points() -> list[Point]:
    rig = Rig(Random(0))
    try:
        log = rig.place / "strace"
        rig.start()
        with _attached(rig, "-e", f"trace={CHANGING},ppoll,poll,wait4", output=str(log)):
            rig.submit(20, mix=QUICK)
            rig.wait_done()
        return count_points(log)
    finally:
        rig.close()


@contextmanager
def _attached(rig: Rig, *words: str, output: str = "/dev/null") -> Iterator[None]:
    """The supervisor is traced, not what it starts."""
    supervisor = rig.supervisor()
    argv = [need("strace"), "-qq", "-o", output, *words, "-p", str(supervisor)]
    tracer = subprocess.Popen(argv, stderr=subprocess.DEVNULL)
    try:
        traced = Path(f"/proc/{supervisor}/status")
        wait_until(lambda: f"TracerPid:\t{tracer.pid}" in traced.read_text(), 10, "strace to be attached")
        yield
    finally:
        tracer.terminate()
        tracer.wait()


@fault("T3-super", "SIGKILL at a system call of the supervisor", full=lambda: len(_supervisor_points()), sample=3)
def crash_supervisor(rng: Random, number: int) -> list[str]:
    """Reap, start, tell: whatever the supervisor was doing."""
    return spread(lambda: len(_supervisor_points()), on_a_rig(_crash_supervisor))(rng, number)


def _crash_supervisor(rig: Rig) -> None:
    points = _supervisor_points()
    rig.start()
    with _attached(rig, *killing(points[rig.number % len(points)])):
        rig.submit(20, mix=QUICK)
        wait_until(lambda: rig.supervisor() is None or rig.is_done(), 30, "the fault or the end")
    rig.start_again()
    rig.wait_done()


# ---- calls that fail ----


@fault("T6", "writes and flushes of the engine fail (EIO, ENOSPC) for a while", full=200, sample=4)
@on_a_rig
def failing_disk(rig: Rig) -> None:
    """Nothing is recorded that did not reach the disk, and work resumes by itself."""
    call, error = rig.rng.choice([("fdatasync", "EIO"), ("pwrite64", "ENOSPC"), ("pwrite64", "EIO")])
    first = rig.rng.randrange(4, 40)
    when = f"{first}..{first + rig.rng.randrange(1, 12)}"
    trace = ("-e", f"trace={call}", "-e", f"inject={call}:error={error}:when={when}")
    rig.submit(60, mix=QUICK)
    try:
        rig.start(engine=_traced_once(rig, *trace))
    except JobctlError:
        rig.start_again()  # it could not begin: said so, and the next start is a matter of typing
    rig.wait_done(40)
    if rig.supervisor() is None:
        rig.notes.append("the daemon ended because of I/O errors")
    nothing_spent(rig)


@fault("T8", "fork fails with EAGAIN for a while", full=30, sample=2)
@on_a_rig
def no_processes(rig: Rig) -> None:
    """The machine has no room, and no item fails for that."""
    rig.start()
    calls = "clone,clone3,vfork"
    first = rig.rng.randrange(1, 30)
    when = f"{first}..{first + rig.rng.randrange(1, 7)}"
    with _attached(rig, "-e", f"trace={calls}", "-e", f"inject={calls}:error=EAGAIN:when={when}"):
        rig.submit(60, mix=QUICK)
        rig.wait_done(40)
    nothing_spent(rig)
