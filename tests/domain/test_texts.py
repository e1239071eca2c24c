"""A name is nothing that commands read as a number, an item, an option or the newest job."""

from __future__ import annotations

import pytest

from jobctl.domain.texts import check_job_name, name_of_file, other_meaning
from jobctl.errors import UsageError


@pytest.mark.parametrize(
    ("name", "means"),
    [
        ("last", "the newest job"),
        ("12", "the number of a job"),
        ("0", "the number of a job"),
        ("20261126", "the number of a job"),
        ("1,2", "the numbers of jobs"),
        ("1-3", "the numbers of jobs"),
        ("2026-11", "the numbers of jobs"),
        ("1,3,5-8", "the numbers of jobs"),
        ("1.5", "items of a job"),
        ("last.3", "items of a job"),
        ("42.1-5,9", "items of a job"),
        ("--", "an option"),
        ("-", "an option"),
        ("-n", "an option"),
        ("--help", "an option"),
        ("nightly:any", "a job with the condition :any of --after"),
        ("nightly:ok", "a job with the condition :ok of --after"),
    ],
)
def test_a_word_that_commands_read_otherwise_is_not_a_name(name, means):
    assert other_meaning(name) == means
    with pytest.raises(UsageError, match="cannot be a name: as a JOB it means") as found:
        check_job_name(name)
    suggested = str(found.value.hint).split()[-1]
    check_job_name(suggested)


@pytest.mark.parametrize(
    "name",
    [
        "nightly",
        "2026-11-26",
        "v1.5",
        "release-1.2",
        "Last",
        "lasts",
        "1a",
        "a,b",
        "12.csv",
        "١٢",
        "größe",
        "a b",
        "x:y",
    ],
)
def test_a_name_stays_a_name(name):
    check_job_name(name)


@pytest.mark.parametrize("name", ["", "  ", "a\nb", "\x1b[2J", "x" * 201])
def test_a_name_can_be_printed_and_read(name):
    with pytest.raises(UsageError, match="is not a name"):
        check_job_name(name)


@pytest.mark.parametrize(
    ("stem", "file", "called"),
    [
        ("orders", "orders.csv", "orders"),
        ("12", "12.csv", "12.csv"),
        ("last", "last.csv", "last.csv"),
        ("1,2", "1,2.txt", "1,2.txt"),
        ("-", "-.csv", "job-7"),
        ("last", "last", "job-7"),
        ("1.5", "1.5", "job-7"),
        ("", ".csv", ".csv"),
        ("", "", "job-7"),
    ],
)
def test_a_job_without_a_name_has_one_that_names_it(stem, file, called):
    assert name_of_file(stem, file, 7) == called
    assert not other_meaning(called)
