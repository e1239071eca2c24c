"""The messages that become one cause: few values stay apart, values that differ each time do not."""

import random

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from jobctl.config import Home
from jobctl.store import failures
from jobctl.store.group import Message
from jobctl.store.groups import FailureGroups
from tests.factories import SUBMITTED_AT, JobMaker, open_new


class Job:
    """A job whose items fail one after the other with given messages."""

    def __init__(self, database, size, rows=None):
        self.database = database
        self.number = JobMaker(database).job("r" * size, handler="command")
        for item, row in enumerate(rows or (), 1):
            database.execute("UPDATE items SET payload = ? WHERE item = ?", (row.encode(), item))
        self.rows = rows or [""] * size
        self.groups = FailureGroups(database, self.number)
        self.failed = 0

    def fail(self, message, head="", code="exit_1"):
        """The next item fails."""
        self.failed += 1
        item = self.failed
        with self.database.transaction():
            told = Message(message, head, item, cells=lambda n: frozenset((self.rows[n - 1], str(n))), code=code)
            group = self.groups.find(told, retryable=True, now=SUBMITTED_AT + item)
            group.add_attempt(item)
            group.add_item(item)
            self.groups.save({group.id}, SUBMITTED_AT + item)
            self.database.execute("UPDATE items SET state = 4, failure = ? WHERE item = ?", (group.id, item))

    def restart(self):
        """Another engine takes over."""
        self.groups = FailureGroups(self.database, self.number)

    def causes(self):
        """Message -> items, after a check that the counters are what the items say."""
        found = self.database.execute("SELECT id, message, items, attempts, samples FROM failures").fetchall()
        counted = self.database.execute("SELECT failure, count(*) FROM items WHERE state = 4 GROUP BY failure")
        assert {row[0]: row[2] for row in found} == dict(counted.fetchall())
        assert sum(row[3] for row in found) == self.failed
        assert len(found) <= failures.GROUP_LIMIT + 2
        return {row[1]: row[2] for row in found}


@pytest.fixture
def database(tmp_path):
    opened = open_new(Home(tmp_path / "home"))
    yield opened
    opened.close()


def causes(database, messages, rows=None):
    job = Job(database, len(messages), rows)
    for message in messages:
        job.fail(message)
    return job.causes()


CURL = "curl: (22) The requested URL returned error: {}"

#: Values that are few and tell causes apart, each with 100 items and as often with one.
APART = [
    [CURL.format(n) for n in (404, 429, 500, 503)],
    [f"[Errno {n}] failed" for n in (2, 13, 28)],
    [f"worker was killed by signal {n}" for n in (9, 11, 15)],
    [f"child exited with status {n}" for n in range(1, 12)],
    [f"ERROR {n} (28000): Access denied" for n in (1044, 1045, 1049)],
    [f"query failed: SQLSTATE[{n}]" for n in ("42S02", "23000", "08006")],
    [f"error[E0{n}]: does not compile" for n in (502, 308, 382, 425)],
    [f"ORA-0{n}: statement failed" for n in ("0942", "1017", "1400")],
    [f"HTTP/1.1 {n} answered" for n in (404, 429, 500, 503)],
    [f"{n} Service trouble" for n in (500, 502, 503)],
    [f"requests.exceptions.HTTPError: {n} Server Error: Bad for url: <url>" for n in (500, 502, 503)],
    [f"mail refused: 550 {n} no" for n in ("5.1.1", "5.7.1", "5.2.2")],
    [f"KeyError: '{name}'" for name in ("price", "name", "date")],
    [f"No module named '{name}'" for name in ("numpy", "pandas")],
    [f"rsync: connection unexpectedly closed (code {n})" for n in (12, 23, 30)],
    [f"grpc error code = {n}" for n in (4, 8, 14)],
    [f"expected {n} columns" for n in (3, 4)],
]


@pytest.mark.parametrize("messages", APART)
@pytest.mark.parametrize("times", [1, 30])
def test_few_values_stay_apart(database, messages, times):
    assert causes(database, messages * times) == dict.fromkeys(messages, times)


def test_a_status_stays_apart_even_if_the_row_holds_it(database):
    rows = ["404", "429", "500", "503"] * 5
    found = causes(database, [CURL.format(row) for row in rows], rows)
    assert found == {CURL.format(row): 5 for row in rows}


#: Messages that differ in each item, and the one cause that they are.
ALIKE = [
    ("KeyError: 'user_{}'", "KeyError: <text>"),
    ("invoice {} has no customer", "invoice <n> has no customer"),
    ("node{}: not reachable", "node<n>: not reachable"),
    ("row {}: bad cell", "row <n>: bad cell"),
    ("took {}.5s, too long", "took <n>s, too long"),
    ("cannot stat '/data/{}.csv'", "cannot stat <text>"),
    ("cannot stat /data/{}.csv", "cannot stat <path>"),
    ("INV-{} is unknown", "INV-<n> is unknown"),
    ("no mailbox bob{}@mail.example", "no mailbox <email>"),
    ("failed at 2026-01-02T03:04:05.{}Z", "failed at <time>"),
    ("KeyError: 'user_{0}' in shard {0}", "KeyError: <text> in shard <n>"),
    ("error {}: strange", "error <n>: strange"),  # a code, but there are not that many codes
]


@pytest.mark.parametrize(("message", "cause"), ALIKE)
def test_values_that_differ_each_time_are_masked(database, message, cause):
    assert causes(database, [message.format(n) for n in range(100, 200)]) == {cause: 100}


def test_two_values_are_enough_if_they_come_from_the_rows(database):
    rows = ["user_1", "user_2", "x/user_3.txt"]
    found = causes(database, ["KeyError: 'user_1'", "KeyError: 'user_2'", "KeyError: 'user_3'"], rows)
    assert found == {"KeyError: <text>": 3}


def test_one_value_is_shown_as_it_is(database):
    assert causes(database, ["KeyError: 'price'"] * 9) == {"KeyError: 'price'": 9}


def test_a_frequent_value_stays_when_its_place_proves_to_vary(database):
    messages = ["no such host: 'db'"] * 40 + [f"no such host: 'w{n}'" for n in range(50)] + ["no such host: 'db'"] * 10
    assert causes(database, messages) == {"no such host: 'db'": 50, "no such host: <text>": 50}


def test_a_code_is_one_cause_whatever_its_message_says(database):
    job = Job(database, 60)
    for n in range(20):
        for code in ("rate_limit_exceeded", "insufficient_quota", "invalid_api_key"):
            job.fail(f"{code}: not for org '{n}' and domain{n}.example", head=code)
            if n % 7 == 3:
                job.restart()
    assert sorted(job.causes().values()) == [20, 20, 20]
    assert {message.partition(":")[0] for message in job.causes()} == {
        "rate_limit_exceeded",
        "insufficient_quota",
        "invalid_api_key",
    }


def test_the_order_of_messages_does_not_matter_where_none_is_frequent(database):
    messages = [f"KeyError: 'u{n}'" for n in range(30)] + [CURL.format(404)] * 9 + [f"x{n % 2}: no" for n in range(9)]
    found = set()
    for seed in range(4):
        random.Random(seed).shuffle(messages)
        database.execute("DELETE FROM failures")
        database.execute("DELETE FROM items")
        found.add(tuple(sorted(causes(database, messages).items())))
    assert len(found) == 1


def test_distinct_messages_without_end_stay_within_the_limit(database, monkeypatch):
    monkeypatch.setattr(failures, "GROUP_LIMIT", 5)
    letters = ["".join(random.Random(n).choices("abcdefgh", k=9)) for n in range(60)]
    found = causes(database, [f"{word} broke" for word in letters] + ["KeyError: 'a'", "KeyError: 'b'"])
    assert found.pop(failures.FURTHER) == 57
    assert len(found) == 5


def test_at_the_limit_a_new_value_joins_its_like(database, monkeypatch):
    monkeypatch.setattr(failures, "GROUP_LIMIT", 2)
    assert causes(database, ["KeyError: 'a'", "boom", "KeyError: 'b'", "KeyError: 'c'"]) == {
        "KeyError: <text>": 3,
        "boom": 1,
    }


def test_groups_of_an_earlier_round_are_not_merged(database):
    """Items that were taken back to work name them without being among their examples."""
    job = Job(database, 40)
    for n in range(7):
        job.fail(f"KeyError: 'a{n}'")
    database.execute("UPDATE jobs SET round = 2, round_at = ?", (SUBMITTED_AT + 100,))
    database.execute("UPDATE items SET state = 1 WHERE item <= 3")
    failures.subtract(database, job.number, [(n, 1) for n in (1, 2, 3)])
    job.restart()
    job.failed = 120
    job.groups.find(Message("KeyError: 'z'", item=20, code="exit_1"), retryable=True, now=SUBMITTED_AT + 200)
    assert database.scalar("SELECT count(*) FROM failures") == 8
    assert job.groups.get(1) is not None


#: Messages of a few shapes whose values come from small and large sets.
_MESSAGES = st.one_of(
    st.builds("KeyError: 'k{}'".format, st.integers(0, 30)),
    st.builds("node{}: code {}".format, st.integers(1, 6), st.integers(1, 60)),
    st.builds("{} of '{}'".format, st.sampled_from(["bad", "no use"]), st.sampled_from("abc")),
    st.builds("x <n> {} <text> 'y{}'".format, st.integers(0, 4), st.integers(0, 20)),
    st.text(alphabet="ab'1<n> ", max_size=12),
)


@settings(
    max_examples=25,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.lists(_MESSAGES, max_size=60), st.sets(st.integers(0, 60), max_size=4))
def test_counters_hold_and_a_restart_changes_nothing(database, messages, restarts):
    found = []
    for with_restarts in (False, True):
        for table in ("failures", "items", "attempts", "jobs"):
            database.execute(f"DELETE FROM {table}")
        job = Job(database, len(messages) or 1)
        for place, message in enumerate(messages):
            if with_restarts and place in restarts:
                job.restart()
            job.fail(message)
        found.append(job.causes())
    assert found[0] == found[1]
