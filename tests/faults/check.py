"""What must hold after every trial, C1 to C9."""

from __future__ import annotations

import contextlib
import csv
from collections import Counter
from collections.abc import Iterator

from tests.faults import proc
from tests.faults.rig import Rig
from tests.wait import wait_until

#: What items leave behind is ended within so many seconds.
_ENDING_S = 15.0
SUCCEEDED, INTERRUPTED = 3, 4  # item state, ending of an attempt
_STATES = ("queued", "running", "retrying", "succeeded", "failed", "unprocessed")


def violations(rig: Rig) -> list[str]:
    """Sentences about what does not hold; empty when all is well. The daemon is up or down, all jobs are done."""
    return [*rig.notes, *_accepted_exist(rig), *_witness(rig), *_database(rig), *_processes(rig), *_results(rig)]


def _accepted_exist(rig: Rig) -> Iterator[str]:
    """C1 every acknowledged item exists; C8 everything is terminal."""
    counts = dict(rig.rows("SELECT job, count(*) FROM items GROUP BY job"))
    for accepted in rig.accepted:
        if counts.get(accepted.job) != accepted.rows:
            yield f"C1 job {accepted.job}: {accepted.rows} items accepted, {counts.get(accepted.job)} exist"
    for job, live in rig.rows("SELECT job, count(*) FROM items WHERE state < 3 GROUP BY job"):
        yield f"C8 job {job}: {live} items are not terminal"
    for job, state in rig.rows("SELECT id, state FROM jobs WHERE finished_at IS NULL"):
        yield f"C8 job {job} is {state}"


def _witness(rig: Rig) -> Iterator[str]:
    """C2 success means its end was seen; C3 no start too many; C4 never two attempts of an item at once."""
    seen = rig.witness()
    starts = Counter(item for word, item, _, _ in seen if word == "start")
    ends = {(item, attempt) for word, item, attempt, _ in seen if word == "end"}
    for word, item, attempt, pid in seen:
        if word == "overlap":
            yield f"C4 item {item}: attempt {attempt} began while process {pid} of an earlier one lived"
    if len(rig.accepted) != 1:
        return  # the witness does not tell jobs apart
    accepted = rig.accepted[0]
    for item, attempt, code in rig.rows(
        "SELECT i.item, i.attempt, a.code FROM items i LEFT JOIN attempts a USING (job, item, attempt)"
        f" WHERE i.job = {accepted.job} AND i.state = {SUCCEEDED}"
    ):
        if (item, attempt) not in ends or code != 0:
            yield f"C2 item {item} succeeded in attempt {attempt}, whose end nobody saw (code {code})"
    settled = _attempts_by_item(rig, accepted.job)
    for item, count in starts.items():
        if count > settled[item]:
            yield f"C3 item {item} started {count} times for {settled[item]} recorded attempts"
    if accepted.at_most_once:
        interrupted = rig.rows("SELECT item FROM attempts WHERE job = ? AND ending = ?", accepted.job, INTERRUPTED)
        for (item,) in interrupted:
            last = rig.rows(
                "SELECT max(attempt), max(CASE WHEN ending = 4 THEN attempt END) FROM attempts"
                " WHERE job = ? AND item = ?",
                accepted.job,
                item,
            )[0]
            if last[0] != last[1]:
                yield f"C3 item {item} ran again although interrupted items must not"


def _attempts_by_item(rig: Rig, job: int) -> Counter[int]:
    found: Counter[int] = Counter()
    for item, count in rig.rows("SELECT item, count(*) FROM attempts WHERE job = ? GROUP BY item", job):
        found[item] = count
    return found


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
    for pragma, good in (("integrity_check", [("ok",)]), ("foreign_key_check", [])):
        answer = rig.rows(f"PRAGMA {pragma}")
        if answer != good:
            yield f"C6 {pragma}: {answer[:3]}"


def _processes(rig: Rig) -> Iterator[str]:
    """C7 nothing of any item lives, no zombie waits for the supervisor."""
    left: list[int] = []

    def is_clean() -> bool:
        left[:] = rig.leftovers()
        return not left

    supervisor = rig.supervisor()
    with contextlib.suppress(AssertionError):
        wait_until(is_clean, _ENDING_S, "the last process of the items to end")
    if left:
        yield f"C7 processes {left} are left: {[proc.command(pid) for pid in left]}"
    for pid in [] if supervisor is None else proc.children(supervisor):
        if proc.stat_of(pid)[:1] == ["Z"]:
            yield f"C7 process {pid} is a zombie"


def _results(rig: Rig) -> Iterator[str]:
    """C9 the three result files together are the input, each row once."""
    for accepted in rig.accepted:
        ids: Counter[str] = Counter()
        for kind in ("succeeded", "failed", "unprocessed"):
            path = rig.home.job_results(accepted.job) / f"{kind}.csv"
            if not path.exists():
                yield f"C9 job {accepted.job}: no {path.name}"
                continue
            with path.open(newline="", encoding="utf-8") as file:
                ids.update(row["id"] for row in csv.DictReader(file))
        if ids != Counter(str(number) for number in range(accepted.rows)):
            yield f"C9 job {accepted.job}: the result files hold {ids.total()} rows of {accepted.rows}"
