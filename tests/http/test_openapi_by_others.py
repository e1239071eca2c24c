"""The OpenAPI document and the server behind it, as schemathesis tries them: nobody here wrote these tests.

The server and the daemon are processes, and the store has jobs in all states.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.e2e.conftest import Cli
from tests.http.doors import program, token_for

_CONFIG = Path(__file__).with_name("schemathesis.toml")
_ROOT = Path(__file__).parents[2]
#: Seconds; on a busy machine a test of a few seconds may take minutes.
_PATIENCE_S = 600
_RECIPE = """
[recipe.load]
command = ["true", "{id}"]
http = true
"""


class Rig(NamedTuple):
    """A server with a store, and how to come in."""

    url: str
    headers: dict[str, str]
    folder: Path  # in which schemathesis keeps what it has seen


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    work = tmp_path_factory.mktemp("openapi")
    cli = Cli(work / "home", work)
    try:
        _make_jobs(cli)
        cli("daemon", "start")
        token = token_for(cli.home, "tester", sees_all=True, rate="100000/s")
        (work / "config" / "jobctl").mkdir(parents=True)
        (work / "config" / "jobctl" / "config.toml").write_text(_RECIPE)
        environment = cli.env | {"XDG_CONFIG_HOME": str(work / "config")}
        with program(cli.home, work, env=environment) as served:
            yield Rig(served.ready["urls"][0], token, work)
            code, said = served.stop()
            assert (code, said) == (0, "")
    finally:
        cli.close()


def _make_jobs(cli: Cli) -> None:
    """Jobs 1 to 6: succeeded, partial, failed, cancelled, running with a paused one behind it."""
    rows = str(cli.file("rows.csv", "id,name\n1,a\n2,b\n3,c\n"))
    cli("run", rows, "--", "echo", "{name}")
    cli("run", rows, "--", "test", "{id}", "-gt", "1", check=None)
    cli("run", rows, "--", "false", check=None)
    cli.submit(rows, "--hold", "--", "true")
    cli("cancel", "4")
    cli.submit(rows, "--slots", "1", "--", "sleep", "1000")
    cli.submit(rows, "--hold", "--", "true")


def _run(rig: Rig, *words: str) -> None:
    """Run schemathesis. Its report is the message of a failure."""
    headers = [word for name, value in rig.headers.items() for word in ("-H", f"{name}: {value}")]
    command = [sys.executable, "-m", "schemathesis.cli", "--config-file", str(_CONFIG), "--no-color", "run"]
    done = subprocess.run(
        [*command, f"{rig.url}/openapi.json", *headers, "--checks", "all", "--warnings", "off", *words],
        cwd=rig.folder,
        env={**os.environ, "PYTHONPATH": str(_ROOT), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=_PATIENCE_S,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.timeout(_PATIENCE_S)
def test_reading_routes_are_as_the_document_says(rig: Rig) -> None:
    _run(rig, "--phases", "fuzzing", "--max-examples", "1", "--include-method", "GET", "--seed", "1")


@pytest.mark.slow
@pytest.mark.timeout(_PATIENCE_S)
def test_bounds_of_all_parameters_are_as_the_document_says(rig: Rig) -> None:
    _run(rig, "--phases", "examples,coverage", "--seed", "1")


@pytest.mark.slow
@pytest.mark.timeout(_PATIENCE_S)
def test_any_request_and_the_links_between_routes_are_as_the_document_says(rig: Rig) -> None:
    _run(rig, "--phases", "fuzzing,stateful", "--max-examples", "8", "--seed", "1")
