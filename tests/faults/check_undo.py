"""The rule for rows that were taken back, C10."""

from __future__ import annotations

import csv
from collections import Counter, defaultdict
from collections.abc import Iterator

from tests.faults.rig import Accepted, Rig

SUCCEEDED = 3  # item state


def undo_violations(rig: Rig) -> Iterator[str]:
    """C10 each row that succeeded is taken back once, by one item and with one token, and no other row is."""
    for accepted in rig.accepted:
        if accepted.is_undone:
            yield from _tokens(rig, accepted)
            yield from _rows(rig, accepted)
            yield from _file(rig, accepted)


def _tokens(rig: Rig, accepted: Accepted) -> Iterator[str]:
    tokens: dict[str, set[str]] = defaultdict(set)
    for seen in rig.taken_back():
        if seen.row.startswith(f"{accepted.job}."):
            tokens[seen.row].add(seen.token)
    for row, found in tokens.items():
        if len(found) > 1 or not all(found):
            yield f"C10 row {row} was taken back with {len(found)} tokens: {sorted(found)}"


def _rows(rig: Rig, accepted: Accepted) -> Iterator[str]:
    """The lines of the undo name the rows, and the database says which of its items succeeded."""
    succeeded = {f"{accepted.job}.{item}" for item in _succeeded(rig, accepted)}
    sql = f"SELECT job, item FROM items WHERE state = {SUCCEEDED} AND job IN (SELECT id FROM jobs WHERE undo_of = ?)"
    done = set(rig.rows(sql, accepted.job))
    by_item = {(seen.job, seen.item): seen.row for seen in rig.taken_back()}
    for job, item in sorted(done - by_item.keys()):
        yield f"C10 item {job}.{item} took back a row, and its undo was not seen"
    times = Counter(by_item[each] for each in done & by_item.keys())
    for row in sorted(succeeded | {seen.row for seen in rig.taken_back()}):
        if row not in succeeded:
            yield f"C10 row {row} did not succeed, and its undo ran"
        elif times[row] != 1:
            yield f"C10 row {row} was taken back {times[row]} times"


def _file(rig: Rig, accepted: Accepted) -> Iterator[str]:
    """``undone.csv`` has these rows, each once."""
    expected = Counter(str(item - 1) for item in _succeeded(rig, accepted))
    path = rig.home.job_results(accepted.job) / "undone.csv"
    found: Counter[str] = Counter()
    if path.exists():
        with path.open(newline="", encoding="utf-8") as file:
            found.update(row["id"] for row in csv.DictReader(file))
    if found != expected:
        yield f"C10 job {accepted.job}: undone.csv has {found.total()} rows, {expected.total()} were taken back"


def _succeeded(rig: Rig, accepted: Accepted) -> list[int]:
    found = rig.rows(f"SELECT item FROM items WHERE job = ? AND state = {SUCCEEDED}", accepted.job)
    return [item for (item,) in found]
