"""The examples for Python run as their readers run them, with a daemon."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import nbformat
import pytest
from nbclient import NotebookClient

import jobctl
from tests.documentation import blocks
from tests.wait import wait_until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

EXAMPLES = Path(__file__).parents[2] / "examples"
PATIENCE_S = 120


class Place(NamedTuple):
    """A folder with a store, and the environment of programs that use it."""

    folder: Path
    env: dict[str, str]

    def python(self, *words: str, check: bool = True) -> str:
        """Run a program; returns what it printed."""
        command = [sys.executable, *words]
        done = subprocess.run(
            command, cwd=self.folder, env=self.env, capture_output=True, text=True, timeout=PATIENCE_S
        )
        assert not check or done.returncode == 0, done.stderr
        return done.stdout

    @property
    def store(self) -> jobctl.Store:
        """Its store."""
        return jobctl.Store(self.env["JOBCTL_HOME"])


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("examples")
    env = {**os.environ, "JOBCTL_HOME": str(folder / "state"), "PYTHONDONTWRITEBYTECODE": "1"}
    found = Place(folder, env)
    found.python("-m", "jobctl", "daemon", "start")
    yield found
    found.python("-m", "jobctl", "daemon", "stop", "--now", check=False)


def test_the_script_finds_its_job_again_when_it_is_started_again(place: Place) -> None:
    first, second = (place.python(str(EXAMPLES / "library.py")) for _ in range(2))
    assert first == second
    assert "96 succeeded, 4 failed" in first
    assert "orders 25, 50, 75, 100" in first
    assert first.endswith("96 receipts, the first one is R-1\n")
    assert len(place.store.jobs(name="rows", all=True)) == 1


TASK = """
import json
import sys
sys.path.insert(0, sys.argv[1])
import airflow_task
print(json.dumps(airflow_task.process_orders("orders.csv", "2026-11-29")))
"""


def test_a_task_that_is_killed_and_started_again_has_one_job(place: Place) -> None:
    begun, may_end, good = (place.folder / name for name in ("begun", "may-end", "good"))
    (place.folder / "orders.csv").write_text("id\n1\n2\n3\n")
    script = place.folder / "import"
    wait = f"touch {begun}; until test -e {may_end}; do sleep 0.05; done"
    script.write_text(f"#!/bin/sh\n{wait}\ntest $1 != 2 || test -e {good}\n")
    script.chmod(0o755)
    command = [sys.executable, "-c", TASK, str(EXAMPLES)]
    with subprocess.Popen(command, cwd=place.folder, env=place.env, stderr=subprocess.DEVNULL) as killed:
        wait_until(begun.exists, PATIENCE_S, "the first item")
        killed.kill()
    may_end.touch()
    place.store.job("orders").wait(timeout=PATIENCE_S)
    good.touch()  # the second start runs the failed row again
    assert json.loads(place.python("-c", TASK, str(EXAMPLES)))["succeeded"] == 3
    (job,) = place.store.jobs(name="orders", all=True)
    assert job.status().round == 2
    assert json.loads(place.python("-c", TASK, str(EXAMPLES)))["job"] == job.id


def test_the_blocks_of_the_manual_page_run_in_their_order(place: Place) -> None:
    (place.folder / "batch.csv").write_text("id,amount\n1,10\n2,20\n")
    (place.folder / "score.py").write_text("def score(id, amount):\n    return int(amount)\n")
    script = place.folder / "import"
    script.write_text("#!/bin/sh\ntest -n $1\n")
    script.chmod(0o755)
    found = [block for block in blocks() if block.where.startswith("jobctl-python.3")]
    assert len(found) >= 9
    program = "\n".join(line for block in found for line in block.lines)
    said = place.python("-c", program + "\nassert status.ok and store.job('import').wait(60).ok")
    assert said.splitlines()[0] == "succeeded 0"
    assert "job.submitted" in said
    assert "{idea}" in said


def test_the_notebook_runs_and_its_source_has_no_outputs(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    notebook = nbformat.read(EXAMPLES / "notebook.ipynb", as_version=4)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert not [cell for cell in code if cell.outputs or cell.execution_count]
    monkeypatch.setenv("JOBCTL_HOME", str(place.folder / "notebook"))
    monkeypatch.setenv("IPYTHONDIR", str(place.folder / "ipython"))
    client = NotebookClient(notebook, timeout=PATIENCE_S, resources={"metadata": {"path": str(place.folder)}})
    client.execute()
    outputs = [output for cell in code for output in cell.outputs]
    assert not [output for output in outputs if output.output_type == "error"]
    live, job, counts, *_ = [output.data for output in outputs if "data" in output]
    assert "36 succeeded, 4 failed" in live["text/html"]  # plain HTML is left of the widget
    assert "36 succeeded, 4 failed" in job["text/html"]
    assert counts["text/plain"] == "(36, 4)"
