"""Pages of items."""

from __future__ import annotations

import pytest

from jobctl.domain.endings import Ending
from jobctl.domain.selection import parse_states
from jobctl.domain.states import ItemState
from jobctl.errors import UsageError
from jobctl.services.control.targets import Target
from jobctl.services.output.items import Query, item_document, page, query, row_values
from jobctl.store.views import items as item_views

STATES = "qrtsfu" * 5


@pytest.fixture
def database(store):
    store.job("sss")
    store.job(STATES, state="running", started_at=1)
    return store.database


@pytest.mark.parametrize(
    "words", [(), ("failed",), ("retrying",), ("queued", "running"), ("failed,retrying,succeeded",)]
)
@pytest.mark.parametrize("size", [1, 2, 7, 100])
def test_pages_put_together_are_the_items_in_order(database, words, size):
    states = parse_states(words)
    wanted = [n for n, letter in enumerate(STATES, 1) if not states or ItemState("qrtsfu".index(letter)) in states]
    pages = list(query(database, Query(Target(2), states), size))
    assert [item.item for each in pages for item in each.items] == wanted
    assert all(len(each.items) <= size for each in pages)
    assert pages[-1].next is None


def test_a_limit_says_where_to_continue(database):
    (first,) = query(database, Query(Target(2), limit=4), 100)
    assert ([item.item for item in first.items], first.next) == ([1, 2, 3, 4], 4)
    rest = list(query(database, Query(Target(2), after=first.next), 100))
    assert rest[0].items[0].item == 5


@pytest.mark.parametrize(("target", "items"), [(Target(2, 7), [7]), (Target(2, 28, 30), [28, 29, 30])])
@pytest.mark.parametrize("size", [1, 2, 50])
def test_items_by_number(database, target, items, size):
    found = [item.item for each in query(database, Query(target), size) for item in each.items]
    assert found == items


def test_queued_items_are_looked_for_from_the_cursor(database):
    database.execute("UPDATE jobs SET cursor = 20 WHERE id = 2")
    assert [item.item for item in page(database, 2, (ItemState.QUEUED,), 0, 100).items] == [25]


def test_states_are_words(database):
    assert parse_states(["failed, running", "failed"]) == (ItemState.FAILED, ItemState.RUNNING)
    with pytest.raises(UsageError, match="no item state 'broken'") as caught:
        parse_states(["broken"])
    assert "unprocessed" in caught.value.hint


@pytest.mark.parametrize(
    ("ending", "code", "expected"),
    [
        (Ending.EXITED, 0, (0, None, None)),
        (Ending.EXITED, 22, (22, None, "exit_22")),
        (Ending.SIGNALLED, 11, (None, "SIGSEGV", "sigsegv")),
        (Ending.TIMED_OUT, 15, (None, "SIGTERM", "timeout")),
        (Ending.NOT_STARTED, 2, (None, None, "not_started")),
        (None, 0, (None, None, None)),
    ],
)
def test_how_an_attempt_ended(store, ending, code, expected):
    job = store.job("f")
    store.attempt(job, 1, ending=ending, code=code, message="words")
    (item,) = item_views.items(store.database, job, None, 0, 1)
    document = item_document(job, item, ["id", "url"], "csv")
    assert (document["exit_code"], document["signal"], document["code"]) == expected
    assert document["row"] == {"id": "1", "url": "https://example.org/1"}


@pytest.mark.parametrize(
    ("payload", "kind", "value"),
    [
        (b"a\0b", "csv", {"x": "a", "y": "b"}),
        (b"a\0\xff", "tsv", {"x": "a", "y": "�"}),
        (b"a line", "lines", "a line"),
        (b'{"x": 1.50}', "jsonl", {"x": 1.5}),
    ],
)
def test_rows_are_shown_as_they_came(payload, kind, value):
    assert row_values(payload, ["x", "y"], kind) == value
