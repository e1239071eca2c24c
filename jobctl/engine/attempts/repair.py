"""Repairs outcomes that cannot be settled as they are.

Everything that items write is checked where it enters. If settling the outcomes of a job raises anyway, the engine
must not end for all jobs. The repair keeps the sound parts of the outcomes, and the cause of a failure says that jobctl
could not record it. Successes stay successes.
"""

from __future__ import annotations

import sys
from typing import Any

from jobctl.domain.endings import Ending
from jobctl.domain.ports import Calls, Finished, Record, Started, finished_call
from jobctl.engine.attempts.batch import Batch

#: The largest number that a column of the database can store.
_LARGEST = (1 << 63) - 1
_NUMBERS = Finished._fields[Finished._fields.index("slot") : Finished._fields.index("out_tail")]
_LARGEST_CODE = 255
_ENDINGS = frozenset(map(int, Ending))


class OutcomeRepair:
    """Repairs batches, and logs each kind of problem once."""

    def __init__(self) -> None:
        self._logged: set[str] = set()

    def repair(self, job: int, batch: Batch, error: Exception) -> Batch:
        """The batch without anything that can raise when it is settled."""
        self._log(job, error)
        reason = f"jobctl could not record its outcome as it was ({type(error).__name__})"
        started = {key: s for key, s in batch.started.items() if _is_sound_start(s)}
        repaired = Batch(started, [_sanitised(f, reason) for f in batch.finished], [], batch.returned)
        for calls in batch.calls:
            sound = [record for record in calls.records if is_sound(record)]
            unsound = [record for record in calls.records if not is_sound(record)]
            if sound:
                repaired.calls.append(_bounded(calls, sound))
            repaired.finished += [_sanitised(_without_facts(calls, record), reason) for record in unsound]
        return repaired

    def _log(self, job: int, error: Exception) -> None:
        import traceback  # imported late: an engine that starts does not need it

        last = traceback.extract_tb(error.__traceback__)[-1:]
        kind = f"{type(error).__name__} {[(frame.filename, frame.lineno) for frame in last]}"
        if kind in self._logged:
            return
        self._logged.add(kind)
        text = "".join(traceback.format_exception(error))
        sys.stderr.write(f"engine: outcomes of job {job} could not be settled; this is a bug in jobctl:\n{text}")


def is_sound(record: Any) -> bool:
    """True if a record of a call that succeeded can be written."""
    if len(record) != len(Record._fields) or not all(type(n) is int and 0 <= n <= _LARGEST >> 1 for n in record[:-1]):
        return False
    return record[-1] is None or _is_text(record[-1])


def _is_text(value: Any) -> bool:
    try:
        return type(value) is str and value.encode() is not None
    except UnicodeEncodeError:
        return False


def _is_sound_start(started: Started) -> bool:
    return all(type(n) is int and 0 <= n <= _LARGEST >> 1 for n in started[:9]) and _is_text(started.host)


def _bounded(calls: Calls, records: list[Any]) -> Calls:
    slot, rss, log = (_number(getattr(calls, name)) for name in ("slot", "max_rss_kib", "log"))
    return calls._replace(slot=slot, max_rss_kib=rss, log=log, records=records)


def _without_facts(calls: Calls, record: Any) -> Finished:
    """The outcome of a record, with its item and attempt only, because the rest cannot be trusted."""
    item, attempt = record[:2]
    return finished_call(calls, Record(item, attempt, 0, 0, 0, 0, 0, 0, 0, ("", "", 1, None, "")))


def _sanitised(f: Finished, reason: str) -> Finished:
    numbers = {name: _number(getattr(f, name)) for name in _NUMBERS}
    return f._replace(
        **numbers,
        ending=f.ending if f.ending in _ENDINGS else Ending.RAISED,
        code=f.code if type(f.code) is int and abs(f.code) <= _LARGEST_CODE else 1,
        out_tail=b"",
        err_tail=reason.encode(),
        value=f.value if _is_text(f.value) else None,
        raised=None,
        host=f.host if _is_text(f.host) else "",
        left=f.left if _is_text(f.left) else "",
    )


def _number(value: Any) -> int:
    return value if type(value) is int and 0 <= value <= _LARGEST >> 1 else 0
