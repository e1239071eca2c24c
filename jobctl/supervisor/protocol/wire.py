"""Words that engine and supervisor say to each other: (kind, payload) tuples of plain values, sent by ``channel``.

The supervisor is kept small, so this module imports nothing. The payload of an event has the fields of the
event's class in ``domain.ports``; a test holds both to the same shape and the endings to the same numbers.
"""

from __future__ import annotations

#: Of everything below and of the payloads. After an upgrade of a running jobctl an old supervisor starts a new engine:
#: one that finds another number than its own (in JOBCTL_WIRE) says nothing and ends with OTHER_JOBCTL.
VERSION = 9
OTHER_JOBCTL = 78
#: Exit code of an engine that could not begin because the disk is full or fails, or the database is kept busy.
NOT_NOW = 74
#: Exit code of an engine whose store was removed: there is nothing to come back to.
STORE_GONE = 72
#: Exit code of an engine whose database files were removed or replaced: running items finish, no engine follows.
REPLACED = 73

# Engine to supervisor.
DEFINE = 0  # fields of JobSpec
FORGET = 1  # job
RESIZE = 2  # capacity
START = 3  # list of Dispatch fields
ACKNOWLEDGE = 4  # list of (job, item, attempt)
RECALL = 5  # job or None
CANCEL = 6  # (list of (job, item, attempt), grace in seconds, ending)
ADOPT = 7  # None; answered by HELD
CLOSE = 8  # grace in seconds
ACKNOWLEDGE_CALLS = 10  # list of numbers of CALLS
REFUSE = 9  # text: the engine cannot work, the supervisor gives up
BEAT = 11  # (seconds, monotonic clock): a guest ends everything unless it hears again within them, from then on

# Supervisor to engine.
STARTED = 0
FINISHED = 1
RETURNED = 2
LOST = 3
PRESSURE = 4
HELD = 5  # list of (job, item, attempt)
CALLS = 7  # fields of Calls, but for the last: how many records, and their bytes (process.page)
BARRED = 8  # list of (job, item, attempt): held, but no slot is taken by them
STOP = 6  # 1 = politely, 2 = now

# The numbers of domain.ports.Ending and OutputFlag.
EXITED = 0
SIGNALLED = 1
TIMED_OUT = 2
CANCELLED = 3
INTERRUPTED = 4
NOT_STARTED = 5
RAISED = 6
LEFT = 7
CUT = 1
LEFTOVERS = 2
SETUP = 4

#: What becomes of the processes that an item leaves behind.
END = "end"
WAIT = "wait"
FAIL = "fail"

#: The number of the descriptor on which an engine finds its supervisor.
ENGINE_FD = 3
