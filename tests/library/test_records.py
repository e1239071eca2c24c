"""Records: the keys of documents are attributes as well, at run time as for type checkers."""

from __future__ import annotations

import copy
import doctest
import json
import pickle
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from jobctl.library import documents, records
from jobctl.library.records import Record, wrap

ROOT = Path(__file__).parents[2]
STATUS: dict[str, Any] = {
    "schema": "jobctl.status/1",
    "job": 42,
    "name": "batch",
    "labels": {"items": "of a user"},
    "counts": {"total": 3, "failed": 1},
    "retry": {"available": True, "items": 1, "command": "jobctl retry 42"},
    "failures": {"groups": [{"code": "timeout", "count": 1}], "groups_total": 1},
    "input": {"path": "rows.csv", "columns": ["id"], "selection": None},
    "throughput": None,
}


def test_keys_are_attributes_at_every_depth() -> None:
    status = wrap(STATUS, documents.StatusDocument)
    assert status.counts.failed == status["counts"]["failed"] == 1
    assert status.failures.groups[0].code == "timeout"
    assert status.throughput is None
    assert type(status.failures.groups[0]) is documents.CauseBlock


def test_the_document_itself_stays_as_it_is() -> None:
    before = copy.deepcopy(STATUS)
    wrap(STATUS, documents.StatusDocument)
    assert before == STATUS
    assert type(STATUS["counts"]) is dict


def test_a_record_is_written_pickled_and_copied_as_a_dictionary() -> None:
    status = wrap(STATUS, documents.StatusDocument)
    assert status == STATUS
    assert json.loads(json.dumps(status)) == STATUS
    for same in (pickle.loads(pickle.dumps(status)), copy.deepcopy(status), copy.copy(status)):
        assert same == STATUS
        assert same.counts.failed == 1


def test_a_key_that_is_a_method_of_a_dictionary_is_read_with_brackets() -> None:
    retry = wrap(STATUS, documents.StatusDocument).retry
    assert retry["items"] == 1
    assert dict(retry.items())["command"] == "jobctl retry 42"


def test_values_that_users_have_named_stay_plain() -> None:
    item = wrap({"job": 1, "item": 2, "row": {"id": {"a": 1}}, "result": [{}]}, documents.ItemBlock)
    assert type(item.row) is dict
    assert type(item.row["id"]) is dict
    assert type(item.result[0]) is dict
    assert type(wrap(STATUS, documents.StatusDocument).labels) is dict


def test_a_key_that_only_some_documents_have_is_none() -> None:
    status = wrap(STATUS, documents.StatusDocument)
    assert status.undo is None
    with pytest.raises(KeyError):
        status["undo"]


def test_an_unknown_attribute_is_an_error_that_names_the_near_one() -> None:
    counts = wrap(STATUS, documents.StatusDocument).counts
    with pytest.raises(AttributeError, match=r"CountsBlock has no key fialed; did you mean failed\?"):
        counts.fialed  # noqa: B018
    with pytest.raises(AttributeError):
        counts.failed = 2


def test_a_record_lists_its_keys_and_shows_itself_in_one_short_line() -> None:
    status = wrap(STATUS | {"name": "x" * 1_000_000}, documents.StatusDocument)
    assert {"counts", "job", "items", "keys"} <= set(dir(status))
    assert repr(status.counts) == "CountsBlock(total=3, failed=1)"
    assert repr(status).startswith("StatusDocument(job=42, name='xxxx")
    assert repr(status).endswith(", ...)")
    assert len(repr(status)) < 250


def test_of_several_classes_the_one_that_fits_is_taken() -> None:
    class Ended(Record):
        state: str
        counts: str

    class Began(Record):
        state: str

    class Event(Record):
        _blocks = {"data": (Ended, Began)}  # noqa: RUF012
        data: Ended | Began

    assert type(wrap({"data": {"state": "running"}}, Event).data) is Began
    assert type(wrap({"data": {"state": "failed", "counts": ""}}, Event).data) is Ended


def test_the_example_of_the_module_is_true() -> None:
    assert doctest.testmod(records).failed == 0


def test_every_attribute_of_a_class_is_free_in_its_class() -> None:
    for kind in vars(documents).values():
        if isinstance(kind, type) and issubclass(kind, Record):
            assert not (set(kind.__annotations__) - {"_blocks", "_optional"}) & set(dir(Record)), kind


PROGRAM = """
import jobctl
from jobctl.library.documents import ItemsDocument, StatusDocument

def use(status: StatusDocument, page: ItemsDocument) -> None:
    failed: int = status.counts.failed
    left: int = status.retry["items"]
    code: str = status.failures.groups[0].code
    state: str | None = page["items"][0].message
    print(failed, left, code, state)
    wrong: str = status.counts.failed  # error: assignment
    status.counts.fialed  # error: attr-defined
    status.retry.items + 1  # error: operator
    status.undo.available  # error: union-attr
    status.state == "finished"  # error: comparison-overlap

def submit(store: jobctl.Store) -> int:
    job = store.submit("batch.csv", command=["true"], slots=4, timeout="10m")
    for item in job.items(cause="timeout"):
        print(item.exit_code, item.row["id"])
    for event in job.events():
        print(event.type)
    store.submit("batch.csv", slotz=4)  # error: call-overload
    return job.wait(timeout=60).counts.failed

async def wait(store: jobctl.AsyncStore) -> int:
    job = await store.submit("batch.csv", call="score:score")
    async for item in job.items(state="failed"):
        print(item.exit_code)
    async for event in job.events():
        print(event.type)
    status = await job.wait()
    job.status().counts  # error: attr-defined
    return status.counts.failed
"""


@pytest.mark.slow
def test_a_type_checker_knows_the_keys(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    command = [sys.executable, "-m", "mypy", "--config-file", str(ROOT / "pyproject.toml"), str(program)]
    out = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=100).stdout
    errors = re.findall(r"(?m)^[^:]+:(\d+): error: .*\[([a-z-]+)\]$", out)
    found = {int(line): code for line, code in errors}
    lines = enumerate(PROGRAM.splitlines(), start=1)
    assert found == {at: line.partition("# error: ")[2] for at, line in lines if "# error: " in line}, out
