"""The rules that must hold after every trial, C1 to C11."""

from __future__ import annotations

import contextlib
import csv
from collections import Counter
from collections.abc import Iterator

from jobctl.store import outcomes
from tests.faults import proc
from tests.faults.check_undo import undo_violations
from tests.faults.rig import ATTEMPTS, Rig, Seen
from tests.wait import wait_until

#: Seconds within which processes that items leave behind must be ended.
_ENDING_S = 15.0
#: A worker that waits for calls goes after half a minute at the latest.
_WORKERS_S = 40.0
SUCCEEDED, INTERRUPTED = 3, 4  # item state, ending of an attempt
#: (table, its columns, where they must be found): the schema has no foreign keys, which would cost every insert.
_BELONGS = (
    ("items", "job", "id FROM jobs"),
    ("attempts", "job, item", "job, item FROM items"),
    ("failures", "job", "id FROM jobs"),
    ("figures", "job", "id FROM jobs"),
    ("targets", "job", "id FROM jobs"),
)
#: Rows of a job that was removed, or whose acceptance was killed: no command shows them, and ``prune`` removes them.
_NO_JOB = "job IN (SELECT job FROM prunings)"
_STATES = ("queued", "running", "retrying", "succeeded", "failed", "unprocessed")


def violations(rig: Rig) -> list[str]:
    """Sentences about what does not hold; empty when all is well. The daemon is up or down, all jobs are done."""
    found = [*rig.notes, *_accepted_exist(rig), *_witness(rig), *_database(rig), *_processes(rig), *_results(rig)]
    return [*found, *undo_violations(rig), *_events(rig)]


def _accepted_exist(rig: Rig) -> Iterator[str]:
    """C1 every acknowledged item exists; C8 everything is terminal."""
    counts = dict(rig.rows("SELECT job, count(*) FROM items GROUP BY job"))
    for accepted in rig.accepted:
        if counts.get(accepted.job) != accepted.rows:
            yield f"C1 job {accepted.job}: {accepted.rows} items accepted, {counts.get(accepted.job)} exist"
    for job, live in rig.rows(f"SELECT job, count(*) FROM items WHERE state < 3 AND NOT {_NO_JOB} GROUP BY job"):
        yield f"C8 job {job}: {live} items are not terminal"
    for job, state in rig.rows("SELECT id, state FROM jobs WHERE finished_at IS NULL"):
        yield f"C8 job {job} is {state}"


def _witness(rig: Rig) -> Iterator[str]:
    """C2 success means its end was seen; C3 no start too many; C4 never two attempts of an item at once."""
    seen = rig.witness()
    for it in seen:
        if it.word == "overlap":
            yield f"C4 item {it.job}.{it.item}: attempt {it.attempt} began while {it.pid} of an earlier one lived"
    ends = {(it.job, it.item, it.attempt) for it in seen if it.word == "end"}
    returned = {(it.job, it.item) for it in seen if it.word == "return"}
    calls = {accepted.job for accepted in rig.accepted if accepted.calls}
    for job, item, attempt, code in rig.rows(
        "SELECT i.job, i.item, i.attempt, a.code FROM items i LEFT JOIN attempts a USING (job, item, attempt)"
        f" WHERE i.state = {SUCCEEDED}"
    ):
        is_seen = (job, item) in returned if job in calls else (job, item, attempt) in ends
        if not is_seen or code != 0:
            yield f"C2 item {job}.{item} succeeded in attempt {attempt}, whose end was not seen (code {code})"
    yield from _starts(rig, seen)
    for accepted in rig.accepted:
        if accepted.at_most_once:
            yield from at_most_once(rig, accepted.job)


def _starts(rig: Rig, seen: list[Seen]) -> Iterator[str]:
    jobs = {accepted.job for accepted in rig.accepted}
    begun = Counter((it.job, it.item, it.attempt) for it in seen if it.word == "start" and it.job in jobs)
    for (job, item, attempt), count in begun.items():
        if count > 1:
            yield f"C3 item {job}.{item}: attempt {attempt} was started {count} times"
    recorded = _recorded(rig, "job, item")
    starts = Counter((job, item) for job, item, _ in begun)
    starts += Counter((it.job, it.item) for it in seen if it.word == "call")
    for (job, item), count in starts.items():
        if count > recorded[job, item]:
            yield f"C3 item {job}.{item} started {count} times for {recorded[job, item]} recorded attempts"
    for (job, item, _), own in _recorded(rig, "job, item, round", f"ending <> {INTERRUPTED}").items():
        if own > ATTEMPTS:
            yield f"C3 item {job}.{item} ended {own} times by itself, {ATTEMPTS} attempts were allowed"


def _recorded(rig: Rig, by: str, which: str = "ending IS NOT NULL") -> Counter[tuple[int, ...]]:
    sql = f"SELECT {by}, count(*) FROM attempts WHERE {which} GROUP BY {by}"
    return Counter({tuple(key): count for *key, count in rig.rows(sql)})


def at_most_once(rig: Rig, job: int) -> Iterator[str]:
    """C3 an item whose attempt was interrupted did not run again."""
    for item, last, interrupted in rig.rows(
        f"SELECT item, max(attempt), max(CASE WHEN ending = {INTERRUPTED} THEN attempt END) AS broken FROM attempts"
        " WHERE job = ? GROUP BY item HAVING broken IS NOT NULL",
        job,
    ):
        if last != interrupted:
            yield f"C3 item {job}.{item} ran again although interrupted items must not"


def _database(rig: Rig) -> Iterator[str]:
    """C5 counters equal rows; C6 the file is sound."""
    rows: dict[int, Counter[str]] = {}
    for job, state, count in rig.rows("SELECT job, state, count(*) FROM items GROUP BY job, state"):
        rows.setdefault(job, Counter())[_STATES[state]] = count
    for job, *counted in rig.rows(f"SELECT id, {', '.join(_STATES)} FROM jobs"):
        expected = [rows.get(job, Counter())[state] for state in _STATES]
        if counted != expected:
            yield f"C5 job {job}: counters say {counted}, rows say {expected}"
    for job, count, rows_there in rig.rows(
        "SELECT id, jobs.attempts, (SELECT count(*) FROM attempts a WHERE a.job = jobs.id AND ending IS NOT NULL)"
        " FROM jobs"
    ):
        if count != rows_there:
            yield f"C5 job {job}: {count} attempts counted, {rows_there} recorded"
    answer = rig.rows("PRAGMA integrity_check")
    if answer != [("ok",)]:
        yield f"C6 integrity_check: {answer[:3]}"
    for table, keys, owner in _BELONGS:
        strays = rig.rows(f"SELECT {keys} FROM {table} WHERE ({keys}) NOT IN (SELECT {owner}) AND NOT {_NO_JOB}")
        if strays:
            yield f"C6 {len(strays)} rows of {table} belong to nothing: {strays[:3]}"


def _events(rig: Rig) -> Iterator[str]:
    """C11 each attempt that ended has an outcome, the last outcome of an item is its state, no id is used twice."""
    ids = Counter(number for (number,) in rig.rows("SELECT id FROM journal"))
    settled: set[tuple[int, int, int]] = set()
    last: dict[tuple[int, int], int] = {}
    for number, job, count, packed in rig.rows("SELECT id, job, count, packed FROM outcomes ORDER BY id"):
        found = list(outcomes.unpacked(packed))
        ids.update(range(number - count + 1, number + 1))
        if len(found) != count:
            yield f"C11 job {job}: {count} outcomes up to the id {number}, {len(found)} are packed"
        for state, item, attempt in found:
            last[job, item] = state
            if attempt:
                settled.add((job, item, attempt))
    if twice := [number for number, times in ids.items() if times > 1]:
        yield f"C11 {len(twice)} ids are used twice: {sorted(twice)[:3]}"
    ended = set(rig.rows("SELECT job, item, attempt FROM attempts WHERE ending IS NOT NULL"))
    if ended != settled:
        some = sorted(ended ^ settled)[:3]
        yield f"C11 {len(ended - settled)} attempts have no outcome, {len(settled - ended)} outcomes no attempt: {some}"
    for job, item, state in rig.rows("SELECT job, item, state FROM items WHERE state > 2"):
        if last.get((job, item)) != state:
            yield f"C11 item {job}.{item} is {_STATES[state]}, its last outcome is {last.get((job, item))}"


def _processes(rig: Rig) -> Iterator[str]:
    """C7 nothing of any item lives, no zombie waits for the supervisor."""
    left: list[int] = []

    def is_clean() -> bool:
        left[:] = rig.leftovers()
        return not left

    supervisor = rig.supervisor()
    with contextlib.suppress(AssertionError):
        calls = any(accepted.calls for accepted in rig.accepted)
        wait_until(is_clean, _WORKERS_S if calls else _ENDING_S, "the last process of the items to end")
    if left:
        yield f"C7 processes {left} are left: {[proc.command(pid) for pid in left]}"
    yield from _zombies(supervisor)


def _zombies(supervisor: int | None) -> Iterator[str]:
    """A child that has just ended is one for a moment; one that stays was forgotten."""
    found: list[int] = []

    def are_reaped() -> bool:
        found[:] = [pid for pid in proc.children(supervisor or 0) if proc.stat_of(pid)[:1] == ["Z"]]
        return not found

    if supervisor is not None:
        with contextlib.suppress(AssertionError):
            wait_until(are_reaped, _ENDING_S, "the supervisor to reap")
    for pid in found:
        yield f"C7 process {pid} is a zombie"


def _results(rig: Rig) -> Iterator[str]:
    """C9 the three result files together are the input, each row once."""
    counts: Counter[tuple[int, str]] = Counter()
    for job, state, count in rig.rows("SELECT job, state, count(*) FROM items GROUP BY job, state"):
        counts[job, _STATES[state]] = count
    for accepted in rig.accepted:
        ids: Counter[str] = Counter()
        for kind in ("succeeded", "failed", "unprocessed"):
            path = rig.home.job_results(accepted.job) / f"{kind}.csv"
            if not path.exists():
                yield f"C9 job {accepted.job}: no {path.name}"
                continue
            with path.open(newline="", encoding="utf-8") as file:
                found = Counter(row["id"] for row in csv.DictReader(file))
            ids.update(found)
            if found.total() != counts[accepted.job, kind]:
                yield (
                    f"C9 job {accepted.job}: {path.name} holds {found.total()} rows,"
                    f" {counts[accepted.job, kind]} items are {kind}"
                )
        if not accepted.undo_of and ids != Counter(str(number) for number in range(accepted.rows)):
            yield f"C9 job {accepted.job}: the result files hold {ids.total()} rows of {accepted.rows}"
