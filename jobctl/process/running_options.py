"""The options of a running daemon and the program that manages it, read from its process."""

from __future__ import annotations

import os
from typing import NamedTuple

from jobctl.process.start_options import FOREGROUND, GIVEN, StartOptions

#: The variable in which systemd names the process that it started. Children inherit it with that number.
_SYSTEMD_PID = "SYSTEMD_EXEC_PID"
_SUFFIX = ".service"


class RunningOptions(NamedTuple):
    """The options of a daemon as it runs."""

    options: StartOptions
    given: tuple[str, ...]  # slots, cluster: those that the settings did not decide
    foreground: bool  # it runs in the terminal or container of a program that waits for it


def running_options(pid: int) -> RunningOptions | None:
    """Return the options of a daemon; None if the system does not show its command line, or it is gone."""
    words = [os.fsdecode(word) for word in _read(f"/proc/{pid}/cmdline").split(b"\0")]
    if "--" not in words:
        return None
    end = words.index("--")
    try:
        options = StartOptions.from_argv(words[end + 1 :])
    except (KeyError, ValueError):  # the engine is another program, as in tests
        return None
    given = next((word.removeprefix(GIVEN) for word in words[:end] if word.startswith(GIVEN)), "slots,cluster")
    return RunningOptions(options, tuple(filter(None, given.split(","))), FOREGROUND in words[:end])


def systemd_unit(pid: int, root: str = "/") -> tuple[str, bool] | None:
    """Return the unit as which systemd runs a process, and whether it is a user's; None if systemd did not start it.

    A process that a service has started, such as a job of cron, is in the control group of that service, and inherits
    its variables. So the process number in the variable decides.
    """
    place = os.path.join(root, f"proc/{pid}")
    if f"{_SYSTEMD_PID}={pid}".encode() not in _read(f"{place}/environ").split(b"\0"):
        return None
    groups = _read(f"{place}/cgroup").decode("utf-8", "replace").splitlines()
    path = next((line.rpartition(":")[2] for line in groups if line.endswith(_SUFFIX)), "")
    return (path.rpartition("/")[2], "/user@" in path) if path else None


def _read(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError:
        return b""
