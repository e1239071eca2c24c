"""What a person reads when something is wrong, and the exit code that goes with it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import jobctl as package
from jobctl.process import space
from jobctl.store import sqlite
from jobctl.store.opening.trouble import explain

ROOT = Path(package.__file__).parents[1]


def fresh(home, *words, env=None, **options):
    """A command line in an interpreter of its own."""
    environ = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "JOBCTL_HOME": str(home.root), "HOME": "/"}
    return subprocess.run(
        [sys.executable, "-m", "jobctl", *map(str, words)],
        env=environ | (env or {}),
        capture_output=True,
        stdin=subprocess.DEVNULL,
        timeout=60,
        **options,
    )


@pytest.mark.parametrize(
    ("words", "code", "said", "typed_next"),
    [
        (["stauts"], 2, "there is no command 'stauts'", "did you mean: jobctl status"),
        (["frobnicate"], 2, "there is no command 'frobnicate'", "jobctl --help"),
        (["daemon", "begin"], 2, "no command 'begin' in jobctl daemon", "start, run, stop, restart, status"),
        (["status", "--jsn"], 2, "no such option: --jsn; did you mean --json?", "jobctl status --help"),
        (["wait"], 2, "wait needs a JOB", "jobctl wait --help"),
        (["status", "7"], 9, "there is no job 7; the newest is 1", "jobctl status --all"),
        (["items", "1", "--state", "broken"], 2, "no item state 'broken'", "unprocessed"),
        (["items", "1", "--limit", "x"], 2, "--limit: 'x' is not a whole number", "jobctl items --help"),
        (["wait", "1", "--timeout", "soon"], 2, "'soon' is not a duration", "5m"),
        (["logs", "1", "--stdout", "--stderr"], 2, "--stdout and --stderr at once", "both"),
        (["logs", "1.1", "--attempt", "zero"], 2, "--attempt 'zero'", "all"),
        (["results", "1"], 9, "job 1 is queued: result files are written when it is done", "jobctl wait 1"),
        (["status", "--exit-code"], 2, "--exit-code needs a JOB", "jobctl status last"),
        (["submit"], 2, "FILE is missing", "jobctl submit --help"),
        (["submit", "--", "true"], 2, "no FILE before --", "jobctl submit FILE"),
        (["submit", "f.csv", "--attempts", "0", "--", "true"], 2, "--attempts: 0 is less than 1", "1 or more"),
        (["submit", "f.csv", "--timeout", "x", "--", "true"], 2, "--timeout: 'x' is not a duration", "5m"),
        (["submit", "f.csv", "--label", "x", "--", "true"], 2, "--label: 'x'", "team=billing"),
        (["submit", "f.csv", "--invalid", "x", "--", "true"], 2, "--invalid 'x'", "reject or skip"),
        (["submit", "f.csv", "--retry-on", "0,300", "--", "true"], 2, "'0,300' is not a list of exit codes", "1,75"),
        (["submit", "f.csv", "--shell", "x", "--", "true"], 2, "--shell and a COMMAND at once", "one of them"),
        (["--home", "relative", "status", "1"], 2, "must be an absolute path", "--home /path"),
    ],
)
def test_the_message_about_a_mistake_has_the_command_to_type(store, jobctl, words, code, said, typed_next):
    store.job("q")
    done = jobctl(*words)
    assert done.code == code
    assert done.out == ""
    message, hint = done.err.split("\n", 1)
    assert message.startswith("jobctl: ") and said in message
    assert typed_next in hint


def test_with_json_an_error_is_an_object(store, jobctl):
    done = jobctl("status", "nightly", "--json")
    assert (done.code, done.err) == (9, "")
    assert done.document == {
        "schema": "jobctl.error/1",
        "error": {
            "code": "not_found",
            "message": "there are no jobs",
            "hint": "start with: jobctl submit FILE -- COMMAND",
            "details": [],
        },
        "exit_code": 9,
    }


def test_hints_name_the_store_that_was_named(home, store, jobctl, monkeypatch):
    store.job("q")
    monkeypatch.delenv("JOBCTL_HOME")
    assert jobctl("--home", home.root.parent / "none", "items", "1").err.count("--home") == 1
    done = jobctl("--home", home.root, "status", "9")
    assert f"jobctl --home {home.root} status --all" in done.err


def test_without_a_store_there_are_no_jobs(jobctl):
    assert jobctl("status", "1").code == 9
    assert jobctl("wait", "last").code == 9
    done = jobctl("status", "--json")
    assert (done.code, done.document["jobs"], done.document["daemon"]["state"]) == (0, [], "down")


def test_a_bug_says_that_it_is_one(store, jobctl, monkeypatch):
    def broken(*_arguments, **_options):
        raise LookupError("frob")

    store.job("q")
    monkeypatch.setattr("jobctl.services.status.document.state_reason", broken)
    done = jobctl("status", "1")
    assert done.code == 1
    assert done.err.startswith("jobctl: this is a bug in jobctl: LookupError")
    assert "JOBCTL_DEBUG=1 jobctl status 1" in done.err
    assert "Traceback" not in done.err
    assert "Traceback" in jobctl("status", "1", "-v").err
    monkeypatch.setenv("JOBCTL_DEBUG", "1")
    assert "Traceback" in jobctl("status", "1").err


@pytest.mark.parametrize(
    ("text", "code", "said"),
    [
        ("database is locked", "busy", "busy"),
        ("database or disk is full", "store", "no room left"),
        ("attempt to write a readonly database", "store", "cannot be written"),
        ("database disk image is malformed", "store", "damaged"),
        ("disk I/O error", "store", "disk fails"),
        ("no such column: frob", "store", "another layout"),
    ],
)
def test_trouble_of_the_database_in_words(text, code, said):
    error = explain(sqlite.OperationalError(text), "/srv/queue")
    assert error is not None
    assert (error.code, said in error.message, "/srv/queue" in error.message) == (code, True, True)
    assert error.hint


def test_other_errors_are_not_trouble_of_the_database():
    assert explain(ValueError("disk is full"), "/srv") is None
    assert explain(sqlite.OperationalError('near "SELEC": syntax error'), "/srv") is None


def test_a_damaged_database_is_not_reported_as_a_bug(store, home, jobctl):
    store.job("q")
    store.database.close()
    home.database.write_bytes(b"this is not a database at all, but it is long enough" * 40)
    done = jobctl("status")
    assert done.code == 1
    assert "this is a bug" not in done.err
    assert str(home.database) in done.err


def test_a_reader_that_goes_away_is_not_an_error(store, home):
    store.job("s" * 3000)
    reader, writer = os.pipe()
    os.close(reader)
    words = [sys.executable, "-m", "jobctl", "items", "1", "--limit", "0"]
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "JOBCTL_HOME": str(home.root)}
    done = subprocess.run(words, env=env, stdout=writer, stderr=subprocess.PIPE, timeout=60)
    os.close(writer)
    assert (done.returncode, done.stderr) == (141, b"")


def test_version_help_and_completion_answer_in_a_bare_environment(store, home):
    store.job("q", name="nightly\x1b[2J")
    for words in (["--version"], ["-V"]):
        assert fresh(home, *words).stdout.decode() == f"jobctl {package.__version__}\n"
    assert fresh(home, "__complete", "jobs").stdout == b"1\tnightly?[2J (queued)\n"
    assert fresh(home, "__complete", "jobs", "2").stdout == b""
    assert fresh(home, "__complete", "jobs", "night").stdout.startswith(b"1\t")
    assert fresh(home, "__complete", "jobs", "--home", home.root, "--", "1", env={"JOBCTL_HOME": "/nowhere"}).stdout
    nowhere = fresh(home, "__complete", "jobs", env={"JOBCTL_HOME": "/nowhere"})
    assert (nowhere.returncode, nowhere.stdout, nowhere.stderr) == (0, b"", b"")


def test_bytes_that_are_not_text_do_not_stop_a_command(store, home):
    store.job("q", name="nightly", input_path=b"caf\xe9.csv".decode("utf-8", "surrogateescape").replace("\udce9", "é"))
    done = fresh(home, "status", "1", env={"PYTHONIOENCODING": "ascii"})
    assert (done.returncode, b"caf\\xe9.csv" in done.stdout) == (0, True)
    document = json.loads(
        fresh(home, "status", "1", "--json", env={"PYTHONIOENCODING": "latin-1"}).stdout.decode("latin-1")
    )
    assert document["input"]["path"] == "café.csv"


def test_the_message_about_a_full_disk_says_so(tmp_path, monkeypatch):
    error = sqlite.OperationalError("disk I/O error")
    monkeypatch.setattr(space, "_room", lambda _root: (50 << 30, 100 << 30, 1_000_000))
    assert "the disk fails" in explain(error, str(tmp_path)).message
    monkeypatch.setattr(space, "_room", lambda _root: (0, 100 << 30, 1_000_000))
    told = explain(error, str(tmp_path))
    assert "no room left" in told.message and "make room" in told.hint


INTERRUPT = "import os, signal\nos.kill(os.getpid(), signal.SIGINT)\n"


def interrupted(tmp_path, module):
    """A command line that Ctrl-C meets while it imports ``module``."""
    (tmp_path / "early").mkdir()
    (tmp_path / "early" / f"{module}.py").write_text(INTERRUPT)
    return subprocess.run(
        [sys.executable, "-m", "jobctl", "status"],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": f"{tmp_path / 'early'}:{ROOT}", "JOBCTL_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=60,
    )


def test_ctrl_c_while_it_starts_ends_it_without_a_traceback(tmp_path):
    done = interrupted(tmp_path, "typer")
    assert (done.returncode, done.stdout, done.stderr) == (-signal.SIGINT, "", "")


def test_ctrl_c_in_a_command_and_once_more_while_it_ends(tmp_path):
    script = (
        "import os, signal, sys\n"
        "from jobctl import __main__\n"
        "from jobctl.cli import edge\n"
        "def wait(*_):\n"
        "    try:\n"
        "        os.kill(os.getpid(), signal.SIGINT)\n"
        "    finally:\n"
        "        if sys.argv[1] == 'twice':\n"
        "            os.kill(os.getpid(), signal.SIGINT)\n"
        "edge._invoke = wait\n"
        "__main__.main()\n"
    )
    for words, code, said in ((["once"], 130, "\n"), (["twice"], -signal.SIGINT, "")):
        argv = [sys.executable, "-c", script, *words]
        done = subprocess.run(
            argv, capture_output=True, text=True, timeout=60, cwd=tmp_path, env={"PYTHONPATH": str(ROOT)}
        )
        assert (done.returncode, done.stderr) == (code, said)


@pytest.mark.parametrize("words", ["frob --json", "--json frob", "status --frob --json", "submit --json"])
def test_a_mistake_with_json_is_reported_as_json(jobctl, words):
    done = jobctl(*words.split())
    assert done.code == 2
    assert done.document["schema"] == "jobctl.error/1"
    assert done.document["exit_code"] == 2
    assert "jobctl: " in jobctl("frob", "--", "--json").err
