"""A line of a crontab, run by the real cron daemon: no terminal, a short PATH, no locale, HOME only.

cron looks at its tables once a minute, so this waits for the minute to turn. It needs root, for a table of its own in
/etc/cron.d and a cron daemon that no one else uses.
"""

import os
import shlex
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from jobctl.config import Home
from jobctl.process.daemon import StartOptions
from jobctl.process.sweep import sweep
from tests.wait import wait_until

#: A minute, and what a busy machine adds to it.
PATIENCE_S = 150
TABLES = Path("/etc/cron.d")
#: What cron gives to a line, and what jobctl lets through of it.
LOOK = "env | sort > environment; tty > tty 2>&1; locale > locale 2>/dev/null || true"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(2 * PATIENCE_S),
    pytest.mark.skipif(shutil.which("cron") is None, reason="the Debian package cron is not installed"),
    pytest.mark.skipif(os.geteuid() != 0, reason="a crontab in /etc/cron.d needs root"),
    pytest.mark.skipif(not TABLES.is_dir(), reason="there is no /etc/cron.d"),
]


@pytest.fixture
def crontab(tmp_path):
    """Installs lines of cron, and a cron daemon if none runs; takes both away again."""
    table = TABLES / f"jobctl-test-{os.getpid()}"
    started = []

    def install(*lines):
        head = ("SHELL=/bin/sh", 'MAILTO=""', f"HOME={tmp_path}")
        table.write_text("\n".join([*head, *(f"* * * * * root {line}" for line in lines), ""]))
        table.chmod(0o644)
        if subprocess.run(["pgrep", "-x", "cron"], capture_output=True).returncode:
            started.append(subprocess.Popen(["cron", "-f"], stdin=subprocess.DEVNULL))

    yield install
    table.unlink(missing_ok=True)
    for daemon in started:
        daemon.send_signal(signal.SIGTERM)
        daemon.wait(60)
    home = Home(tmp_path / ".local/state/jobctl")
    if home.root.exists():
        sweep(StartOptions(home, 1).store_id, grace_s=0.1)


def escaped(line):
    """In a crontab % is the end of the line."""
    return line.replace("%", r"\%")


def program():
    """The installed command, by its full path: the PATH of cron does not have it."""
    script = Path(sys.executable).parent / "jobctl"
    return shlex.quote(str(script)) if script.exists() else f"{shlex.quote(sys.executable)} -m jobctl"


def test_one_line_of_cron(tmp_path, crontab):
    """The same line twice in one table is one run; what fails is told once, and the next minute converges."""
    (tmp_path / "rows.csv").write_text("id,name\n1,Zürich\n2,Genf\n3,Bern\n", encoding="utf-8")
    script = f'{LOOK}; echo "$1 $2" >> ran; test "$1" != 2 || test -e mended || {{ echo "no such city" >&2; exit 65; }}'
    command = f"sh -c {shlex.quote(script)} load {{id}} {{name}}"
    key = '--key "day-$(date +%F)" --on-duplicate resume'
    line = f"cd {tmp_path}; {program()} run rows.csv {key} -q -- {command}"
    # Each line appends what it said and how it ended, as the mail of cron would have it.
    record = "; echo $? >> codes"
    crontab(*(escaped(f"({line}) >> said.{n} 2>&1{record}.{n}") for n in (1, 2)))

    codes = [tmp_path / f"codes.{n}" for n in (1, 2)]
    wait_until(lambda: all(path.exists() and path.read_text() for path in codes), PATIENCE_S, "the first minute")
    (tmp_path / "mended").touch()
    first = [path.read_text().split()[0] for path in codes]
    assert first in (["3", "3"], ["3", "0"], ["0", "3"])
    ran = (tmp_path / "ran").read_text(encoding="utf-8").splitlines()
    assert sorted(set(ran)) == ["1 Zürich", "2 Genf", "3 Bern"]
    assert (ran.count("1 Zürich"), ran.count("3 Bern")) == (1, 1)  # twice the line, one run
    said = (tmp_path / "said.1").read_text() + (tmp_path / "said.2").read_text()
    assert "job 1 (rows) partial: 2 succeeded, 1 failed" in said
    assert "1x exit_65: no such city (item 2)" in said

    wait_until(lambda: all(path.read_text().split()[-1] == "0" for path in codes), PATIENCE_S, "the second minute")
    after = (tmp_path / "ran").read_text(encoding="utf-8").splitlines()
    assert (after.count("1 Zürich"), after.count("3 Bern")) == (1, 1)
    assert after.count("2 Genf") > ran.count("2 Genf") or first != ["3", "3"]
    said_then = (tmp_path / "said.1").read_text() + (tmp_path / "said.2").read_text()
    assert said_then == said  # silent on success

    environment = dict(
        line.split("=", 1) for line in (tmp_path / "environment").read_text().splitlines() if "=" in line
    )
    assert environment["PATH"] == "/usr/bin:/bin"
    assert environment["HOME"] == str(tmp_path)
    assert not [name for name in environment if name == "LANG" or name.startswith("LC_")]
    assert (tmp_path / "tty").read_text() == "not a tty\n"
    assert (tmp_path / ".local/state/jobctl/jobctl.db").exists()  # found by HOME alone
