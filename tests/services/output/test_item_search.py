"""Searching the items of a job: words, orders, and the agreement of both ways to look for words."""

from __future__ import annotations

import pytest

from jobctl.domain.selection import Selection
from jobctl.domain.states import ItemState
from jobctl.services.output import item_search
from jobctl.services.output.item_search import BY_DURATION, BY_STATE, ItemSearch, found_items
from jobctl.store.views import items as item_views
from jobctl.store.views.items import items_with_words
from tests.factories import SUBMITTED_AT


def found(store, job, **wanted):
    """The numbers that a search finds."""
    pages = found_items(store.database, job, ItemSearch(**wanted), now=SUBMITTED_AT)
    return [number for page in pages for number in page]


@pytest.fixture
def job(store):
    """Rows in several alphabets; items 2 and 4 have failed."""
    number = store.job("sfsf", state="partial", started_at=SUBMITTED_AT, finished_at=SUBMITTED_AT + 1, attempts=4)
    rows = [b"1\0ZURICH", "2\0ZÜRICH".encode(), b"3\0Berlin\xff", b"4\0berlin%_"]
    with store.database.transaction():
        for item, payload in enumerate(rows, 1):
            store.database.execute("UPDATE items SET payload = ? WHERE item = ?", (payload, item))
        store.database.execute("UPDATE attempts SET message = 'No such Berlin' WHERE item = 2")
    return number


def test_words_are_found_in_the_row_and_the_message_in_either_case(store, job):
    assert found(store, job, words=("zurich",)) == [1]
    assert found(store, job, words=("zürich",)) == [2]
    assert found(store, job, words=("berlin",)) == [2, 3, 4]
    assert found(store, job, words=("berlin", "2")) == [2, 4]  # item 4 has the message of an exit 22
    assert found(store, job, words=("berlin%_",)) == [4]
    assert found(store, job, words=("berlin",), selection=Selection(states=(ItemState.FAILED,))) == [2, 4]
    assert found(store, job, words=("nowhere",)) == []


@pytest.mark.parametrize("word", ["zurich", "berlin", "n%_", "4", "no such", "r"])
def test_sql_and_python_look_for_words_alike(store, job, word, monkeypatch):
    numbers = [1, 2, 3, 4]
    by_sql = items_with_words(store.database, job, numbers, [word])
    monkeypatch.setattr(item_views, "_is_ascii", lambda _words: False)
    assert items_with_words(store.database, job, numbers, [word]) == by_sql


def test_orders(store):
    job = store.job("sfqrs", state="running", started_at=SUBMITTED_AT, attempts=4)
    for item, duration in ((1, 5_000), (2, 9_000), (5, 7_000)):
        store.attempt(job, item, duration_us=duration)
    store.attempt(job, 5, duration_us="damaged")
    assert found(store, job, order=BY_STATE) == [3, 4, 1, 5, 2]
    assert found(store, job, order=BY_STATE, selection=Selection(states=(ItemState.FAILED, ItemState.QUEUED))) == [3, 2]
    assert found(store, job, order=BY_DURATION) == [2, 1]
    assert found(store, job, order=BY_DURATION, backwards=True) == [1, 2]


def test_a_search_is_bounded(store, monkeypatch):
    monkeypatch.setattr(item_search, "MOST", 3)
    monkeypatch.setattr(item_search, "MOST_BY_DURATION", 2)
    monkeypatch.setattr(item_search, "_PAGE", 2)
    job = store.job("s" * 6, state="succeeded", started_at=SUBMITTED_AT, finished_at=SUBMITTED_AT + 1)
    assert found(store, job, order=BY_STATE) == [1, 2, 3]
    assert found(store, job, order=BY_DURATION) == [1, 2]
