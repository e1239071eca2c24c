"""The rows that a submission rejects, as data, and the name of an input at its origin."""

from __future__ import annotations

import io
import os
from contextlib import closing

import pytest

from jobctl.config import Home
from jobctl.services.submit.request import SubmitRequest
from jobctl.services.submit.submit import submit
from jobctl.sources.options import InputOptions
from jobctl.sources.problems import PROBLEMS_SHOWN, RowsRejected
from jobctl.store import jobs
from jobctl.store.opening.open import open_database

NOW = 1_795_458_600_000_000


def give(tmp_path, text, called=None, name="in.csv", **options):
    path = tmp_path / name
    path.write_bytes(text)
    request = SubmitRequest(
        input=InputOptions(str(path), called=called), command=("echo", "{id}"), cwd=str(tmp_path), **options
    )
    return submit(Home(tmp_path / "home"), request, now=NOW, stdin=io.BytesIO())


def test_rejected_rows_have_their_places_as_data(tmp_path):
    bad = b"".join(b"%d\n" % number for number in range(1, 31))
    with pytest.raises(RowsRejected) as caught:
        give(tmp_path, b"id,name\n1,a\n" + bad)
    problems = caught.value.problems
    assert problems.total == 30
    assert len(problems.described) == PROBLEMS_SHOWN
    first = problems.described[0]
    assert (first.line, first.record) == (3, 2)
    assert caught.value.details[0] == first.sentence()
    assert caught.value.details[PROBLEMS_SHOWN] == "... and 10 more"


def test_damage_is_described_last(tmp_path):
    with pytest.raises(RowsRejected) as caught:
        give(tmp_path, b'id,name\n1\n2,"open')
    problems = caught.value.problems
    assert [problem.sentence() for problem in problems.described] == list(caught.value.details)
    assert problems.described[-1] is problems.damage


def test_doubled_keys_are_problems_of_their_second_rows(tmp_path):
    with pytest.raises(RowsRejected) as caught:
        give(tmp_path, b"id,name\na,1\nb,2\na,3\n", item_key="id")
    (problem,) = caught.value.problems.described
    assert (problem.record, problem.column, problem.code) == (3, "id", "doubled_key")
    assert caught.value.details == (problem.message,)
    assert "line 2 and line 4" in problem.message


def test_an_input_is_called_as_at_its_origin(tmp_path):
    accepted = give(tmp_path, b'{"id": 1}\n', called="orders.jsonl", name="copy")
    assert accepted.name == "orders"
    with closing(open_database(Home(tmp_path / "home"))) as database:
        row = jobs.load(database, accepted.job)
    assert (row.input_path, row.input_format) == ("orders.jsonl", "jsonl")
    with pytest.raises(RowsRejected, match=r"orders\.csv: 1 problem"):
        give(tmp_path, b"id,name\n1\n", called="orders.csv", name="copy")


def test_a_copy_that_is_only_open_has_all_that_a_file_has(tmp_path):
    """The places of doubled keys need a second reading."""
    (tmp_path / "in.csv").write_bytes(b"id\na\na\n")
    with open(tmp_path / "in.csv", "rb") as file:
        os.unlink(tmp_path / "in.csv")
        options = InputOptions(f"/dev/fd/{file.fileno()}", called="orders.csv")
        request = SubmitRequest(input=options, command=("echo", "{id}"), cwd=str(tmp_path), item_key="id")
        with pytest.raises(RowsRejected, match=r"orders\.csv: 1 row has") as caught:
            submit(Home(tmp_path / "home"), request, now=NOW, stdin=io.BytesIO())
    assert "line 2 and line 3" in caught.value.details[0]
