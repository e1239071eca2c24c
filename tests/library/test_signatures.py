"""Every option of the commands is a parameter of the library, with the same name and the same default."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import pytest
import typer.main
from typer import Context

import jobctl
from jobctl.cli.app import app, command_tree
from jobctl.cli.completion.tree import Node
from jobctl.domain.cluster_options import CLUSTER_OPTIONS
from jobctl.domain.job_options import OPTIONS
from jobctl.library import options as types

Store, Job = jobctl.Store, jobctl.Job

#: The methods for each command, and the options that they take as ``**options``.
METHODS: dict[str, tuple[tuple[Callable[..., Any], ...], type | None]] = {
    "submit": ((Store.submit,), types.SubmitOptions),
    "run": ((Store.run, Store.submit), types.RunOptions),
    "status": ((Store.status, Job.status), None),
    "wait": ((Job.wait,), None),
    "items": ((Job.items, Job.item), None),
    "logs": ((Job.logs,), None),
    "results": ((Job.results, Job.result_files), None),
    "causes": ((Job.causes,), None),
    "explain": ((Job.explain,), None),
    "report": ((Job.report,), None),
    "retry": ((Job.retry,), types.CopyOptions),
    "cancel": ((Job.cancel,), None),
    "pause": ((Job.pause,), None),
    "resume": ((Job.resume,), None),
    "set": ((Job.set,), types.SetOptions),
    "undo": ((Job.undo,), types.RoundOptions),
    "prune": ((Store.prune,), None),
    "events": ((Store.events,), None),
    "daemon status": ((Store.daemon,), None),
}
_SELECTS_JOBS = "it selects jobs: Store.jobs selects them, and the method is called for each"
#: Options that no parameter has, with the reason.
LEFT_OUT = {
    "status": {"watch": "it draws on the terminal: Job.events and Job.wait", "exit_code": "a program reads the state"},
    "items": {"failed": "an older spelling of --state failed"},
    "logs": {
        "follow": "Job.follow_logs",
        "stdout": 'stream="stdout"',
        "stderr": 'stream="stderr"',
        "no_headings": "it is about text on the terminal",
        "failed": "an older spelling of --state failed",
    },
    "retry": {
        "code": "an older spelling of --cause",
        "failed": "an older spelling of --state failed",
        "unprocessed": "an older spelling of --state unprocessed",
    },
    "results": {
        **dict.fromkeys(("succeeded", "failed", "unprocessed", "rejected", "undone"), "the kind, as an argument"),
        "state": "the kind, as an argument",
        "output": "ResultFile.copy",
    },
    "wait": dict.fromkeys(("state", "name", "label", "queue", "since", "all"), _SELECTS_JOBS),
    "cancel": dict.fromkeys(("name", "label", "queue", "since", "all", "yes"), _SELECTS_JOBS),
    "pause": dict.fromkeys(("state", "name", "label", "queue", "since", "all", "yes"), _SELECTS_JOBS),
    "resume": dict.fromkeys(("state", "name", "label", "queue", "since", "all", "yes"), _SELECTS_JOBS),
    "prune": {"yes": "a program is not asked"},
}
#: Defaults that differ, with the reason.
OTHER_DEFAULTS = {("items", "limit"): "an iterator reads as far as it is used, so it needs no limit"}


def commands() -> dict[str, Node]:
    return {node.name: node for node in command_tree().walk() if not node.children}


def parameters(name: str) -> dict[str, Any]:
    """The parameters of the methods for a command, with their defaults; None for those of the tables."""
    methods, table = METHODS[name]
    found = dict.fromkeys(getattr(table, "__annotations__", {}))
    for base in getattr(table, "__orig_bases__", ()):
        found |= dict.fromkeys(getattr(base, "__annotations__", {}))
    for method in methods:
        for parameter in inspect.signature(method).parameters.values():
            if parameter.kind in (parameter.KEYWORD_ONLY, parameter.POSITIONAL_OR_KEYWORD):
                found[parameter.name] = None if parameter.default is parameter.empty else parameter.default
    return found


@pytest.mark.parametrize("name", METHODS)
def test_every_option_is_a_parameter(name: str) -> None:
    own = {option.long.lstrip("-").replace("-", "_") for option in commands()[name].own_options}
    left_out = LEFT_OUT.get(name, {}).keys()
    assert own - parameters(name).keys() - left_out == set()
    assert left_out <= own, "an option that does not exist needs no reason"


@pytest.mark.parametrize("name", METHODS)
def test_defaults_are_those_of_the_command_line(name: str) -> None:
    command: Any = typer.main.get_command(app)
    for word in name.split():
        command = command.get_command(Context(command), word)
    known = parameters(name)
    for option in command.params:
        if option.name in known and (name, option.name) not in OTHER_DEFAULTS:
            # Not given is False for a switch of a table, and None for its parameter.
            assert (option.default or None) == (known[option.name] or None), option.name


def test_every_option_of_a_job_has_a_type() -> None:
    keys = {option.key for option in OPTIONS} - {"dry_run"}
    assert types.SubmitOptions.__annotations__.keys() == keys
    cluster = {name.removeprefix("--").replace("-", "_") for name, _, _ in CLUSTER_OPTIONS}
    assert types.RunOptions.__annotations__.keys() == keys | cluster


def test_every_public_name_is_documented_with_an_example() -> None:
    for kind in (Store, Job, jobctl.ResultFile):
        assert ">>>" in (kind.__doc__ or "") or kind is Job
        for name, member in inspect.getmembers(kind, inspect.isfunction):
            if not name.startswith("_") and name not in ("copy", "log_ignored"):
                assert ">>>" in (member.__doc__ or ""), f"{kind.__name__}.{name}"


def test_the_names_of_the_package_have_types() -> None:
    """Editors and type checkers read ``__init__.pyi``; programs get the names from ``__init__.py``."""
    from pathlib import Path

    stub = Path(jobctl.__file__).with_suffix(".pyi").read_text(encoding="utf-8")
    typed = {line.split()[-1]: line.split()[1] for line in stub.splitlines() if line.startswith("from ")}
    assert typed == jobctl._NAMES
    for name, module in typed.items():
        assert getattr(jobctl, name).__module__ == module
