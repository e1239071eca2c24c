"""An engine that cannot begin: who is told, and whether another one is to follow."""

import pytest

from jobctl.config import Home
from jobctl.engine import main
from jobctl.errors import Busy, HomeError
from jobctl.process.start_options import StartOptions
from jobctl.store import sqlite
from jobctl.supervisor.protocol import wire


class Executor:
    """Takes down what it is told."""

    fresh = True

    def __init__(self, up):
        self.up = up
        self.refusals = []

    def refuse(self, reason):
        self.refusals.append(reason)


@pytest.fixture
def options(tmp_path):
    home = Home(tmp_path / "home")
    home.root.mkdir(mode=0o700)
    return StartOptions(home, 1)


TROUBLES = [
    sqlite.OperationalError("disk I/O error"),
    sqlite.OperationalError("database or disk is full"),
    OSError(28, "x"),
]


def begin(options, executor, monkeypatch, problem):
    def fail(*_args, **_options):
        raise problem

    monkeypatch.setattr(main, "open_database", fail)
    return main._work(options, executor)


@pytest.mark.parametrize("problem", TROUBLES)
def test_a_daemon_that_is_up_outlives_a_disk_that_is_full_or_fails(options, monkeypatch, problem, capfd):
    executor = Executor(up=True)
    assert begin(options, executor, monkeypatch, problem) == wire.NOT_NOW
    assert executor.refusals == []
    assert "the engine cannot start: " in capfd.readouterr().err


@pytest.mark.parametrize("problem", TROUBLES)
def test_the_start_of_a_daemon_on_such_a_disk_is_explained(options, monkeypatch, problem):
    executor = Executor(up=False)
    assert begin(options, executor, monkeypatch, problem) == 1
    assert len(executor.refusals) == 1


def test_a_database_that_is_kept_busy_is_tried_again(options, monkeypatch):
    executor = Executor(up=True)
    assert begin(options, executor, monkeypatch, Busy("kept busy")) == wire.NOT_NOW
    assert executor.refusals == []


def test_a_running_daemon_refuses_a_problem_that_does_not_go_away(options, monkeypatch):
    executor = Executor(up=True)
    assert begin(options, executor, monkeypatch, HomeError("not yours", hint="chown")) == 1
    assert executor.refusals == ["not yours; chown"]
