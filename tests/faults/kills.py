"""T1, T2: SIGKILL at a random moment. T12: SIGSTOP. T20: a polite stop under load."""

from __future__ import annotations

import signal

from jobctl.errors import JobctlError
from tests.faults import proc
from tests.faults.campaign import fault, measure, on_a_rig
from tests.faults.rig import HOSTILE, Rig, kill, pause
from tests.wait import wait_until

#: The workload lasts about so long after its start; the blow falls within.
_WITHIN_S = 0.7


def _begin(rig: Rig) -> None:
    """A job and a daemon, in either order, sometimes with interrupted items that must not run again."""
    options = ("--on-crash", "fail") if rig.rng.random() < 0.2 else ()
    calls_too = rig.rng.random() < 0.3
    if rig.rng.random() < 0.5:
        rig.start()
    if rig.rng.random() < 0.5:
        rig.submit(18, *options, "--leftovers", rig.rng.choice(("wait", "end", "fail")), mix=HOSTILE)
    else:
        rig.submit(30 if calls_too else 45, *options)
    if calls_too:
        rig.submit_calls(250)
    if rig.supervisor() is None:
        rig.start()


def _blow(rig: Rig, *victims: int | None) -> None:
    running = rig.rows("SELECT count(*) FROM items WHERE state = 1")[0][0]
    measure("items claimed at the kill", running)
    measure("kills", 1)
    for pid in victims:
        kill(pid)


def _is_unlucky(rig: Rig) -> bool:
    """Whether the next one is killed as well, while it takes over."""
    return rig.rng.random() < 0.25


def _finish(rig: Rig) -> None:
    rig.start_again()
    if _is_unlucky(rig):
        pause(rig.rng, 0.2)
        _blow(rig, *rig.whole_tree())
        rig.start_again()
    rig.wait_done()


@fault("T1", "SIGKILL of the engine", full=1000, sample=12)
@on_a_rig
def kill_engine(rig: Rig) -> None:
    """The next engine adopts the running items: none is interrupted, and none runs twice."""
    _begin(rig)
    pause(rig.rng, _WITHIN_S)
    first = rig.engine()
    _blow(rig, first)
    if _is_unlucky(rig):
        wait_until(lambda: rig.engine() not in (None, first), 10, "the next engine")
        pause(rig.rng, 0.2)
        _blow(rig, rig.engine())
    rig.wait_done()
    if rig.supervisor() is None:
        rig.notes.append("the daemon ended although only its engine was killed")
    interrupted = rig.rows("SELECT count(*) FROM attempts WHERE ending = 4")[0][0]
    if interrupted:
        rig.notes.append(f"{interrupted} attempts were interrupted by the death of the engine alone")


@fault("T2-super", "SIGKILL of the supervisor", full=300, sample=6)
@on_a_rig
def kill_supervisor(rig: Rig) -> None:
    """The engine ends by itself and takes everything with it."""
    _begin(rig)
    pause(rig.rng, _WITHIN_S)
    _blow(rig, rig.supervisor())
    _finish(rig)


@fault("T2-both", "SIGKILL of supervisor and engine", full=300, sample=6)
@on_a_rig
def kill_both(rig: Rig) -> None:
    """Items continue without a daemon; the next start ends them before anything runs again."""
    _begin(rig)
    pause(rig.rng, _WITHIN_S)
    _blow(rig, *rig.rng.sample([rig.supervisor(), rig.engine()], 2))
    _finish(rig)


@fault("T2-all", "SIGKILL of the whole process tree", full=300, sample=6)
@on_a_rig
def kill_everything(rig: Rig) -> None:
    """End the processes as the stop of a container does."""
    _begin(rig)
    pause(rig.rng, _WITHIN_S)
    everything = rig.whole_tree()
    rig.rng.shuffle(everything)
    _blow(rig, *everything)
    _finish(rig)


@fault("T12", "SIGSTOP of engine or supervisor, later SIGCONT", full=50, sample=2)
@on_a_rig
def stop_the_clockwork(rig: Rig) -> None:
    """A second daemon is refused, commands answer, and nothing is lost."""
    _begin(rig)
    pause(rig.rng, _WITHIN_S)
    victim = rig.engine() if rig.rng.random() < 0.5 else rig.supervisor()
    kill(victim, signal.SIGSTOP)
    try:
        try:
            rig.start()
            rig.notes.append("a second daemon was started while the first was stopped")
        except JobctlError as error:
            assert error.exit_code == 75, error.message
        state = rig.status(rig.accepted[0].job)["daemon"]["state"]
        if state == "down":
            rig.notes.append("status calls a stopped daemon down")
        # Its engine may have been stopped in the middle of a transaction: then this waits for it.
        pausing = rig.begin("pause", rig.accepted[0].job)
        pause(rig.rng, 0.5)
    finally:
        kill(victim, signal.SIGCONT)
    _, complaint = pausing.communicate(timeout=60)
    if pausing.returncode:
        rig.notes.append(f"pause: exit {pausing.returncode}: {complaint}")
    rig.jobctl("resume", rig.accepted[0].job)
    rig.wait_done()


@fault("T20", "TERM under load, twice in half of the trials", full=50, sample=3)
@on_a_rig
def stop_politely(rig: Rig) -> None:
    """One TERM: what runs finishes, nothing is interrupted. Two: what runs is ended and runs again."""
    _begin(rig)
    pause(rig.rng, _WITHIN_S / 2)
    supervisor = rig.supervisor()
    twice = rig.rng.random() < 0.5
    kill(supervisor, signal.SIGTERM)
    if twice:
        pause(rig.rng, 0.2)
        kill(supervisor, signal.SIGTERM)
    rig.wait_down()
    wait_until(lambda: proc.is_dead(supervisor or 0), 20, "its end")
    interrupted = rig.rows("SELECT count(*) FROM attempts WHERE ending = 4")[0][0]
    if interrupted and not twice:
        rig.notes.append(f"a polite stop interrupted {interrupted} attempts")
    running = rig.rows("SELECT count(*) FROM items WHERE state = 1")[0][0]
    if running:
        rig.notes.append(f"{running} items are still running after a stop")
    _finish(rig)
