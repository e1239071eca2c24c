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
#: The largest file in bytes; nobody writes that much by hand.
LIMIT = 1 << 18
#: A key with so many parts that the parser would take minutes: its time grows with the square of their number.
_ENDLESS_KEY = re.compile(r"""(?:(?:"[^"\n]*+"|'[^'\n]*+'|(?<![\w-])[\w-]++)[ \t]*+\.[ \t]*+){64}""", re.ASCII)


class SettingsFile(NamedTuple):
    """A file that may hold settings."""

    layer: str  # project | user | system
    path: str
    exists: bool
    ignored: str = ""  # why it is not read


def settings_files(environ: Mapping[str, str], cwd: str) -> Iterator[SettingsFile]:
    """The files in which jobctl looks for settings, the strongest first."""
    yield _project(cwd)
    for layer, folders in (("user", [user_folder(environ)]), ("system", _system_folders(environ))):
        paths = [os.path.join(folder, FILE) for folder in folders if folder]
        path = next((path for path in paths if os.path.exists(path)), paths[0] if paths else "")
        yield _shared_file(layer, path) if path else SettingsFile(layer, FILE, False)


def _shared_file(layer: str, path: str) -> SettingsFile:
    try:
        facts = os.stat(path)
    except OSError:
        return SettingsFile(layer, path, False)
    return SettingsFile(layer, path, True, _fault_of_owner(facts) or _fault_of_group(facts) or _fault_of_folder(path))


def _project(cwd: str) -> SettingsFile:
    """The nearest ``jobctl.toml`` that is not ignored. One that everybody can write is: it could name commands to run.

    Its group may write it, because keys that can do harm count only for the bytes that the user trusted.
    """
    folder, first = cwd, None
    while True:
        found = project_file(os.path.join(folder, PROJECT_FILE))
        if found.exists and not found.ignored:
            return found
        first = first or (found if found.exists else None)
        parent = os.path.dirname(folder)
        if parent == folder:
            return first or SettingsFile("project", os.path.join(cwd, PROJECT_FILE), False)
        folder = parent


def project_file(path: str) -> SettingsFile:
    """A ``jobctl.toml``, and why it is ignored. Anything but a regular file counts as absent."""
    try:
        facts = os.stat(path)
    except OSError:
        return SettingsFile("project", path, False)
    if not stat.S_ISREG(facts.st_mode):
        return SettingsFile("project", path, False)
    return SettingsFile("project", path, True, _fault_of_owner(facts) or _fault_of_link(path))


def _fault_of_owner(facts: os.stat_result) -> str:
    if not stat.S_ISREG(facts.st_mode):
        return "it is not a regular file"
    if facts.st_uid not in (os.geteuid(), 0):
        return "it belongs to another user"
    return "everybody can write it" if facts.st_mode & stat.S_IWOTH else ""


def _fault_of_group(facts: os.stat_result) -> str:
    """A file of the user or the system is ignored if its group can write it and has other members."""
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


def _fault_of_folder(path: str) -> str:
    """Whoever can write the folder can replace the file."""
    try:
        facts = os.stat(os.path.dirname(path))
    except OSError:
        return ""
    if facts.st_uid not in (os.geteuid(), 0):
        return "its folder belongs to another user"
    everybody = facts.st_mode & stat.S_IWOTH and not facts.st_mode & stat.S_ISVTX
    return "everybody can write its folder" if everybody else ""


def _fault_of_link(path: str) -> str:
    """A link of another user could choose which of our files is read, and from which folder."""
    try:
        owner = os.lstat(path).st_uid
    except OSError:
        return ""
    return "" if owner in (os.geteuid(), 0) else "it is a link of another user"


def user_folder(environ: Mapping[str, str]) -> str:
    """The folder of the user's settings; empty if there is none.

    A relative path counts as none: it would lead into the working directory, where files of strangers may be.
    """
    if sys.platform == "linux":  # the answer of platformdirs, in a tenth of the time that importing it takes
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
    """The bytes of a file. Raises UsageError if it cannot be read, is not a regular file, or is too large."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)  # opening a FIFO would block for ever
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
    """What a TOML text says. Raises UsageError for any other text, and for one that is nested too deep."""
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
