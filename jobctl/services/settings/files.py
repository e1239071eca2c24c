"""Find the files of settings, decide which of them must be ignored, and read them."""

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
#: The size in bytes of the largest file that is read; a person does not write more by hand.
LIMIT = 1 << 18
#: A key with very many parts. The parser would take minutes, because its time grows with the square of their number.
_ENDLESS_KEY = re.compile(r"""(?:(?:"[^"\n]*+"|'[^'\n]*+'|(?<![\w-])[\w-]++)[ \t]*+\.[ \t]*+){64}""", re.ASCII)


class SettingsFile(NamedTuple):
    """A file that may contain settings."""

    layer: str  # project | user | system
    path: str
    exists: bool
    ignored: str = ""  # the reason why it is not read


def settings_files(environ: Mapping[str, str], cwd: str) -> Iterator[SettingsFile]:
    """Yield the files in which jobctl looks for settings, the one with the highest precedence first."""
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
    """Find the nearest ``jobctl.toml`` that is not ignored. A file that every user can write is ignored: it could name
    commands to run.

    Its group may write it, because keys that can do harm take effect only for the bytes that the user trusted.
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
    """Return a ``jobctl.toml`` with the reason why it is ignored. Anything but a regular file counts as absent."""
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
    """A user who can write the folder can replace the file."""
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
    """Return the folder of the user's settings; empty if there is none.

    A relative path does not count: it would lead into the working directory, which may have files of strangers.
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
    """Return the bytes of a file. Raises UsageError if it cannot be read, is not a regular file, or is too large."""
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
    """Return the tables of a TOML text. Raises UsageError for other texts, and for one that is nested too deep."""
    import tomllib

    try:
        decoded = text.decode()
        if _ENDLESS_KEY.search(decoded):
            raise RecursionError
        return tomllib.loads(decoded)
    except RecursionError:
        raise UsageError(f"{path} is nested too deeply", hint="see jobctl-config(5)") from None
    except ValueError as error:  # also for a number of thousands of digits, and for bytes that are not UTF-8
        raise UsageError(f"{path} is not TOML: {error}", hint="see jobctl-config(5)") from error
