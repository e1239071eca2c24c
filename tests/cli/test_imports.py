"""Start-up time is a feature: what the everyday commands must not import."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import jobctl as package
from jobctl.domain import cause, line_patterns, shape

ROOT = Path(package.__file__).parents[1]
SCRIPT = """
import json, sys
sys.argv = ["jobctl", *sys.argv[1:]]
from jobctl.__main__ import answer
code = answer(sys.argv[1:])
sys.stdout.flush()
print(json.dumps([code, sorted(sys.modules)]), file=sys.stderr)
"""
HEAVY = {"sqlmodel", "sqlalchemy", "pydantic", "pydantic_core", "asyncio", "http", "email", "unittest", "textual"}
#: What only a command line with a mistake, or a help page, needs.
MISTAKES = {"jobctl.cli.mistakes", "jobctl.cli.unknown_commands", "jobctl.cli.vocabulary", "jobctl.cli.page"}
#: What only rare submissions need: other sources, conditions, samples, notifications, another round.
RARE = {
    "tomllib",
    "random",
    "base64",
    "hmac",
    "jobctl.services.notify",
    "jobctl.services.control.retry",
    "jobctl.services.control.targets",
    "jobctl.services.status.document",
    "jobctl.services.submit.row_keys",
    "jobctl.store.outbox",
    "jobctl.store.pruning",
    "jobctl.store.staging",
    "jobctl.store.views.jobs",
    "jobctl.domain.row_where",
    "jobctl.domain.where",
    "jobctl.domain.webhook",
    "jobctl.domain.doubled_braces",
    "jobctl.sources.cells",
    "decimal",
    "jobctl.sources.jsonl",
    "jobctl.sources.table",
    "jobctl.sources.workbook",
    "jobctl.sources.parquet",
}


def modules_of(script, *words, **variables):
    """Run a script in a fresh interpreter; returns its last line, which is [exit code, modules] as JSON."""
    done = subprocess.run(
        [sys.executable, "-c", script, *map(str, words)],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "HOME": "/", **variables},
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=60,
    )
    code, names = json.loads(done.stderr.splitlines()[-1])
    return code, set(names)


def modules_after(home, *words):
    """(exit code, modules) of a command in a fresh interpreter."""
    return modules_of(SCRIPT, *words, JOBCTL_HOME=str(home.root))


@pytest.mark.parametrize(
    "words",
    [
        ("status", "--json"),
        ("status", "1", "--json"),
        ("status",),
        ("status", "1"),
        ("items", "1"),
        ("items", "1", "--json"),
        ("logs", "1.1"),
        ("logs", "1", "--failed"),
        ("cancel", "2"),
        ("wait", "2", "--timeout", "0"),
        ("results", "2"),
        ("daemon", "status"),
        ("submit", "rows.csv", "--", "true", "{id}"),
    ],
    ids=" ".join,
)
def test_everyday_commands_stay_light(store, home, tmp_path, monkeypatch, words):
    store.job("sqf", state="running", started_at=1)
    store.job("ss", state="succeeded", started_at=1, finished_at=2, results=json.dumps({"files": {}}))
    (tmp_path / "rows.csv").write_text("id\n1\n2\n")
    monkeypatch.chdir(tmp_path)
    code, names = modules_after(home, *words)
    assert code == 0
    tops = {name.partition(".")[0] for name in names}
    assert not tops & HEAVY
    assert "rich" not in tops  # drawn with on a terminal only
    assert not names & MISTAKES
    assert not names & {"jobctl.cli.pager", "jobctl.domain.times"}
    if words[0] == "submit":
        assert not names & RARE


@pytest.mark.parametrize("words", [("--version",), ("__complete", "jobs")])
def test_completion_and_version_need_no_command_tree(store, home, words):
    store.job("q")
    code, names = modules_after(home, *words)
    assert code == 0
    assert not names & {"typer", "dataclasses", "inspect", "jobctl.cli.app", "jobctl.store.database", "platformdirs"}


def test_the_engine_starts_light():
    script = "import json, sys; import jobctl.engine.main; print(json.dumps([0, [*sys.modules]]), file=sys.stderr)"
    _, names = modules_of(script)
    tops = {name.partition(".")[0] for name in names}
    assert not tops & (HEAVY | {"typer", "rich", "orjson", "platformdirs", "tomllib", "difflib", "ssl", "traceback"})
    assert not {name for name in names if name.startswith(("jobctl.cli", "jobctl.services", "jobctl.render"))}


def test_the_engine_compiles_no_pattern_that_only_failures_need():
    script = """
import json, re, sys
made, compiled = set(), re._compile
re._compile = lambda pattern, flags: made.add(str(pattern)) or compiled(pattern, flags)
import jobctl.engine.main
print(json.dumps([0, sorted(made)]), file=sys.stderr)
"""
    _, made = modules_of(script)
    assert made, "patterns are counted"
    assert not {cause._CONTROLS._source, shape._VARIABLE._source, line_patterns.ERROR._source} & made
