"""The list of jobs: conditions, orders, the cut, and the cost."""

from __future__ import annotations

import fnmatch
import json

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, given, settings

from jobctl.domain.job_filter import SORTS, JobFilter, JobList, exactly, parse_sort, parse_states
from jobctl.domain.states import TERMINAL_JOB_STATES, JobState
from jobctl.errors import UsageError
from jobctl.services.status.document import FINISHED_IN_LIST, list_document
from jobctl.store.views import job_list
from tests.factories import SECOND, SUBMITTED_AT

NOW = SUBMITTED_AT + 100_000 * SECOND
HOUR_US = 3600 * SECOND


def ended(store, state="succeeded", at=0, **values):
    letters = {"succeeded": "ss", "partial": "sf", "failed": "ff", "cancelled": "uu", "expired": "uu"}[state]
    when = SUBMITTED_AT + at * SECOND
    return store.job(letters, state=state, submitted_at=when, started_at=when, finished_at=when + SECOND, **values)


@pytest.fixture
def mixed(store):
    """Jobs of several states, names, labels and queues, an hour apart."""
    ended(store, "succeeded", 0, name="nightly-1", labels=json.dumps({"team": "a", "env": "prod"}))
    ended(store, "failed", 3600, name="nightly-2", queue="mail", labels=json.dumps({"team": "a"}))
    ended(store, "partial", 7200, name="hourly", queue="mail")
    store.job("qqq", name="nightly-3", submitted_at=SUBMITTED_AT + 10_800 * SECOND, priority=5)
    store.job("rq", name="[odd]", state="running", submitted_at=SUBMITTED_AT + 14_400 * SECOND, labels="not JSON")
    return store


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (JobFilter(), [1, 2, 3, 4, 5]),
        (JobFilter(states=("failed", "partial")), [2, 3]),
        (JobFilter(name="nightly-*"), [1, 2, 4]),
        (JobFilter(name="*ly"), [3]),
        (JobFilter(name="nightly-[!12]"), [4]),
        (JobFilter(name="nightly-?"), [1, 2, 4]),
        (JobFilter(name="[[]odd]"), [5]),
        (JobFilter(name="NIGHTLY-*"), []),
        (JobFilter(labels=(("team", "a"),)), [1, 2]),
        (JobFilter(labels=(("team", "a"), ("env", "prod"))), [1]),
        (JobFilter(queue="mail"), [2, 3]),
        (JobFilter(since_us=NOW - SUBMITTED_AT - 7200 * SECOND), [3, 4, 5]),
        (JobFilter(states=("queued",), name="n*", queue="default"), [4]),
    ],
    ids=str,
)
def test_conditions(mixed, wanted, expected):
    assert job_list.numbers(mixed.database, wanted, NOW) == expected
    assert job_list.count(mixed.database, wanted, NOW) == len(expected)
    shown = job_list.select(mixed.database, JobList(wanted), NOW, finished=20)
    assert [job.id for job in shown] == expected[::-1]


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ("submitted", [5, 4, 3, 2, 1]),
        ("-submitted", [1, 2, 3, 4, 5]),
        ("finished", [3, 2, 1, 5, 4]),
        ("-finished", [1, 2, 3, 4, 5]),
        ("name", [5, 3, 1, 2, 4]),
        ("failed", [2, 3, 5, 4, 1]),
        ("state", [5, 4, 2, 3, 1]),
        ("items", [4, 5, 3, 2, 1]),
        ("priority", [4, 5, 3, 2, 1]),
        ("progress", [3, 2, 1, 5, 4]),
    ],
)
def test_orders(mixed, order, expected):
    key, reverse = parse_sort(order)
    shown = job_list.select(mixed.database, JobList(sort=key, reverse=reverse), NOW, finished=20)
    assert [job.id for job in shown] == expected


def test_the_order_by_eta_has_the_soonest_first_and_jobs_without_one_last(store):
    ended(store)
    slow = store.job("q" * 50, rate_per_s=1.0, state="running", started_at=1)
    fast = store.job("q" * 90, rate_per_s=9.0, state="running", started_at=1)
    waits = store.job("q")
    orders = [
        [job.id for job in job_list.select(store.database, JobList(sort="eta", reverse=reverse), NOW, finished=9)]
        for reverse in (False, True)
    ]
    assert orders == [[fast, slow, waits, 1], [slow, fast, 1, waits]]


def test_every_order_is_one_of_the_store(store):
    store.job("q")
    for key in SORTS:
        for reverse in (False, True):
            assert len(job_list.select(store.database, JobList(sort=key, reverse=reverse), NOW, finished=9)) == 1


def test_the_first_of_an_order_are_of_all_jobs_and_not_of_the_newest(store):
    worst = ended(store, "failed", failed=2)
    for n in range(FINISHED_IN_LIST + 5):
        ended(store, "succeeded", n)
    shown = job_list.select(store.database, JobList(sort="failed"), NOW, finished=FINISHED_IN_LIST)
    assert shown[0].id == worst and len(shown) == FINISHED_IN_LIST


def test_a_list_that_is_cut_says_how_many_more_and_which_command_shows_them(store, home):
    for n in range(FINISHED_IN_LIST + 5):
        ended(store, "failed" if n % 5 else "succeeded", n, name="night run")
    live = store.job("q")
    document = list_document(store.database, home, NOW)
    assert document["more"] == {"jobs": 5, "command": "jobctl status --all"}
    assert document["jobs_selected"] == document["jobs_total"] == FINISHED_IN_LIST + 6
    assert document["jobs"][0]["job"] == live
    wanted = JobFilter(states=("failed",), name="night *", since_us=NOW, since_text="2 h")
    cut = list_document(store.database, home, NOW, JobList(wanted, "name", True, limit=3), program="jobctl --home /q")
    assert cut["jobs_selected"] == FINISHED_IN_LIST and len(cut["jobs"]) == 3
    assert cut["more"] == {
        "jobs": FINISHED_IN_LIST - 3,
        "command": "jobctl --home /q status --state failed --name 'night *' --since '2 h' --sort=-name --all",
    }
    everything = list_document(store.database, home, NOW, JobList(wanted, everything=True))
    assert everything["more"] is None and len(everything["jobs"]) == FINISHED_IN_LIST


_STATES = st.sampled_from([str(state) for state in JobState])
_JOBS = st.lists(
    st.tuples(_STATES, st.sampled_from(["a", "ab", "b-1", "B", "日"]), st.sampled_from(["q", "r"]), st.booleans()),
    max_size=12,
)
_FILTERS = st.builds(
    JobFilter,
    st.lists(_STATES, max_size=3, unique=True).map(tuple),
    st.none() | st.sampled_from(["a*", "*", "?", "[a-b]*", "[!a]*", "B"]),
    st.sampled_from([(), (("team", "x"),)]),
    st.none() | st.just("q"),
    st.none() | st.integers(0, 12).map(lambda hours: hours * HOUR_US),
    owner=st.none(),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(_JOBS, _FILTERS)
def test_the_statement_agrees_with_a_reading_of_every_job(store, jobs, wanted):
    with store.database.transaction():
        store.database.execute("DELETE FROM jobs")
    rows = {}
    for n, (state, name, queue, labelled) in enumerate(jobs):
        at, done = NOW - n * HOUR_US, state in TERMINAL_JOB_STATES
        labels = {"team": "x"} if labelled else {}
        times = {"submitted_at": at, "finished_at": at if done else None, "labels": json.dumps(labels)}
        number = store.counted_job({"queued": 0}, state=state, name=name, queue=queue, **times)
        rows[number] = (state, name, queue, labels, at)
    expected = [
        number
        for number, (state, name, queue, labels, at) in rows.items()
        if (not wanted.states or state in wanted.states)
        and (wanted.name is None or fnmatch.fnmatchcase(name, wanted.name))
        and all(labels.get(key) == value for key, value in wanted.labels)
        and (wanted.queue is None or queue == wanted.queue)
        and (wanted.since_us is None or at >= NOW - wanted.since_us)
    ]
    assert job_list.numbers(store.database, wanted, NOW) == expected


@pytest.mark.parametrize(
    "wanted", [JobFilter(states=("failed",)), JobFilter(queue="mail"), JobFilter(labels=(("a", "b"),)), JobFilter()]
)
def test_a_count_reads_no_whole_row(store, wanted):
    where, values = job_list._conditions(wanted, NOW)
    plan = store.database.execute(f"EXPLAIN QUERY PLAN SELECT count(*) FROM jobs WHERE {where}", values)
    assert all("COVERING INDEX" in row[3] for row in plan if " jobs" in row[3])


@pytest.mark.parametrize("text", ["", "done", "failed,", "faild"])
def test_a_state_that_does_not_exist(text):
    with pytest.raises(UsageError) as error:
        parse_states([text])
    assert "--state" in error.value.message and "succeeded" in str(error.value.hint)


@pytest.mark.parametrize("name", ["a*", "[x]", "a?b", "plain", "]", "[!a]", "^"])
def test_a_pattern_for_exactly_one_name(store, name):
    store.job("q", name=name)
    for other in ("ab", "x", "axb", "a", "b"):
        store.job("q", name=other)
    assert job_list.numbers(store.database, JobFilter(name=exactly(name)), NOW) == [1]


def test_a_state_without_an_effect_is_refused_with_those_that_have_one():
    with pytest.raises(UsageError) as error:
        parse_states(["failed"], ("queued", "running"), "cancel")
    assert error.value.message == "--state: cancel has no effect on a job that is failed"
    assert error.value.hint == "it acts on jobs that are queued, running"


def test_the_words_of_a_filter_make_it_again(mixed, jobctl):
    words = JobFilter(("failed", "partial"), "night*", (("team", "a"),), "mail", 1, "2020-01-01").words
    done = jobctl("status", *words)
    assert done.code == 0
    assert [line.split("\t")[0] for line in done.out.splitlines()[1:]] == ["2"]


def test_a_cut_list_in_a_pipe_and_one_without_a_job(mixed, jobctl):
    done = jobctl("status", "--state", "failed,partial", "--limit", "1")
    assert [line.split("\t")[0] for line in done.out.splitlines()[1:]] == ["3"]
    assert "1 more job: jobctl status --state failed,partial --all" in done.err
    assert "more" not in jobctl("status", "--limit", "1", "-q").err
    assert len(jobctl("status", "--limit", "9" * 30).out.splitlines()) == 6
    none = jobctl("status", "--name", "nosuch*")
    assert none.code == 0 and "none of the 5 jobs is selected" in none.err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["1", "--state", "failed"], "JOB and --state at once"),
        (["1", "--sort", "name"], "JOB and --sort at once"),
        (["--sort", "nme"], "did you mean name?"),
        (["--limit", "0"], "--limit: 0 is less than 1"),
        (["--limit", "x"], "--limit: 'x' is not a whole number"),
        (["--since", "tomorrow"], "--since: 'tomorrow' is in the future"),
        (["--label", "team"], "--label: 'team' is not NAME=VALUE"),
        (["--name", "a\nb"], "--name: a pattern has"),
    ],
)
def test_mistakes(mixed, jobctl, words, message):
    done = jobctl("status", *words)
    assert done.code == 2
    assert message in done.err
