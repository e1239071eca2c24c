"""Facts about one process: whether it exists, how much memory it uses, and whether a logout ends it.

systemd can be configured to end every process that a login session leaves behind. A daemon that was started in such a
session would end when its user logs out.
"""

from __future__ import annotations

import os
import pwd
import re
from collections.abc import Iterator

_SESSION = re.compile(r"/session-[^/]*\.scope")
_SETTING = re.compile(r"^\s*KillUserProcesses\s*=\s*(\S+)", re.MULTILINE)
_CONFIGURATION_PLACES = ("/usr/lib/systemd/logind.conf.d", "/etc/systemd/logind.conf", "/etc/systemd/logind.conf.d")


def process_exists(pid: int) -> bool:
    """True if a process with this pid exists, also one of another user."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def resident_bytes(pid: int) -> int | None:
    """Memory that a process has in RAM; None if the process is gone or the system does not report it."""
    try:
        with open(f"/proc/{pid}/statm", "rb") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError):
        return None


def ends_with_session(pid: int, root: str = "/") -> bool:
    """True if a process belongs to a login session whose processes end at logout; False if that is not known."""
    return _in_session(pid, root) and _sessions_are_ended(root) and not _lingers(root)


def _in_session(pid: int, root: str) -> bool:
    return _SESSION.search(_read(os.path.join(root, f"proc/{pid}/cgroup"))) is not None


def _sessions_are_ended(root: str) -> bool:
    """The last file that contains the setting decides."""
    values = [found for path in _files(root) for found in _SETTING.findall(_read(path))]
    return bool(values) and values[-1].lower() in ("yes", "true", "on", "1")


def _files(root: str) -> Iterator[str]:
    for place in _CONFIGURATION_PLACES:
        path = os.path.join(root, place.lstrip("/"))
        if os.path.isdir(path):
            yield from sorted(os.path.join(path, name) for name in os.listdir(path) if name.endswith(".conf"))
        else:
            yield path


def _lingers(root: str) -> bool:
    try:
        user = pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return False
    return os.path.exists(os.path.join(root, "var/lib/systemd/linger", user))


def _read(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return ""
