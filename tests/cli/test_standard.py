"""Standard input, output and error that are closed, full or gone: no traceback, no work that ends for it."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

import jobctl as package
from jobctl.cli import standard
from tests.stages import few

ROOT = Path(package.__file__).parents[1]
FULL = Path("/dev/full")
needs_full = pytest.mark.skipif(not FULL.is_char_device(), reason="no /dev/full here")


@pytest.fixture
def shell(tmp_path):
    """A line of shell in which ``$jobctl`` is the command, in a store of its own."""

    def run(line, **variables):
        environ = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "JOBCTL_HOME": str(tmp_path / "home"),
            "HOME": str(tmp_path),
            "jobctl": f"{sys.executable} -m jobctl",
        }
        return subprocess.run(
            ["/bin/sh", "-c", line],
            env=environ | variables,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            timeout=60,
        )

    (tmp_path / "rows.txt").write_text("1\n2\n")
    return run


@pytest.mark.parametrize("closed", few(["<&-", ">&-", "2>&-", "<&- >&- 2>&-"], ["<&- >&- 2>&-"]))
def test_a_closed_stream_does_no_harm_and_its_number_is_not_used_for_a_file(shell, closed):
    done = shell(f"$jobctl submit rows.txt -- true {closed}")
    assert (done.returncode, "Traceback" in done.stderr) == (0, False)
    done = shell(f"$jobctl status {closed}")
    assert (done.returncode, "Traceback" in done.stderr) == (0, False)
    assert "\tqueued\t2\t" in shell("$jobctl status").stdout


def test_rows_from_standard_input_that_is_closed(shell):
    done = shell("$jobctl submit - --format lines -- true <&-")
    assert done.returncode == 7
    assert "there are no rows" in done.stderr


@needs_full
@pytest.mark.parametrize("unbuffered", few(["", "1"], [""]))
def test_the_message_says_that_output_cannot_be_printed(shell, unbuffered):
    shell("$jobctl submit rows.txt -- true")
    for words in ("status -q", "status --json", "status no-such --json", "--version", "--help", "metrics"):
        done = shell(f"$jobctl {words} > /dev/full", PYTHONUNBUFFERED=unbuffered)
        said = done.stderr.removeprefix("no daemon is running; start it with: jobctl daemon start\n")
        assert (done.returncode, said) == (1, "jobctl: standard output cannot be written: No space left on device\n")


@needs_full
def test_work_continues_without_a_notification_socket(shell):
    done = shell("$jobctl run rows.txt -- true 2> /dev/full")
    assert done.returncode == 0
    assert "\tsucceeded\t2\t" in shell("$jobctl status").stdout
    assert shell("$jobctl run rows.txt -q --attempts 1 -- false 2> /dev/full").returncode == 4


def test_a_directory_that_is_gone(shell):
    done = shell("mkdir gone; cd gone; rmdir ../gone; $jobctl submit /rows.txt -- true")
    assert done.returncode == 2
    assert done.stderr.splitlines()[0] == "jobctl: the directory you are in does not exist any more"


def test_a_limit_on_files_does_not_put_a_database_aside(shell):
    shell("$jobctl submit rows.txt -- true")
    done = shell("ulimit -f 0; $jobctl submit rows.txt -- true")
    assert done.returncode == 1
    assert "SQLite says" in done.stderr
    assert "mv " not in done.stderr and "empty store" not in done.stderr


@pytest.mark.parametrize(
    "words",
    few(
        ["status 1 --watch", "status --watch --json", "logs 1 --follow", "logs 1.1 --follow", "daemon logs -f"],
        ["status 1 --watch", "logs 1 --follow"],
    ),
)
def test_a_command_whose_reader_has_gone_ends(shell, tmp_path, words):
    shell("$jobctl submit rows.txt -- true; touch home/daemon.log")
    done = shell(f"( $jobctl {words}; echo $? > code ) | true")
    assert done.returncode == 0, "the shell waits for both ends of the pipe"
    assert (tmp_path / "code").read_text() == "141\n"


@needs_full
@pytest.mark.parametrize("option", ["-q", "--json", "--plain"])
def test_a_job_is_named_that_was_accepted_although_its_number_could_not_be_printed(shell, option):
    done = shell(f"$jobctl submit rows.txt {option} -- true > /dev/full")
    assert done.returncode == 1
    assert "standard output cannot be written: No space left on device\n" in done.stderr
    assert "  job 1 was accepted nevertheless: jobctl status 1" in done.stderr


@pytest.mark.parametrize("error", [OSError(errno.ENOMEM, "no room"), MemoryError(), ImportError()], ids=repr)
def test_the_message_about_memory_is_printed_where_no_module_can_be_loaded(monkeypatch, capfd, error):
    class NoRoom:
        def find_spec(self, name, path=None, target=None):
            if name == "jobctl.process.ulimit":
                raise error

    monkeypatch.delitem(sys.modules, "jobctl.process.ulimit", raising=False)
    monkeypatch.setattr(sys, "meta_path", [NoRoom(), *sys.meta_path])
    assert standard.give_up_output(OSError(errno.ENOMEM, "Cannot allocate memory")) == 1
    assert "ulimit -v" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (MemoryError(), True),
        (ImportError("x.so: failed to map segment from shared object"), True),
        (SystemError("error return without exception set"), True),  # an exception for which there was no memory
        (SystemError("bad argument to internal function"), False),
        (ImportError("No module named 'typer'"), False),
        (ValueError("without exception set"), False),
    ],
    ids=repr,
)
def test_a_lack_of_memory_is_known_in_every_form(error, expected):
    assert standard.is_no_memory(error) is expected
