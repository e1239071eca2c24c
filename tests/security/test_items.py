"""The descriptors and signals that an item inherits (S17), and the code that data cannot make jobctl run (S12)."""

from __future__ import annotations

import ast
import os
import signal
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

import jobctl
from tests.wait import wait_until

SOURCE = Path(jobctl.__file__).parent
LOOK = "ls -l /proc/self/fd > fds.$1; cat /proc/$$/stat > stat.$1; exec cat /proc/self/status > status.$1"

#: Starts a command with a full hand: signals ignored and blocked, descriptors open, a lock held.
DIRTY = """
import fcntl, os, signal, sys
for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP, signal.SIGCHLD}:
    try:
        signal.signal(number, signal.SIG_IGN)
    except OSError:
        pass
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM, signal.SIGUSR1, signal.SIGALRM])
for number in range(10, 30):
    os.dup2(os.open("/etc/passwd", os.O_RDONLY), number, inheritable=True)
os.execvp(sys.argv[1], sys.argv[1:])
"""


#: Signals 32 and 33: the C library lets no program set them, and the starter of the tests may have left them set.
OF_THE_C_LIBRARY = 3 << 31


@pytest.mark.parametrize("how", ["daemon", "run"])
def test_s17_an_item_has_three_descriptors_no_signal_ignored_or_blocked_and_a_session_of_its_own(cli, how):
    cli.file("rows.txt", "1\n2\n3\n")
    words = ("rows.txt", "--", "sh", "-c", LOOK, "sh", "{}")
    start = ("daemon", "start") if how == "daemon" else ("run", *words)
    done = subprocess.run(
        [sys.executable, "-c", DIRTY, *cli.program, *start],
        cwd=cli.work,
        env=cli.env,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    if how == "daemon":
        cli.submit(*words)
        cli("wait", "1")
    for item in "123":
        lines = (cli.work / f"fds.{item}").read_text().splitlines()[1:]
        targets = {int(line.split(" -> ")[0].split()[-1]): line.split(" -> ")[1] for line in lines}
        own = {number for number, target in targets.items() if not target.startswith("/proc/")}
        assert own == {0, 1, 2} or own == {0, 2, 1}, targets
        assert targets[0] == "/dev/null" and str(cli.home.logs) in targets[2]
        status = dict(line.split(":", 1) for line in (cli.work / f"status.{item}").read_text().splitlines())
        for mask in ("SigBlk", "SigIgn"):
            assert int(status[mask], 16) & ~OF_THE_C_LIBRARY == 0, (mask, status[mask])
        fields = (cli.work / f"stat.{item}").read_text().rpartition(")")[2].split()
        pid = int((cli.work / f"stat.{item}").read_text().split()[0])
        assert int(fields[2]) == int(fields[3]) == pid, "it leads a session and a process group"


def test_s17_the_lock_is_not_inherited(cli):
    cli.file("rows.txt", "1\n")
    cli("daemon", "start")
    cli.submit("rows.txt", "--", "sh", "-c", "touch here; exec sleep 300")
    wait_until((cli.work / "here").exists, 60, "the item to run")
    supervisor = cli.daemon_pid()
    os.kill(cli.engine_pid(), signal.SIGSTOP)  # it would end the item
    os.kill(supervisor, signal.SIGKILL)
    wait_until(lambda: cli.daemon_pid() is None, 60, "the lock to be free, also with living processes")


#: Ways to make code of data.
FORBIDDEN = {"pickle", "cPickle", "dill", "shelve", "jsonpickle", "yaml", "cloudpickle"}
CALLS = {"eval", "exec", "__import__"}
#: Functions that were named on the command line of a submit, which is trusted; never by a row.
NAMED = ("worker/load.py", "__import__")
#: Where marshal reads what our own processes wrote to a socket, to shared memory or to a private file.
MARSHAL = ("process/", "engine/", "supervisor/", "worker/")


@cache
def modules():
    return [(str(path.relative_to(SOURCE)), ast.parse(path.read_text())) for path in sorted(SOURCE.rglob("*.py"))]


def test_s12_nothing_is_unpickled_or_evaluated():
    found = []
    for name, tree in modules():
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                found += [(name, alias.name) for alias in node.names if alias.name.split(".")[0] in FORBIDDEN]
            elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in FORBIDDEN:
                found.append((name, node.module))
            elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in CALLS:
                found.append((name, node.func.id))
    assert [use for use in found if use != NAMED] == []


def test_s12_marshal_reads_nothing_that_strangers_wrote():
    users = {name for name, tree in modules() if any(is_import_of(node, "marshal") for node in ast.walk(tree))}
    assert users and all(name.startswith(MARSHAL) for name in users)


def is_import_of(node, module):
    return isinstance(node, ast.Import) and any(alias.name == module for alias in node.names)


def test_s1_no_shell_but_for_what_was_given_as_shell_text():
    """The one shell of items is /bin/sh -c TEXT of --shell; hooks run the text that the submitter gave."""
    shells = []
    for name, tree in modules():
        for node in ast.walk(tree):
            if isinstance(node, ast.keyword) and node.arg == "shell" and getattr(node.value, "value", None) is True:
                shells.append(name)
            if isinstance(node, ast.Attribute) and node.attr in ("system", "popen", "getoutput", "spawnlp"):
                shells.append(f"{name}: {node.attr}")
    assert shells == []
