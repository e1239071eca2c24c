"""How an attempt can end.

The endings are not in ``ports``, because every command that reads the store needs them and few need an executor.
"""

from __future__ import annotations

from enum import IntEnum


class Ending(IntEnum):
    """The ways in which an attempt ends."""

    EXITED = 0  # code = exit status
    SIGNALLED = 1  # code = signal number
    TIMED_OUT = 2  # code = the signal that ended it, or the negative exit status of its handler of TERM
    CANCELLED = 3  # killed by request; code as above
    INTERRUPTED = 4  # killed or lost by a stop or crash of jobctl or of the machine; code as above
    NOT_STARTED = 5  # the command cannot be started; code = errno (ENOENT, EACCES, E2BIG...)
    RAISED = 6  # a function raised
    LEFT = 7  # exited with 0, but left processes behind in a job where that is a failure
