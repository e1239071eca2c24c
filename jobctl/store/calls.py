"""Outcomes of calls that succeeded, hundreds in one statement: what ``store.items`` does one by one."""

from __future__ import annotations

from typing import Any

from jobctl.domain.ports import Calls, OutputFlag
from jobctl.store.database import Database
from jobctl.store.items import StaleAttempts


def succeed(database: Database, epoch: int, calls: Calls) -> None:
    """running -> succeeded for all of them. Raises StaleAttempts when one of them is not held any more."""
    records = calls.records
    first, last = records[0], records[-1]
    attempt = first[1]
    if last[0] - first[0] == len(records) - 1 and all(record[1] == attempt for record in records):
        # Neighbours on the same attempt: as many changed rows as there are records means that each of them changed.
        changed = database.execute(
            "UPDATE items SET state = 3, failure = NULL"
            " WHERE job = ? AND item BETWEEN ? AND ? AND attempt = ? AND epoch = ? AND state = 1",
            (calls.job, first[0], last[0], attempt, epoch),
        ).rowcount
    else:
        job = calls.job
        changed = database.executemany(
            "UPDATE items SET state = 3, failure = NULL"
            " WHERE job = ? AND item = ? AND attempt = ? AND epoch = ? AND state = 1",
            [(job, record[0], record[1], epoch) for record in records],
        ).rowcount
    if changed != len(records):
        raise StaleAttempts


def record(database: Database, rnd: int, calls: Calls) -> None:
    """Write the whole record of each."""
    # What all have in common is part of the statement, numbers alone: binding it costs as much as the rest.
    same = f"{calls.job:d}, {rnd:d}, {calls.slot:d}, {calls.max_rss_kib:d}, 0"
    if calls.log:
        _record_with_output(database, same, calls)
        return
    database.executemany(
        "INSERT OR REPLACE INTO attempts (item, attempt, started_at, duration_us, cpu_us, value,"  # noqa: S608
        f" job, round, slot, max_rss_kib, ending, log) VALUES (?, ?, ?, ?, ?, ?, {same}, 0)",
        [(*each[:5], each[9]) for each in calls.records],
    )


def _record_with_output(database: Database, same: str, calls: Calls) -> None:
    database.executemany(
        "INSERT OR REPLACE INTO attempts (item, attempt, started_at, duration_us, cpu_us, log, out_off, out_len,"  # noqa: S608
        " err_off, err_len, flags, value, job, round, slot, max_rss_kib, ending)"
        f" VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, {same})",
        [_with_output(calls, each) for each in calls.records],
    )


def _with_output(calls: Calls, each: tuple[int, int, int, int, int, int, int, int, int, Any]) -> tuple[Any, ...]:
    item, _, _, _, _, out_off, out_len, err_off, err_len, value = each
    out_off = calls.out_off + out_off if out_len else 0
    err_off = calls.err_off + err_off if err_len else 0
    log = calls.log if out_len or err_len else 0
    flags = OutputFlag.CUT if item in calls.cut else OutputFlag.NONE
    return (*each[:5], log, out_off, out_len, err_off, err_len, int(flags), value)
