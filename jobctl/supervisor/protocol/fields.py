"""Positions of fields in the tuples that engine, supervisor and workers exchange.

The tuples have the fields of classes in ``domain.ports``, which cost too much to import here. A test compares every
position below with the fields of its class. Plain numbers are as fast as bare indexes.
"""

from __future__ import annotations

TYPE_CHECKING = False  # as typing's own, which costs a tenth of the supervisor's start to import
if TYPE_CHECKING:
    from typing import Any

# fmt: off
#: JobSpec.
(
    SPEC_JOB, SPEC_ENV, SPEC_CWD, SPEC_UMASK, SPEC_SLOTS, SPEC_QUEUE, SPEC_QUEUE_SLOTS, SPEC_TIMEOUT_S, SPEC_GRACE_S,
    SPEC_LOG_DIR, SPEC_OUTPUT_CAP, SPEC_SLOTTED, SPEC_CALL, SPEC_GPUS, SPEC_RESOURCES, SPEC_ALONE, SPEC_LEFTOVERS,
    SPEC_LAUNCHERS, SPEC_TIMEOUTS_S,
) = range(19)
#: CallSpec.
(
    CALL_PYTHON, CALL_TARGET, CALL_SETUP, CALL_STYLE, CALL_INPUT_FORMAT, CALL_COLUMNS, CALL_RECYCLE, CALL_TOKEN_OF,
    CALL_NAMED,
) = range(9)
#: Dispatch.
DISPATCH_JOB, DISPATCH_ITEM, DISPATCH_ATTEMPT, DISPATCH_ARGV, DISPATCH_ENV, DISPATCH_LIMIT = range(6)
#: Finished.
(
    FINISHED_JOB, FINISHED_ITEM, FINISHED_ATTEMPT, FINISHED_ENDING, FINISHED_CODE, FINISHED_SLOT, FINISHED_STARTED_AT,
    FINISHED_DURATION_US, FINISHED_CPU_US, FINISHED_MAX_RSS_KIB, FINISHED_LOG, FINISHED_OUT_OFF, FINISHED_OUT_LEN,
    FINISHED_ERR_OFF, FINISHED_ERR_LEN, FINISHED_FLAGS, FINISHED_OUT_TAIL, FINISHED_ERR_TAIL, FINISHED_VALUE,
    FINISHED_RAISED, FINISHED_HOST, FINISHED_LEFT,
) = range(22)
#: Calls. On the wire, the records are their number and their bytes.
(
    CALLS_JOB, CALLS_NUMBER, CALLS_SLOT, CALLS_MAX_RSS_KIB, CALLS_LOG, CALLS_OUT_OFF, CALLS_ERR_OFF, CALLS_FAILED,
    CALLS_CUT, CALLS_RECORDS,
) = range(10)
#: Record, one call of ``Calls``.
(
    RECORD_ITEM, RECORD_ATTEMPT, RECORD_STARTED_AT, RECORD_DURATION_US, RECORD_CPU_US, RECORD_OUT_OFF, RECORD_OUT_LEN,
    RECORD_ERR_OFF, RECORD_ERR_LEN, RECORD_RESULT,
) = range(10)
#: Raised.
RAISED_NAME, RAISED_MESSAGE, RAISED_CODE, RAISED_AFTER_S, RAISED_WHERE = range(5)
# fmt: on
RAISED_COUNT = RAISED_WHERE + 1
CALLS_COUNT = CALLS_RECORDS + 1
#: Item and attempt of a record.
RECORD_ID = slice(RECORD_ITEM, RECORD_STARTED_AT)
#: Where the output of one call lies: offset and length in stdout and in stderr.
RECORD_SPAN = slice(RECORD_OUT_OFF, RECORD_RESULT)
#: The fields of a record before its span.
RECORD_HEAD = slice(RECORD_OUT_OFF)
#: The fields of a CallSpec that a worker loads: the arguments of ``worker.load.load``.
CALL_LOADED = slice(CALL_TARGET, CALL_RECYCLE)
#: The fields of a CallSpec by which a worker names rows.
CALL_NAMING = slice(CALL_TOKEN_OF, CALL_NAMED + 1)


def id_of(fields: tuple[Any, ...]) -> tuple[int, int, int]:
    """Job, item and attempt: the first three fields of a Dispatch and of every event about one attempt."""
    return fields[:3]
