"""Handing out result files."""

from __future__ import annotations

import io
import json

import pytest

from jobctl.errors import HomeError, NotFound, UsageError
from jobctl.services.output.results import chosen, copy_out, result_files, stream_out


@pytest.fixture
def files(store, home):
    folder = home.job_results(1)
    folder.mkdir(parents=True)
    rows = {"succeeded": 2, "failed": 1, "unprocessed": 0}
    stored = {
        name: {"path": str(folder / f"{name}.csv"), "rows": count, "sha256": "00"} for name, count in rows.items()
    }
    for name in stored:
        (folder / f"{name}.csv").write_text(f"{name}\n" * 3)
    text = json.dumps({"dir": str(folder), "manifest": "", "files": stored})
    job = store.job("ssf", state="partial", started_at=1, finished_at=2, results=text)
    return result_files(store.database, job)


def test_all_files_or_some(files):
    assert [(file.kind, file.rows) for file in files] == [("succeeded", 2), ("failed", 1), ("unprocessed", 0)]
    assert [file.kind for file in chosen(files, ["failed"])] == ["failed"]
    assert chosen(files, []) == files


def test_a_copy_is_whole_or_not_there(files, tmp_path):
    target = tmp_path / "copy.csv"
    target.write_text("older")
    copy_out(files[1], target)
    assert target.read_text() == "failed\n" * 3
    assert [path.name for path in tmp_path.iterdir() if "tmp" in path.name] == []
    with pytest.raises(HomeError, match="cannot write"):
        copy_out(files[1], tmp_path / "no" / "such" / "place.csv")
    with pytest.raises(UsageError, match="directory"):
        copy_out(files[1], tmp_path)


def test_to_a_stream(files):
    stream = io.BytesIO()
    stream_out(files[0], stream)
    assert stream.getvalue() == b"succeeded\n" * 3


def test_a_file_that_was_removed_and_a_job_that_runs(files, store):
    files[0].path.unlink()
    with pytest.raises(NotFound, match="was removed"):
        stream_out(files[0], io.BytesIO())
    job = store.job("q")
    with pytest.raises(NotFound, match="written when it is done") as caught:
        result_files(store.database, job)
    assert f"jobctl wait {job}" in caught.value.hint
