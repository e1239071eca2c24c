"""The environment of items: a small allow-list of the submitter's, what was given by value, and names of secrets."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from jobctl.errors import UsageError

#: Taken from the submitter and kept with the job. LC_* is matched by prefix.
ALLOWED = (
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "SHELL",
    "LANG",
    "TZ",
    "VIRTUAL_ENV",
    "CONDA_PREFIX",
)
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")


#: What Python puts into LC_CTYPE, and its environment, when it is started without any locale (PEP 538).
_PYTHONS_CHOICE = ("C.UTF-8", "C.utf8", "UTF-8")


def submitter_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """What is kept of the submitter's environment; items shall not see what Python added to it."""
    kept = {k: v for k, v in environ.items() if k in ALLOWED or k.startswith("LC_")}
    if kept.get("LC_CTYPE") in _PYTHONS_CHOICE and "LC_ALL" not in kept and not _was_given(b"LC_CTYPE"):
        del kept["LC_CTYPE"]
    return kept


def _was_given(name: bytes) -> bool:
    """Whether this process was started with a variable; True where the system does not tell."""
    try:
        block = Path("/proc/self/environ").read_bytes()
    except OSError:
        return True
    return any(entry.startswith(name + b"=") for entry in block.split(b"\0"))


def split_options(options: Iterable[str]) -> tuple[dict[str, str], list[str]]:
    """``--env`` values to (given by value, given by name only). Raises UsageError for something that is no name."""
    values: dict[str, str] = {}
    names: list[str] = []
    for option in options:
        name, given, value = option.partition("=")
        if not _NAME.match(name):
            hint = "--env NAME or --env NAME=VALUE"
            raise UsageError(f"--env {option!r}: {name!r} is not a name of a variable", hint=hint)
        if name.startswith("JOBCTL_"):
            raise UsageError(f"--env {name}: names that begin with JOBCTL_ are set by jobctl itself")
        if given:
            values[name] = value
        else:
            names.append(name)
    return values, names


def read_env_file(path: Path) -> dict[str, str]:
    """NAME=VALUE lines of a file, ``#`` comments and blank lines aside; one pair of quotes around a value is dropped.

    Raises UsageError naming the line that is neither.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or error
        raise UsageError(f"--env-file {path}: {why}", hint="it must be readable when items start") from error
    found: dict[str, str] = {}
    for number, line in enumerate(lines, 1):
        text = line.strip().removeprefix("export ").strip()
        if not text or text.startswith("#"):
            continue
        name, given, value = text.partition("=")
        if not given or not _NAME.match(name.strip()):
            raise UsageError(f"--env-file {path}: line {number} is not NAME=VALUE")
        value = value.strip()
        if len(value) >= 2 and value[0] == value[-1] and value[0] in "'\"":
            value = value[1:-1]
        found[name.strip()] = value
    return found


def job_environment(stored: Mapping[str, str], names: Iterable[str], env_file: Path | None) -> dict[str, str]:
    """The variables items of a job get: stored values, then the env file, then values of names from our environment.

    A name that nobody knows is left out. Values from names and files are never stored.
    """
    return {**stored, **secrets(names, env_file)}


def secrets(names: Iterable[str], env_file: Path | None) -> dict[str, str]:
    """What is looked up when items start and never stored: the env file, then values of names from our environment."""
    found = read_env_file(env_file) if env_file is not None else {}
    for name in names:
        if name not in found and name in os.environ:
            found[name] = os.environ[name]
    return found
