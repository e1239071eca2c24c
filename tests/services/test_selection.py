"""The selection of items: what the database and a condition find is what a reading of every row finds."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jobctl.config import Home
from jobctl.domain.selection import CAUSED, Selection, check_contradictions, parse_causes, parse_states, refuse_states
from jobctl.domain.spans import Span, joined, parse_spans, spans_of, spelled
from jobctl.domain.states import ItemState
from jobctl.errors import UsageError
from jobctl.services.selection import SelectedItems, with_items
from jobctl.store import selected
from tests.factories import SECOND, SUBMITTED_AT, make_store

ROWS = 60
LETTERS = "qrtsfu"
CAUSES = {"exit_7": (0, 7), "exit_22": (0, 22), "timeout": (2, 15), "sigkill": (1, 9)}


@pytest.fixture(scope="module")
def job(tmp_path_factory):
    """A job with items in all states and with several causes; the facts of each item as plain values."""
    store = make_store(Home(tmp_path_factory.mktemp("selection") / "home"))
    chance = random.Random(7)
    store.job("sf")
    letters = "".join(chance.choice(LETTERS) for _ in range(ROWS))
    number = store.job(letters, state="running", started_at=1)
    facts = []
    for item, letter in enumerate(letters, 1):
        fact = {"item": item, "state": letter, "cause": "", "group": "", "duration": None, "id": item, "unknown": False}
        if letter in "tf":
            fact["cause"] = chance.choice(sorted(CAUSES))
            fact["group"] = chance.choice("ab")
            fact["unknown"] = fact["cause"] in ("timeout", "sigkill")
        if letter not in "qu":
            fact["duration"] = None if letter == "r" else chance.randrange(1, 100)
            ending, code = CAUSES.get(fact["cause"], (0, 0))
            over = {"ending": None} if letter == "r" else {"ending": ending, "code": code}
            took = None if fact["duration"] is None else fact["duration"] * SECOND
            started_at = SUBMITTED_AT + item * SECOND
            store.attempt(number, item, **over, duration_us=took, started_at=started_at, message=fact["cause"] or None)
        facts.append(fact)
    groups = {}
    for code in CAUSES:
        for message in "ab":
            found = [f["item"] for f in facts if (f["cause"], f["group"]) == (code, message)]
            outcome = "unknown" if code in ("timeout", "sigkill") else "known"
            store.failure(number, 0, code=code, message=message, outcome=outcome, samples="[]")
            groups[code, message] = store.database.scalar("SELECT max(id) FROM failures")
            store.database.executemany(
                "UPDATE items SET failure = ? WHERE job = ? AND item = ?",
                [(groups[code, message], number, item) for item in found],
            )
    # Items that run or are queued again keep the cause of an earlier attempt in their row.
    store.database.execute(
        "UPDATE items SET failure = ? WHERE job = ? AND state IN (0, 1)", (groups["exit_7", "a"], number)
    )
    for fact in facts:
        fact["number"] = groups.get((fact["cause"], fact["group"]))
    return store.database, number, facts, groups


def brute_force(facts, selection, where):
    """The same selection, by the words of the manual."""
    letters = {LETTERS[state] for state in selection.states}

    def is_kind(fact):
        if not (selection.states or selection.causes or selection.unknown):
            return True
        if selection.unknown and fact["state"] == "f" and fact["unknown"]:
            return True
        if not selection.causes:
            return fact["state"] in letters
        has_cause = fact["cause"] in selection.causes or f"{fact['cause']}:{fact['number']}" in selection.causes
        narrowed = letters & {"t", "f"} or {"t", "f"}
        return (has_cause and fact["state"] in narrowed) or (fact["state"] == "u" and "u" in letters)

    def is_named(fact):
        return not selection.items or any(span.first <= fact["item"] <= span.last for span in selection.items)

    return [fact["item"] for fact in facts if is_kind(fact) and is_named(fact) and where(fact)]


def seconds(fact, test):
    return fact["duration"] is not None and test(fact["duration"])


WHERES = {
    "": lambda _: True,
    "id > 20 and id <= 41": lambda f: 20 < f["id"] <= 41,
    "duration > 50": lambda f: seconds(f, lambda s: s > 50),
    "duration < '40s'": lambda f: seconds(f, lambda s: s < 40),
    "cause == 'timeout' or state == 'running'": lambda f: f["cause"] == "timeout" or f["state"] == "r",
    "cause in ('exit_7', 'sigkill')": lambda f: f["cause"] in ("exit_7", "sigkill"),
    "state != 'failed' and not item > 30": lambda f: f["state"] != "f" and f["item"] <= 30,
    "message ~ '^exit_'": lambda f: f["cause"].startswith("exit_"),
    "exit_code == 22 and row.id < 50": lambda f: f["cause"] == "exit_22" and f["id"] < 50,
    "outcome.outcome == 'unknown'": lambda f: f["unknown"],
    "started >= '2026-11-23T18:28:41Z' and started < '2026-11-23T18:28:51Z'": lambda f: (
        f["state"] not in "qu" and 10 <= f["item"] < 20
    ),
}
SPANS = st.lists(
    st.tuples(st.integers(1, ROWS + 3), st.integers(0, 9)).map(lambda p: Span(p[0], p[0] + p[1])), max_size=4
).map(joined)


@given(data=st.data())
@settings(deadline=None)
def test_database_and_condition_find_what_a_reading_of_all_rows_finds(job, data):
    database, number, facts, groups = job
    names = [*CAUSES, *(f"{code}:{group}" for (code, _), group in groups.items())]
    selection = Selection(
        tuple(data.draw(st.lists(st.sampled_from(ItemState), unique=True, max_size=3))),
        tuple(data.draw(st.lists(st.sampled_from(names), unique=True, max_size=3))),
        data.draw(SPANS),
        data.draw(st.sampled_from(sorted(WHERES))),
        data.draw(st.booleans()),
    )
    wanted = brute_force(facts, selection, WHERES[selection.where])
    found = SelectedItems(database, number, selection, now=SUBMITTED_AT)
    assert list(found.numbers()) == wanted
    assert found.count() == len(wanted)
    after = data.draw(st.integers(0, ROWS))
    assert [item for page in found.pages(after, 7) for item in page] == [item for item in wanted if item > after]
    assert found.choose(database) == len(wanted)
    chosen = database.execute(f"SELECT item FROM items WHERE job = ? AND {selected.CHOSEN} ORDER BY item", (number,))
    assert [item for (item,) in chosen] == wanted


def test_pages_are_joined_without_gaps_whatever_their_size(job, monkeypatch):
    database, number, facts, _ = job
    monkeypatch.setattr(selected, "PAGE", 3)
    for states in ((), (ItemState.FAILED,), (ItemState.RETRYING, ItemState.SUCCEEDED), tuple(ItemState)):
        found = SelectedItems(database, number, Selection(states), now=SUBMITTED_AT)
        assert list(found.numbers()) == brute_force(facts, Selection(states), lambda _: True)


@pytest.mark.parametrize(
    ("texts", "causes"),
    [
        (["timeout"], ("timeout",)),
        (["exit_7, TIMEOUT", "exit_7"], ("exit_7", "timeout")),
        (["exit_7:12"], ("exit_7:12",)),
    ],
)
def test_causes_are_words(texts, causes):
    assert parse_causes(texts) == causes


@pytest.mark.parametrize(
    ("text", "hint"),
    [("timout", "did you mean timeout?"), ("exit_", "it is one of exit_1 to exit_255"), ("exit_7:x", "it is one of")],
)
def test_a_word_that_is_no_cause_is_refused_with_what_there_is(text, hint):
    with pytest.raises(UsageError, match="--cause: there is no cause") as caught:
        parse_causes([text])
    assert hint in caught.value.hint


def test_states_that_have_no_cause_are_refused_with_a_cause():
    check_contradictions(Selection(CAUSED, ("timeout",)))
    check_contradictions(Selection((ItemState.SUCCEEDED,)))
    with pytest.raises(UsageError, match="items that are succeeded have no cause of failure") as caught:
        check_contradictions(Selection((ItemState.SUCCEEDED,), ("timeout",)))
    assert "--state failed,retrying" in caught.value.hint


def test_a_state_on_which_a_verb_cannot_act_is_refused():
    with pytest.raises(UsageError, match="--state running: retry acts on items that are failed, unprocessed"):
        refuse_states(
            Selection(parse_states(["running"])), (ItemState.FAILED, ItemState.UNPROCESSED), "retry", "leave it out"
        )


def test_items_are_named_in_one_place():
    assert with_items(Selection(), [range(3, 5), range(7, 8)], "42.3-4").items == (Span(3, 4), Span(7, 7))
    assert with_items(Selection(items=spans_of([1])), [], "42").items == (Span(1, 1),)
    with pytest.raises(UsageError, match=r"42\.17 names items, and so does --items 1-3"):
        with_items(Selection(items=parse_spans("1-3", "--items")), [range(17, 18)], "42.17")


def test_spans_are_spelled_as_they_are_read():
    assert spelled(parse_spans("500,1-100,101,1000-", "--items")) == "1-101,500,1000-"


def test_damaged_counters_hide_no_item(store):
    job = store.job("qtfs", state="running", started_at=1)
    store.database.execute("PRAGMA ignore_check_constraints = ON")
    store.database.execute("UPDATE jobs SET failed = 'many', cursor = 'x', total = 'y', retrying = 'z'")
    for state, item in (
        (ItemState.QUEUED, 1),
        (ItemState.RETRYING, 2),
        (ItemState.FAILED, 3),
        (ItemState.SUCCEEDED, 4),
    ):
        found = SelectedItems(store.database, job, Selection((state,), where="item > 0"), now=SUBMITTED_AT)
        assert list(found.numbers()) == [item]
