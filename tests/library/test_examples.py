"""The examples in the docstrings run, against a job that has run."""

from __future__ import annotations

import doctest
import inspect
from pathlib import Path

import pytest

import jobctl
from jobctl.library import job, job_reading, result_file, store
from tests.library.conftest import COMMAND, ROWS


@pytest.fixture(scope="module")
def names(tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    place = jobctl.Store(tmp_path_factory.mktemp("examples") / "state")
    return {"jobctl": jobctl, "store": place, "job": place.run(rows=ROWS, command=COMMAND, attempts=1, name="two")}


def examples() -> list[doctest.DocTest]:
    finder = doctest.DocTestFinder(exclude_empty=True)
    kinds = [
        (jobctl.ResultFile, result_file),
        (job_reading.JobReading, job_reading),
        (jobctl.Job, job),
        (jobctl.Store, store),
    ]
    found = [
        test for kind, module in kinds for test in finder.find(kind, kind.__name__, module=module) if test.examples
    ]
    return sorted(found, key=lambda test: test.name == "Job.retry")  # the others need a job that is done


@pytest.mark.parametrize("example", examples(), ids=lambda test: test.name)
def test_examples(
    example: doctest.DocTest, names: dict[str, object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("JOBCTL_HOME", str(tmp_path / "own"))  # of an example that makes a store
    example.globs = dict(names)
    written: list[str] = []
    result = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(example, out=written.append)
    assert not result.failed, "".join(written)


def test_there_are_examples() -> None:
    assert len(examples()) > 20
    assert inspect.getdoc(jobctl.Store.submit) is not None
