"""A store of its own for every test, and the command line on it."""

from __future__ import annotations

import compileall
import functools
import json
import os
import signal
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import hypothesis
import pytest
import typer.main

import jobctl as package
from jobctl.config import Home
from jobctl.handlers.environment import WELL_KNOWN
from tests import forking
from tests.factories import JobMaker, make_store

# On a machine that is busy an example may take long. The second stage tries as many as Hypothesis does by itself.
hypothesis.settings.register_profile("few", deadline=None, max_examples=25)
hypothesis.settings.register_profile("many", deadline=None)
hypothesis.settings.load_profile("few")

# Every call of the command line in this process would build its tree of commands again, which takes most of its time.
typer.main.get_command = functools.cache(typer.main.get_command)


def pytest_sessionstart(session: pytest.Session) -> None:
    """Compile jobctl once: where Python writes no bytecode, each of thousands of processes would compile it again."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        # A script started the tests in the background. Commands that inherit this would not hear Ctrl-C.
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if not hasattr(session.config, "workerinput"):  # it is not a worker of xdist, of which there are several
        compileall.compile_dir(Path(package.__file__).parent, quiet=2)


def pytest_sessionfinish() -> None:
    """Nothing of the tests stays behind."""
    forking.end()


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A state directory that does not exist yet."""
    return Home(tmp_path / "state")


@pytest.fixture
def store(home: Home) -> JobMaker:
    """A new store and the maker of its rows."""
    return make_store(home)


@pytest.fixture
def own_threads() -> Callable[[], list[str]]:
    """Names the threads of jobctl that were started since the test began. Those of earlier tests may still end."""
    before = set(threading.enumerate())
    return lambda: [each.name for each in threading.enumerate() if each not in before and "jobctl" in each.name]


@dataclass
class Outcome:
    """The output and the exit code of a command."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> dict:
        """Its standard output as JSON."""
        return json.loads(self.out)


@pytest.fixture
def jobctl(home: Home, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch):
    """Runs a command line in this process, on the store of the test."""
    from jobctl.cli.edge import run

    for name in WELL_KNOWN:  # a command would say that items do not get them
        monkeypatch.delenv(name, raising=False)
    for name in list(os.environ):
        if name.startswith(("JOBCTL_", "LC_")) or name in ("LANG", "NO_COLOR", "FORCE_COLOR", "COLUMNS", "LINES"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("JOBCTL_HOME", str(home.root))
    monkeypatch.setenv("TZ", "UTC")
    # A cancel without a daemon starts an engine, which takes longer than a user would wait on a machine that is busy.
    monkeypatch.setattr("jobctl.services.control.cancel.PATIENCE_S", 60.0)

    def call(*words: object) -> Outcome:
        capfd.readouterr()
        code = run([str(word) for word in words])
        captured = capfd.readouterr()
        return Outcome(code, captured.out, captured.err)

    return call
