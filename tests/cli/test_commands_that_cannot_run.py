"""Command lines that would make a job of nonsense, through submit and run; nothing is accepted."""

from __future__ import annotations

import pytest


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    for name in ("a.csv", "b.csv"):
        (tmp_path / name).write_text("id\n1\n2\n")
    return tmp_path


@pytest.mark.parametrize("command", ["submit", "run"])
@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("a.csv b.csv -- echo {id}", "one FILE at a time: 'b.csv'"),
        ("a.csv --max-failures 5 % -- echo {id}", "without a blank: --max-failures 5%"),
        ("a.csv -n 2 -- echo {id}", "-n is --dry-run and takes no value; for slots it is -j 2"),
        ("a.csv -n 2 echo {id}", "-n is --dry-run"),
        ("a.csv --hold yes -- echo {id}", "--hold takes no value: leave yes out"),
        ("a.csv --hold true -- echo {id}", "--hold takes no value: leave true out"),
        ("a.csv -- no-such-program-here {id}", "no program 'no-such-program-here' is found on PATH"),
        ("a.csv --cwd / -- ./a.csv {id}", "there is no file /a.csv"),
        ("a.csv -- cd {id}", "--shell"),
        ("a.csv --resources gpu=1 -- no-such-program-here", "no program"),
    ],
)
def test_it_is_refused(jobctl, home, place, command, line, said):
    if "cd" in line.split():
        pytest.importorskip("shutil")
        import shutil

        if shutil.which("cd"):
            pytest.skip("there is a program called cd")
    done = jobctl(command, *line.split())
    assert (done.code, done.out) == (2, "")
    assert said in done.err
    assert not home.database.exists()


@pytest.mark.parametrize("more", ["--hold", "--key k", "--not-before 2h", "--env PATH"])
def test_a_program_may_come_later(jobctl, place, more):
    done = jobctl("submit", "a.csv", *more.split(), "--", "no-such-program-here", "{id}")
    assert (done.code, done.out) == (0, "1\n")
    assert "an item fails if it is still so" in done.err


def test_the_path_of_the_items_counts(jobctl, place):
    tool = place / "tools" / "mytool"
    tool.parent.mkdir()
    tool.write_text("#!/bin/sh\n")
    tool.chmod(0o755)
    assert jobctl("submit", "a.csv", "-n", "--", "mytool").code == 2
    assert jobctl("submit", "a.csv", "-n", "--env", f"PATH={tool.parent}", "--", "mytool").code == 0
    assert jobctl("submit", "a.csv", "-n", "--cwd", "tools", "--", "./mytool").code == 0


def test_a_file_here_does_not_hide_a_program(jobctl, place):
    (place / "true").write_text("notes\n")
    (place / "there").mkdir()
    for path, mode in ((place / "load", 0o644), (place / "there" / "load", 0o755)):
        path.write_text("#!/bin/sh\n")
        path.chmod(mode)
    assert jobctl("submit", "a.csv", "-n", "true", "{id}").code == 0
    assert jobctl("submit", "a.csv", "-n", "-C", "there", "./load", "{id}").code == 0


def test_resources_are_for_a_cluster(jobctl, home, place, monkeypatch):
    line = ("--resources", "gpu=1", "--", "true")
    for words in (("run", "a.csv"), ("submit", "a.csv", "--start-daemon")):
        done = jobctl(*words, *line)
        assert (done.code, done.out) == (2, "")
        assert "these items would run on this machine" in done.err
    assert not home.database.exists()
    done = jobctl("submit", "a.csv", *line)
    assert done.code == 0
    assert "a daemon that runs items on this machine ignores it" in done.err
    monkeypatch.setenv("JOBCTL_DAEMON_SCHEDULER", "tcp://127.0.0.1:8786")
    done = jobctl("submit", "a.csv", *line)
    assert done.code == 0 and "ignores it" not in done.err


def test_a_daemon_that_is_up_decides(jobctl, home, place, monkeypatch):
    from jobctl.domain.cluster_workers import ClusterWorkers
    from jobctl.store import daemon

    jobctl("submit", "a.csv", "--", "true")
    monkeypatch.setattr("jobctl.process.lock.holder", lambda _path: 4711)
    done = jobctl("submit", "a.csv", "--resources", "gpu=1", "--", "true")
    assert done.code == 2 and "these items would run on this machine" in done.err
    monkeypatch.setattr(daemon, "load_cluster", lambda _database: ClusterWorkers("tcp://node1:8786"))
    assert jobctl("submit", "a.csv", "--resources", "gpu=1", "--", "true").code == 0
    assert "no program" in jobctl("submit", "a.csv", "--", "no-such-program-here").err
