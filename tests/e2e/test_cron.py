"""A line of a crontab, run by the real cron daemon: no terminal, a short PATH, no locale, HOME only.

cron looks at its tables once a minute, so this waits for the minute to turn. It needs root, for a table of its own in
/etc/cron.d and a cron daemon.
"""

import fcntl
import os
import shlex
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from jobctl.config import Home
from jobctl.process.daemon_handle import DaemonHandle
from jobctl.process.start_options import StartOptions
from jobctl.process.sweep import sweep
from tests.documentation import blocks, schedule_and_command
from tests.wait import wait_until

#: A minute, and what a busy machine adds to it.
PATIENCE_S = 150
TABLES = Path("/etc/cron.d")
#: What cron gives to a line, and what jobctl lets through of it.
LOOK = "env | sort > environment; tty > tty 2>&1; locale > locale 2>/dev/null || true"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(6 * PATIENCE_S),  # another test may have the lock for two times its patience
    pytest.mark.skipif(shutil.which("cron") is None, reason="the Debian package cron is not installed"),
    pytest.mark.skipif(os.geteuid() != 0, reason="a crontab in /etc/cron.d needs root"),
    pytest.mark.skipif(not TABLES.is_dir(), reason="there is no /etc/cron.d"),
]


@pytest.fixture
def crontab(tmp_path):
    """Installs lines of cron, and a cron daemon if none runs; takes both away again.

    A machine has one cron daemon. Under the lock, no test stops the daemon that another test started.
    """
    lock = os.open(TABLES, os.O_RDONLY | os.O_CLOEXEC)
    fcntl.flock(lock, fcntl.LOCK_EX)
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
    os.close(lock)
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
    script = f'{LOOK}; echo "$1 $2" >> ran; test "$1" != 2 || test -e fixed || {{ echo "no such city" >&2; exit 65; }}'
    command = f"sh -c {shlex.quote(script)} load {{id}} {{name}}"
    key = '--key "day-$(date +%F)" --on-duplicate resume'
    line = f"cd {tmp_path}; {program()} run rows.csv {key} -q -- {command}"
    # Each line appends what it said and how it ended, as the mail of cron would have it.
    record = "; echo $? >> codes"
    crontab(*(escaped(f"({line}) >> said.{n} 2>&1{record}.{n}") for n in (1, 2)))

    codes = [tmp_path / f"codes.{n}" for n in (1, 2)]
    wait_until(lambda: all(path.exists() and path.read_text() for path in codes), PATIENCE_S, "the first minute")
    (tmp_path / "fixed").touch()
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


#: What the lines of the documents need below the home directory of their user: (path, text); programs are executable.
_PROGRAM = '#!/bin/sh\ntest -n "$1" && echo "$1" >> "$HOME/ran"\n'
_DOCUMENTED = {
    "exports/export.csv": "id\n1\n2\n3\n",
    "exports/import": _PROGRAM,
    "imports/day.csv": "id\n1\n2\n3\n",
    "imports/load": _PROGRAM,
}


def documented():
    """(where, line) of every line of a crontab in README.md, the man pages, the help texts and the examples."""
    found = [(block.where, line) for block in blocks() for line in block.crontab]
    return list({line: (where, line) for where, line in found}.values())


def home_for(folder, command):
    """A home directory with jobctl installed for its user, what the line reads and runs, and no more."""
    for name, text in _DOCUMENTED.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(0o755)
    installed = folder / ".local/bin/jobctl"
    installed.parent.mkdir(parents=True)
    installed.write_text(f'#!/bin/sh\nexec {program()} "$@"\n')
    installed.chmod(0o755)
    exporter = Path("/var/lib/node_exporter/textfile")
    if str(exporter) in command and not exporter.exists():
        command = command.replace(str(exporter), str(folder))
    return command


@pytest.fixture
def documented_table(tmp_path):
    """Every documented line in one table, each with a home directory of its own; (folder, where, line) of each."""
    table = TABLES / f"jobctl-test-documents-{os.getpid()}"
    text, cases = ["SHELL=/bin/sh", 'MAILTO=""'], []
    for number, (where, line) in enumerate(documented()):
        folder = tmp_path / f"user{number}"
        folder.mkdir()
        command = home_for(folder, schedule_and_command(line)[1])
        text += [f"HOME={folder}", f"* * * * * root ({command}) > $HOME/said 2>&1; echo $? >> $HOME/codes"]
        cases.append((folder, where, line))
    table.write_text("\n".join([*text, ""]))
    table.chmod(0o644)
    started = []
    if subprocess.run(["pgrep", "-x", "cron"], capture_output=True).returncode:
        started.append(subprocess.Popen(["cron", "-f"], stdin=subprocess.DEVNULL))
    yield cases
    table.unlink(missing_ok=True)
    for daemon in started:
        daemon.send_signal(signal.SIGTERM)
        daemon.wait(30)
    for folder, _, _ in cases:
        end_daemon(folder)


def end_daemon(folder):
    """A documented line may have started one."""
    home = Home(folder / ".local/state/jobctl")
    if not home.root.exists():
        return
    daemon = DaemonHandle.find(home.lock)
    if daemon is not None:
        daemon.send(signal.SIGKILL)
        daemon.wait_gone(30)
        daemon.close()
    sweep(StartOptions(home, 1).store_id, grace_s=0.1)


def test_every_documented_line_of_a_crontab_works_under_cron(documented_table):
    """The line as documented, with the PATH of cron; only its time is every minute."""
    assert len(documented_table) >= 5

    def ended():
        return all((folder / "codes").exists() and (folder / "codes").read_text() for folder, _, _ in documented_table)

    wait_until(ended, PATIENCE_S, "every line to have run once")
    for folder, where, line in documented_table:
        said = (folder / "said").read_text()
        assert (folder / "codes").read_text().split()[0] == "0", f"{where}: {line}\n{said}"
        assert "not found" not in said and "Traceback" not in said, f"{where}: {line}\n{said}"
        if " run " in line and "daemon" not in line:
            assert sorted((folder / "ran").read_text().split())[:3] == ["1", "2", "3"], f"{where}: {line}\n{said}"
            assert said == "", f"{where}: {line}\n{said}"


def test_cron_takes_the_schedules_of_the_documents(tmp_path):
    """A table with a wrong schedule is refused as a whole."""
    table = tmp_path / "crontab"
    table.write_text("".join(f"{line}\n" for _, line in documented()))
    done = subprocess.run(["crontab", "-n", table], capture_output=True, text=True)
    if "invalid option" in done.stderr:
        pytest.skip("this crontab has no option -n, which checks a table")
    assert done.returncode == 0, done.stderr
