"""The words that people type for jobs and items."""

from __future__ import annotations

import pytest

from jobctl.errors import NotFound, UsageError
from jobctl.services.control.targets import Target, expand_ranges, resolve, resolve_job, resolve_jobs


@pytest.fixture
def database(store):
    for name in ("nightly", "thumbs", "nightly", "v1.2", "7"):
        store.job("q" * 20, name=name)
    return store.database


@pytest.mark.parametrize(
    ("text", "targets"),
    [
        ("3", [Target(3)]),
        ("last", [Target(5)]),
        ("nightly", [Target(3)]),  # the newest of that name
        ("1,3-5", [Target(1), Target(3), Target(4), Target(5)]),
        ("4-9", [Target(4), Target(5)]),  # what there is of a range
        ("3.17", [Target(3, 17)]),
        ("3.1-5,9", [Target(3, 1, 5), Target(3, 9)]),
        ("last.2", [Target(5, 2)]),
        ("nightly.20", [Target(3, 20)]),
        ("v1.2", [Target(4)]),  # a name that looks like an item
        ("v1.2.3", [Target(4, 3)]),
        ("3.5-5", [Target(3, 5)]),
    ],
)
def test_words_name_jobs_and_items(database, text, targets):
    assert resolve(database, [text]) == targets


def test_digits_that_are_not_the_number_of_a_job_may_be_a_name(database, store):
    store.job("q" * 3, name="20261126")
    assert resolve(database, ["20261126"]) == [Target(6)]
    assert resolve(database, ["20261126.2"]) == [Target(6, 2)]


def test_a_job_named_twice_is_one_target(database):
    assert resolve(database, ["3", "nightly", "2-3"]) == [Target(3), Target(2)]


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("99", "no job 99; the newest is 5", "jobctl status --all"),
        ("90-95", "no job 90-95", "jobctl status --all"),
        ("nigthly", "no job called 'nigthly'", "did you mean nightly?"),
        ("3.21", "job 3 has 20 items, there is no item 21", "jobctl items 3"),
        ("3.0", "there is no item 0", "jobctl items 3"),
        ("3.15-30", "there is no item 30", "jobctl items 3"),
        ("99.1", "no job 99", "jobctl status --all"),
        ("3.x", "'3.x' names no item of job 3", "3.17, 3.1-5,9"),
        ("no such thing", "no job called", "a number, a name or last"),
    ],
)
def test_the_error_for_a_missing_job_names_existing_jobs(database, text, message, hint):
    with pytest.raises(NotFound) as caught:
        resolve(database, [text])
    assert message in caught.value.message
    assert hint in caught.value.hint


@pytest.mark.parametrize("text", ["5-3", "3.5-3", "1-99999", "1,2.3"])
def test_an_impossible_cluster_is_refused(database, text):
    with pytest.raises(UsageError):
        resolve(database, [text])


def test_one_job_and_several_jobs(database):
    assert resolve_job(database, "thumbs") == 2
    assert resolve_jobs(database, ["2", "nightly"]) == [2, 3]
    for text in ("1,2", "2.1"):
        with pytest.raises(UsageError):
            resolve_job(database, text)
    with pytest.raises(UsageError):
        resolve_jobs(database, ["2.1"])


def test_ranges_are_written_out_within_reason(database):
    assert expand_ranges([Target(3, 1, 3), Target(4)]) == [Target(3, 1), Target(3, 2), Target(3, 3), Target(4)]
    with pytest.raises(UsageError, match="at once"):
        expand_ranges([Target(3, 1, 10_001)])


def test_an_empty_store_says_how_to_begin(store):
    with pytest.raises(NotFound, match="there are no jobs") as caught:
        resolve(store.database, ["last"])
    assert "jobctl submit" in caught.value.hint
