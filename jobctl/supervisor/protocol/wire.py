"""The kinds of messages between engine and supervisor: (kind, payload) tuples of plain values, sent by ``channel``.

The supervisor must stay small, so this module imports nothing. The payload of an event has the fields of the event's
class in ``domain.ports``; ``fields`` names their positions. A test compares the fields and the numbers of endings.
"""

from __future__ import annotations

#: The version of everything below and of the payloads. After an upgrade of a running jobctl, an old supervisor starts a
#: new engine. An engine that finds another number than its own in JOBCTL_WIRE ends at once with OTHER_JOBCTL.
VERSION = 11
OTHER_JOBCTL = 78
#: Exit code of an engine that could not start because the disk is full or fails, or the database is busy.
NOT_NOW = 74
#: Exit code of an engine whose store was removed: no engine can follow it.
STORE_GONE = 72
#: Exit code of an engine whose database files were removed or replaced: running items finish, and no engine follows.
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
BEAT = 11  # (lease in seconds, monotonic clock): a guest ends everything unless the next BEAT comes within the lease

# Supervisor to engine.
STARTED = 0
FINISHED = 1
RETURNED = 2
LOST = 3
PRESSURE = 4
HELD = 5  # list of (job, item, attempt)
CALLS = 7  # fields of Calls, but the last one is (number of records, their bytes): see ``page.unpack``
BARRED = 8  # list of (job, item, attempt): held, but they take no slot
STOP = 6  # 1 = politely, 2 = now

# The same numbers as domain.endings.Ending and domain.ports.OutputFlag.
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

#: The ways to treat processes that an item leaves behind.
END = "end"
WAIT = "wait"
FAIL = "fail"

#: The descriptor on which an engine finds its supervisor.
ENGINE_FD = 3
