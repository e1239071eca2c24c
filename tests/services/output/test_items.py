"""Pages of items."""

from __future__ import annotations

import pytest

from jobctl.domain.endings import Ending
from jobctl.domain.selection import Selection, parse_states
from jobctl.domain.spans import Span
from jobctl.domain.states import ItemState
from jobctl.errors import UsageError
from jobctl.services.output.items import Page, item_document, page, pages, row_values
from jobctl.services.selection import SelectedItems
from jobctl.store.views import items as item_views

STATES = "qrtsfu" * 5


@pytest.fixture
def database(store):
    store.job("sss")
    store.job(STATES, state="running", started_at=1)
    return store.database


def found(database, size=100, after=0, limit=None, **selection):
    """The pages of items of the second job."""
    return list(pages(SelectedItems(database, 2, Selection(**selection), now=0), after, limit, size))


@pytest.mark.parametrize(
    "words", [(), ("failed",), ("retrying",), ("queued", "running"), ("failed,retrying,succeeded",)]
)
@pytest.mark.parametrize("size", [1, 2, 7, 100])
def test_pages_put_together_are_the_items_in_order(database, words, size):
    states = parse_states(words)
    wanted = [n for n, letter in enumerate(STATES, 1) if not states or ItemState("qrtsfu".index(letter)) in states]
    made = found(database, size, states=states)
    assert [item.item for each in made for item in each.items] == wanted
    assert all(len(each.items) <= size for each in made)
    assert made[-1].next is None


def test_a_limit_says_where_to_continue(database):
    (first,) = found(database, limit=4)
    assert ([item.item for item in first.items], first.next) == ([1, 2, 3, 4], 4)
    assert found(database, after=first.next)[0].items[0].item == 5
    assert [len(each.items) for each in found(database, 3, limit=7)] == [3, 3, 1]
    assert found(database, 3, limit=30)[-1].next is None
    assert found(database, after=10**30) == [Page([], None)]


@pytest.mark.parametrize(("span", "items"), [(Span(7, 7), [7]), (Span(28, 90), [28, 29, 30])])
@pytest.mark.parametrize("size", [1, 2, 50])
def test_items_by_number(database, span, items, size):
    assert [item.item for each in found(database, size, items=(span,)) for item in each.items] == items


def test_a_condition_lists_whole_items(database):
    (only,) = found(database, states=(ItemState.FAILED,), where="id > 5 and exit_code == 22")
    assert [(item.item, item.code, item.payload[:2]) for item in only.items] == [
        (11, 22, b"11"),
        (17, 22, b"17"),
        (23, 22, b"23"),
        (29, 22, b"29"),
    ]


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
    (item,) = item_views.items(store.database, job, [1])
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
