"""``Store.run``: work in the foreground of a program, with its progress and Ctrl-C."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import jobctl
from tests.wait import wait_until


def test_the_status_is_given_until_the_job_is_done(library: jobctl.Store) -> None:
    seen: list[Any] = []
    job = library.run(rows=[{"id": 1}, {"id": 2}], command=["test", "{id}", "=", "1"], attempts=1, progress=seen.append)
    assert seen[-1].done and seen[-1].counts.failed == 1
    assert job.status().state == "partial"
    assert job.wait(timeout=0).state == "partial"
    with pytest.raises(jobctl.UsageError, match="there is nothing to continue"):
        library.run(resume=job.id)


def test_another_thread_runs_a_job_and_touches_no_handler(library: jobctl.Store) -> None:
    before = signal.getsignal(signal.SIGINT)
    found: list[Any] = []
    thread = threading.Thread(
        target=lambda: found.append(
            (library.run(rows=[{"id": 1}], command=["true"]).status().state, signal.getsignal(signal.SIGINT))
        )
    )
    thread.start()
    thread.join(timeout=100)
    assert found == [("succeeded", before)]


def test_what_cannot_run_is_refused_before_anything_is_accepted(library: jobctl.Store) -> None:
    with pytest.raises(jobctl.UsageError, match="--hold"):
        library.run(rows=[{"id": 1}], command=["true"], hold=True)
    with pytest.raises(jobctl.UsageError, match="progress='bar' is not known"):
        library.run(rows=[{"id": 1}], command=["true"], progress="bar")  # type: ignore[arg-type]
    with pytest.raises(jobctl.UsageError, match="resume continues a job"):
        library.run(rows=[{"id": 1}], resume="last")
    assert not library.home.exists()


PROGRAM = """
import json
import signal
import sys
import jobctl

store = jobctl.Store(sys.argv[1])
rows = [{"id": number} for number in range(1, 4)]
try:
    job = store.run(rows=rows, shell=sys.argv[2], slots=1)
except KeyboardInterrupt:
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    counts = store.job("last").status().counts
    print(json.dumps(["interrupted", counts.succeeded, counts.queued + counts.retrying]))
else:
    print(json.dumps(["done"]))
"""


@contextlib.contextmanager
def program(folder: Path, script: str) -> Iterator[subprocess.Popen[str]]:
    """A program that runs three rows one after the other; its first item has started."""
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(folder / "state"), script],
        stdout=subprocess.PIPE,
        text=True,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(Path(jobctl.__file__).parents[1])},
        start_new_session=True,
    ) as process:
        try:
            wait_until((folder / "started").exists, 100, "the first item")
            yield process
        finally:
            process.kill()


def interrupt(folder: Path, process: subprocess.Popen[str], state: str) -> None:
    """Send Ctrl-C, and wait until the engine has heard of it."""
    process.send_signal(signal.SIGINT)
    store = jobctl.Store(folder / "state")
    wait_until(lambda: store.daemon().state == state, 100, f"the engine to be {state}")


def test_after_ctrl_c_running_items_finish_and_the_job_stays(tmp_path: Path) -> None:
    with program(tmp_path, "touch started; while [ ! -e go ]; do sleep 0.05; done") as process:
        interrupt(tmp_path, process, "draining")
        (tmp_path / "go").touch()
        out, _ = process.communicate(timeout=100)
    assert json.loads(out) == ["interrupted", 1, 2]
    store = jobctl.Store(tmp_path / "state")
    assert store.run(resume="last").status().counts.succeeded == 3


def test_a_second_ctrl_c_ends_the_running_items(tmp_path: Path) -> None:
    with program(tmp_path, "touch started; exec sleep 1000") as process:
        interrupt(tmp_path, process, "draining")
        interrupt(tmp_path, process, "down")
        out, _ = process.communicate(timeout=100)
    assert json.loads(out) == ["interrupted", 0, 3]


def test_rows_of_a_job_run_again_become_another_job_and_are_taken_back(library: jobctl.Store) -> None:
    job = library.run(rows=[{"id": 1}, {"id": 2}], command=["test", "{id}", "=", "1"], attempts=1, name="first")
    assert [each.item for each in job.items(cause="exit_1")] == [2]
    with pytest.raises(jobctl.UsageError, match="is for a new job"):
        job.retry(["true"])
    with pytest.raises(jobctl.UsageError, match="no such option: slotz"):
        job.retry(slotz=1)  # type: ignore[call-overload]
    preview = job.retry(["true", "{id}"], as_new=True, dry_run=True)
    assert (preview.rows, preview.commands) == (1, [["true", "2"]])
    other = job.retry(["true", "{id}"], as_new=True, items="1-2", name="second", attempts=3, slots=1)
    status = other.status()
    assert (status.name, status.counts.total, status.policy.attempts) == ("second", 2, 3)
    assert other.cancel(items=2, reason="not this one").cancelled
    assert other.item(2).state == "unprocessed"
    undo = job.undo(["true", "{id}"], attempts=2)
    assert undo.status().counts.total == 1 and "takes back 1 row of job 1" in undo.notices[0]
    undo.cancel()
    found = job.retry(cause="exit_1", timeout=60)
    assert (found.round, found["items"], found.policy.timeout_s) == (2, 1, 60)
