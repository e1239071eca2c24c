"""T25: the supervisor is stopped for longer than the time limit of the items that end meanwhile."""

from __future__ import annotations

import signal

from jobctl.domain.endings import Ending
from tests.faults.campaign import fault, on_a_rig
from tests.faults.rig import Rig, kill, pause
from tests.wait import wait_until

_LIMIT_S = 2.0
#: Each ends by itself far within the limit.
_SHORT = (("true", 40), ("nap", 40), ("long", 10), ("fail", 10))


@fault("T25", "SIGSTOP of the supervisor for longer than the time limit of items", full=30, sample=2)
@on_a_rig
def stand_still(rig: Rig) -> None:
    """No item that ended in time is judged late, and nothing is tried again that was not to be."""
    limit = ("--timeout", f"{_LIMIT_S:.0f}s")
    rig.start()
    rig.submit(40, *limit, mix=_SHORT)
    rig.submit_calls(100)
    wait_until(lambda: rig.rows("SELECT count(*) FROM items WHERE state = 1")[0][0], 60, "items that run")
    for _ in range(rig.rng.randrange(1, 3)):
        pause(rig.rng, 0.3)
        victim = rig.supervisor()
        kill(victim, signal.SIGSTOP)
        try:
            pause(rig.rng, 2.0)
            wait_until_late()
        finally:
            kill(victim, signal.SIGCONT)
    rig.wait_done()
    late = rig.rows("SELECT job, item, attempt FROM attempts WHERE ending = ?", int(Ending.TIMED_OUT))
    if late:
        rig.notes.append(f"judged late although they had ended: {late}")
    unspent = rig.rows("SELECT count(*) FROM items WHERE state = 1")[0][0]
    if unspent:
        rig.notes.append(f"{unspent} items are still running")


def wait_until_late() -> None:
    """Longer than the limit. There is no event: the only process that could tell is stopped."""
    signal.sigtimedwait((), _LIMIT_S + 0.5)
