"""The files that may hold settings: where jobctl looks for them, which it ignores, and what they contain."""

from __future__ import annotations

import os
import re
import stat
import sys
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from jobctl.errors import UsageError

PROJECT_FILE = "jobctl.toml"
FILE = "config.toml"
#: Bytes of a file; nobody writes this much by hand.
LIMIT = 1 << 18
#: A key of so many parts that the parser, whose time grows with their square, would be busy for minutes.
_ENDLESS_KEY = re.compile(r"""(?:(?:"[^"\n]*+"|'[^'\n]*+'|(?<![\w-])[\w-]++)[ \t]*+\.[ \t]*+){64}""", re.ASCII)


class Place(NamedTuple):
    """A file that may hold settings."""

    layer: str  # project | user | system
    path: str
    exists: bool
    ignored: str = ""  # why it is not read


def places(environ: Mapping[str, str], cwd: str) -> Iterator[Place]:
    """The files that are looked at, the strongest first."""
    yield _project(cwd)
    for layer, folders in (("user", [user_folder(environ)]), ("system", _system_folders(environ))):
        paths = [os.path.join(folder, FILE) for folder in folders if folder]
        path = next((path for path in paths if os.path.exists(path)), paths[0] if paths else "")
        yield _judged(layer, path) if path else Place(layer, FILE, False)


def _judged(layer: str, path: str) -> Place:
    try:
        facts = os.stat(path)
    except OSError:
        return Place(layer, path, False)
    return Place(layer, path, True, _passed_by(facts) or _passed_by_group(facts) or _passed_by_folder(path))


def _project(cwd: str) -> Place:
    """The nearest ``jobctl.toml``. One that somebody else can write is passed by: it could name commands to run.

    A group may write it: what can do harm counts only for the bytes that the user trusted.
    """
    folder, passed = cwd, None
    while True:
        place = judged_project(os.path.join(folder, PROJECT_FILE))
        if place.exists and not place.ignored:
            return place
        passed = passed or (place if place.exists else None)
        parent = os.path.dirname(folder)
        if parent == folder:
            return passed or Place("project", os.path.join(cwd, PROJECT_FILE), False)
        folder = parent


def judged_project(path: str) -> Place:
    """A ``jobctl.toml`` and whether it is passed by; what is not a regular file is not there."""
    try:
        facts = os.stat(path)
    except OSError:
        return Place("project", path, False)
    if not stat.S_ISREG(facts.st_mode):
        return Place("project", path, False)
    return Place("project", path, True, _passed_by(facts) or _passed_by_link(path))


def _passed_by(facts: os.stat_result) -> str:
    if not stat.S_ISREG(facts.st_mode):
        return "it is not a regular file"
    if facts.st_uid not in (os.geteuid(), 0):
        return "it belongs to another user"
    return "everybody can write it" if facts.st_mode & stat.S_IWOTH else ""


def _passed_by_group(facts: os.stat_result) -> str:
    """A file with no other guard is not read when somebody else is in the group that can write it."""
    if not facts.st_mode & stat.S_IWGRP or facts.st_gid == 0:
        return ""
    import grp
    import pwd

    try:
        group, owner = grp.getgrgid(facts.st_gid), pwd.getpwuid(facts.st_uid).pw_name
    except KeyError:
        return "its group can write it"
    is_private = group.gr_name == owner and not set(group.gr_mem) - {owner}
    return "" if is_private else "its group can write it"


def _passed_by_folder(path: str) -> str:
    """Who can write the folder can put another file in the place of this one."""
    try:
        facts = os.stat(os.path.dirname(path))
    except OSError:
        return ""
    if facts.st_uid not in (os.geteuid(), 0):
        return "its folder belongs to another user"
    everybody = facts.st_mode & stat.S_IWOTH and not facts.st_mode & stat.S_ISVTX
    return "everybody can write its folder" if everybody else ""


def _passed_by_link(path: str) -> str:
    """A link that another user made chooses which file of ours is read, and from which folder."""
    try:
        owner = os.lstat(path).st_uid
    except OSError:
        return ""
    return "" if owner in (os.geteuid(), 0) else "it is a link of another user"


def user_folder(environ: Mapping[str, str]) -> str:
    """The folder of the user's settings; empty where there is none.

    A relative one would be looked for in the working directory, where a stranger's files may be.
    """
    if sys.platform == "linux":  # what platformdirs says, for a tenth of its import
        base = environ.get("XDG_CONFIG_HOME", "").strip()
        base = base if os.path.isabs(base) else os.path.expanduser("~/.config")
        return os.path.join(base, "jobctl") if os.path.isabs(base) else ""
    from platformdirs import user_config_dir

    return user_config_dir("jobctl", appauthor=False)


def _system_folders(environ: Mapping[str, str]) -> list[str]:
    if sys.platform == "linux":
        bases = [base for base in environ.get("XDG_CONFIG_DIRS", "").split(":") if os.path.isabs(base)] or ["/etc/xdg"]
        return [os.path.join(base, "jobctl") for base in bases]
    from platformdirs import site_config_dir

    return [site_config_dir("jobctl", appauthor=False)]


def content(path: str) -> bytes:
    """The bytes of a file; raises UsageError for one that cannot be read, is no regular file, or is too large."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)  # a FIFO would keep us for ever
        with open(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise UsageError(f"{path} is not a regular file", hint="jobctl config path")
            found = file.read(LIMIT + 1)
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}", hint="jobctl config path") from error
    if len(found) > LIMIT:
        raise UsageError(f"{path} is larger than {LIMIT >> 10} KiB", hint="settings are short; see jobctl-config(5)")
    return found


def parsed(path: str, text: bytes) -> dict[str, Any]:
    """What TOML says; raises UsageError for a text that is none, or that is nested too deep to be read."""
    import tomllib

    try:
        decoded = text.decode()
        if _ENDLESS_KEY.search(decoded):
            raise RecursionError
        return tomllib.loads(decoded)
    except RecursionError:
        raise UsageError(f"{path} is nested too deep", hint="see jobctl-config(5)") from None
    except ValueError as error:  # also a number of thousands of digits, and bytes that are not UTF-8
        raise UsageError(f"{path} is not TOML: {error}", hint="see jobctl-config(5)") from error
