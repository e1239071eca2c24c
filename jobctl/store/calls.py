"""Writes the outcomes of successful calls, hundreds in one statement; ``store.items`` settles one item at a time."""

from __future__ import annotations

from operator import itemgetter

from jobctl.domain.ports import Calls, OutputFlag
from jobctl.domain.state_numbers import SUCCEEDED
from jobctl.store.database import Database
from jobctl.store.items import SUCCEED, StaleAttempts
from jobctl.store.outcomes import Section
from jobctl.store.sqlite import with_states

_ITEM, _ATTEMPT = itemgetter(0), itemgetter(1)
_SUCCEED_NEIGHBOURS = with_states(
    "UPDATE items SET state = {SUCCEEDED}, failure = NULL"
    " WHERE job = ? AND item BETWEEN ? AND ? AND attempt = ? AND epoch = ? AND state = {RUNNING}"
)


def succeed(database: Database, epoch: int, calls: Calls) -> Section:
    """running -> succeeded for all. Returns the outcomes.

    Raises StaleAttempts when another engine has taken one over, or it is over.
    """
    records = calls.records
    first, attempt = records[0][:2]
    last = first + len(records) - 1
    # Every record is compared: an item between the first and the last may not be one of ours any longer.
    items, attempts = list(map(_ITEM, records)), list(map(_ATTEMPT, records))
    done = Section(SUCCEEDED, items, attempts)
    if items == list(range(first, last + 1)) and attempts.count(attempt) == len(records):
        # Neighbours on the same attempt: as many changed rows as there are records means that each of them changed.
        changed = database.execute(_SUCCEED_NEIGHBOURS, (calls.job, first, last, attempt, epoch)).rowcount
        done = Section(SUCCEEDED, range(first, last + 1), attempt)
    else:
        job = calls.job
        changed = database.executemany(SUCCEED, [(job, record[0], record[1], epoch) for record in records]).rowcount
    if changed != len(records):
        raise StaleAttempts
    return done


def record(database: Database, rnd: int, calls: Calls) -> None:
    """Write the whole record of each call.

    Numbers that all calls share are part of the statement, and the statement computes the rest from each record:
    making a new tuple for each call here would cost as much as all the rest.
    """
    columns = "item, attempt, started_at, duration_us, cpu_us, value, job, round, slot, max_rss_kib, ending, log"
    same = f"{calls.job:d}, {rnd:d}, {calls.slot:d}, {calls.max_rss_kib:d}, 0"
    if not calls.log:
        values = f"?1, ?2, ?3, ?4, ?5, ?10, {same}, 0"
    else:
        columns += ", out_off, out_len, err_off, err_len, flags"
        values = (
            f"?1, ?2, ?3, ?4, ?5, ?10, {same}, iif(?7 OR ?9, {calls.log:d}, 0),"
            f" iif(?7, ?6 + {calls.out_off:d}, 0), ?7, iif(?9, ?8 + {calls.err_off:d}, 0), ?9,"
            f" iif(?1 IN ({', '.join(f'{item:d}' for item in calls.cut)}), {OutputFlag.CUT:d}, 0)"
        )
    database.executemany(f"INSERT OR REPLACE INTO attempts ({columns}) VALUES ({values})", calls.records)  # noqa: S608
