"""The messages of a daemon to its service manager, on a real socket."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from jobctl.supervisor.service_manager import ServiceManager

PATIENCE_S = 60


@pytest.fixture
def manager(tmp_path: Path) -> socket.socket:
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    listener.bind(str(tmp_path / "notify"))
    listener.settimeout(PATIENCE_S)
    yield listener
    listener.close()


def heard(manager: socket.socket, until: bytes) -> list[bytes]:
    messages = [manager.recv(100)]
    while messages[-1] != until:
        messages.append(manager.recv(100))
    return messages


def test_a_daemon_reports_ready_alive_and_stopping(manager: socket.socket, tmp_path: Path) -> None:
    env = {
        **os.environ,
        "JOBCTL_HOME": str(tmp_path / "store"),
        "NOTIFY_SOCKET": str(tmp_path / "notify"),
        "WATCHDOG_USEC": "200000",
    }
    daemon = subprocess.Popen([sys.executable, "-m", "jobctl", "daemon", "run", "-j", "1"], env=env)
    try:
        heard(manager, b"READY=1")
        heard(manager, b"WATCHDOG=1")
        daemon.send_signal(signal.SIGTERM)
        heard(manager, b"STOPPING=1")
        assert daemon.wait(PATIENCE_S) == 0
    finally:
        daemon.kill()
        daemon.wait()


def test_children_do_not_inherit_the_address_and_an_abstract_address_works() -> None:
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    listener.settimeout(PATIENCE_S)
    name = f"jobctl-test-{os.getpid()}"
    listener.bind("\0" + name)
    environ = {"NOTIFY_SOCKET": f"@{name}", "PATH": "/bin"}
    ServiceManager(environ).tell("READY=1")
    assert environ == {"PATH": "/bin"}
    assert listener.recv(100) == b"READY=1"
    listener.close()


def test_a_watchdog_of_another_process_is_ignored() -> None:
    environ = {"NOTIFY_SOCKET": "/nowhere", "WATCHDOG_USEC": "1000000", "WATCHDOG_PID": "1"}
    assert ServiceManager(environ).due == float("inf")
    ServiceManager({"NOTIFY_SOCKET": "/nowhere"}).tell("READY=1")  # nothing listens there: no error
