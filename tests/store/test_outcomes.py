"""Packed outcomes: every list comes back as it was, and damaged bytes end a list without an error."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobctl.domain.states import ItemState
from jobctl.store import event_ids, outcomes
from jobctl.store.outcomes import Section
from tests.factories import SUBMITTED_AT, make_store

numbers = st.one_of(st.integers(1, 300), st.integers(1, 1 << 40))
states = st.sampled_from(sorted(ItemState))
listed = st.builds(
    lambda state, pairs: Section(state, [item for item, _ in pairs], [attempt for _, attempt in pairs]),
    states,
    st.lists(st.tuples(numbers, st.integers(0, 70_000)), max_size=40),
)
runs = st.builds(
    lambda state, first, count, attempt: Section(state, range(first, first + count), attempt),
    states,
    numbers,
    st.integers(0, 40),
    st.integers(0, 9),
)


def flat(section):
    attempts = section.attempts
    each = [attempts] * len(section.items) if isinstance(attempts, int) else attempts
    return [(section.state, item, attempt) for item, attempt in zip(section.items, each, strict=True)]


@given(st.lists(st.one_of(listed, runs), max_size=5))
def test_what_is_packed_comes_back(sections):
    packed = b"".join(map(outcomes._pack, sections))
    assert list(outcomes.unpacked(packed)) == [each for section in sections for each in flat(section)]


@given(st.binary(max_size=200))
def test_bytes_of_any_kind_are_no_error(data):
    for count, each in enumerate(outcomes.unpacked(data)):
        assert len(each) == 3
        if count > 1000:  # a damaged run may say that it is long; the size of its row bounds it
            break


def test_a_run_of_neighbours_takes_the_same_room_for_any_number():
    assert len(outcomes._pack(Section(3, list(range(5, 20_005)), [1] * 20_000))) == 22
    assert len(outcomes._pack(Section(3, [5, 7, 9], [1, 1, 1]))) == 22 + 12


def rows(database, since=0, job=None):
    return [
        (each.id, each.job, each.item, each.attempt, each.state.word) for each in outcomes.after(database, since, job)
    ]


def test_outcomes_are_read_after_an_id_of_one_job_or_of_all(home):
    database = make_store(home).database
    with database.transaction():
        outcomes.record(database, 1, SUBMITTED_AT, [Section(3, [1, 2], 1), Section(4, [3], [2])])
        outcomes.record(database, 2, SUBMITTED_AT, [Section(3, [1], 1)])
        outcomes.record(database, 1, SUBMITTED_AT, [])
        outcomes.record(database, 1, SUBMITTED_AT, [Section(5, [4, 5], 0)])
    whole = rows(database)
    assert whole == [
        (1, 1, 1, 1, "succeeded"),
        (2, 1, 2, 1, "succeeded"),
        (3, 1, 3, 2, "failed"),
        (4, 2, 1, 1, "succeeded"),
        (5, 1, 4, 0, "unprocessed"),
        (6, 1, 5, 0, "unprocessed"),
    ]
    assert event_ids.last(database) == 6
    for since in range(8):
        assert rows(database, since) == [row for row in whole if row[0] > since]
        assert rows(database, since, 1) == [row for row in whole if row[0] > since and row[1] == 1]


@pytest.mark.parametrize("job", [None, 1])
def test_a_read_finds_its_place_by_an_index(home, job):
    database = make_store(home).database
    of_job = "" if job is None else " AND job = 1"
    plan = database.execute(f"EXPLAIN QUERY PLAN SELECT * FROM outcomes WHERE id > 5{of_job} ORDER BY id").fetchall()
    (step,) = [row[3] for row in plan]
    assert ("INTEGER PRIMARY KEY" if job is None else "outcomes_job") in step


def test_a_row_that_is_damaged_yields_no_more_than_its_size(home):
    database = make_store(home).database
    with database.transaction():
        outcomes.record(database, 1, SUBMITTED_AT, [Section(3, range(1, 100_000), 1)])
        database.execute("UPDATE outcomes SET count = 2")
    assert len(rows(database)) == 2
