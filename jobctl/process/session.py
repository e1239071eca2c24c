"""Whether a process ends when its user logs out: systemd can be told to end whatever a login session leaves behind."""

from __future__ import annotations

import os
import pwd
import re
from collections.abc import Iterator

_SESSION = re.compile(r"/session-[^/]*\.scope")
_SETTING = re.compile(r"^\s*KillUserProcesses\s*=\s*(\S+)", re.MULTILINE)
_CONFIGURATION = ("/usr/lib/systemd/logind.conf.d", "/etc/systemd/logind.conf", "/etc/systemd/logind.conf.d")


def ends_with_session(pid: int, root: str = "/") -> bool:
    """Whether a process belongs to a login session whose processes are ended at logout; False if nobody can say."""
    return _in_session(pid, root) and _sessions_are_ended(root) and not _lingers(root)


def _in_session(pid: int, root: str) -> bool:
    return _SESSION.search(_read(os.path.join(root, f"proc/{pid}/cgroup"))) is not None


def _sessions_are_ended(root: str) -> bool:
    """As the last file that says anything about it says."""
    said = [found for path in _files(root) for found in _SETTING.findall(_read(path))]
    return bool(said) and said[-1].lower() in ("yes", "true", "on", "1")


def _files(root: str) -> Iterator[str]:
    for place in _CONFIGURATION:
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
