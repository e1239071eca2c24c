"""Makes the environment of items: a few variables of the submitter, those given by value, and secrets by name."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterable, Mapping
from pathlib import Path

from jobctl.errors import UsageError
from jobctl.handlers.attempt import ARGUMENT_LIMIT, TOTAL_LIMIT

#: The variables of the submitter that the job stores. LC_* is matched by prefix.
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
_ASSIGNMENT = re.compile(r"(?:export[ \t]+)?([A-Za-z_][A-Za-z0-9_]*)[ \t]*=(.*)\Z", re.DOTALL)
_BLANKS = " \t\r"
_LONGEST_FILE = 1 << 20
#: The arguments of a command get the other half of the bytes that the system allows for both.
LARGEST_ENVIRONMENT = TOTAL_LIMIT // 2
#: Many programs need these variables, and items do not get them without an option.
WELL_KNOWN = (
    *("http_proxy", "https_proxy", "ftp_proxy", "all_proxy", "no_proxy"),
    *("HTTP_PROXY", "HTTPS_PROXY", "FTP_PROXY", "ALL_PROXY", "NO_PROXY"),
    *("SSH_AUTH_SOCK", "TMPDIR", "LD_LIBRARY_PATH", "PYTHONPATH", "CUDA_VISIBLE_DEVICES", "AWS_PROFILE", "KUBECONFIG"),
    *("DISPLAY", "JAVA_HOME", "GOPATH"),
)
#: The values that Python gives to LC_CTYPE in its own environment if it starts without a locale (PEP 538).
_PYTHONS_CHOICE = ("C.UTF-8", "C.utf8", "UTF-8")


def submitter_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """The variables of the submitter that items get, without those that Python has added to its own environment."""
    allowed = {k: v for k, v in environ.items() if k in ALLOWED or k.startswith("LC_")}
    if allowed.get("LC_CTYPE") in _PYTHONS_CHOICE and "LC_ALL" not in allowed and not _was_given(b"LC_CTYPE"):
        del allowed["LC_CTYPE"]
    return allowed


def left_out(environ: Mapping[str, str], options: Iterable[str]) -> list[str]:
    """Well-known variables that are set here, that items do not get, and that no ``--env`` names."""
    named = {option.partition("=")[0] for option in options}
    return [name for name in WELL_KNOWN if environ.get(name) and name not in named]


def whole_environment(environ: Mapping[str, str], by_name: Iterable[str]) -> dict[str, str]:
    """All variables of the submitter (``--env-all``), except for our own and for those given by name or by file.

    The values are stored with the job, so a secret that must be in no file must not be among them.
    """
    excluded = {*by_name, "_"}
    return {name: value for name, value in environ.items() if name not in excluded and not name.startswith("JOBCTL_")}


def _was_given(name: bytes) -> bool:
    """True if this process was started with a variable, or if the system does not report it."""
    try:
        block = Path("/proc/self/environ").read_bytes()
    except OSError:
        return True
    return any(entry.startswith(name + b"=") for entry in block.split(b"\0"))


def split_options(options: Iterable[str]) -> tuple[dict[str, str], list[str]]:
    """The values of ``--env`` as (given by value, given by name only). Raises UsageError for an invalid name."""
    values: dict[str, str] = {}
    names: list[str] = []
    for option in options:
        name, equals, value = option.partition("=")
        if not _NAME.match(name):
            hint = "--env NAME or --env NAME=VALUE"
            raise UsageError(f"--env {option!r}: {name!r} is not a name of a variable", hint=hint)
        if name.startswith("JOBCTL_"):
            raise UsageError(f"--env {name}: names that begin with JOBCTL_ are set by jobctl itself")
        if equals:
            check_variable("--env", name, value)
            values[name] = value
        else:
            names.append(name)
    return values, names


def read_env_file(path: Path) -> dict[str, str]:
    """The NAME=VALUE lines of a file without ``#`` comments and blank lines; quotes around a value are dropped.

    A value is kept byte for byte. If a name occurs twice, the last value counts, as in a shell.
    Raises UsageError naming the first line of another form.
    """
    found: dict[str, str] = {}
    for number, line in enumerate(_lines_of(path), 1):
        text = line.strip(_BLANKS)
        if not text or text.startswith("#"):
            continue
        match = _ASSIGNMENT.match(text)
        if match is None:
            raise UsageError(f"--env-file {path}: line {number} is not NAME=VALUE")
        value = match[2].strip(_BLANKS)
        if len(value) >= 2 and value[0] == value[-1] and value[0] in "'\"":
            value = value[1:-1]
        check_variable(f"--env-file {path}: line {number}", match[1], value)
        found[match[1]] = value
    return found


def _lines_of(path: Path) -> list[str]:
    """The lines of a file, bytes that are not UTF-8 as surrogates. Raises UsageError if it is not a regular file."""
    hint = f"it must be a file of at most {_LONGEST_FILE >> 20} MiB that is readable when items start"
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)  # a FIFO must not block us
    except (OSError, ValueError) as error:
        raise UsageError(f"--env-file {path}: {getattr(error, 'strerror', None) or error}", hint=hint) from error
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise UsageError(f"--env-file {path} is not a regular file", hint=hint)
        with open(descriptor, "rb", closefd=False) as file:
            data = file.read(_LONGEST_FILE + 1)
    except OSError as error:
        raise UsageError(f"--env-file {path}: {error.strerror}", hint=hint) from error
    finally:
        os.close(descriptor)
    if len(data) > _LONGEST_FILE:
        raise UsageError(f"--env-file {path} is larger than {_LONGEST_FILE >> 20} MiB", hint=hint)
    if b"\0" in data:
        raise UsageError(f"--env-file {path}: line {data[: data.index(0)].count(10) + 1} has a NUL byte", hint=hint)
    return data.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "surrogateescape").split("\n")


def check_variable(where: str, name: str, value: str) -> None:
    """Raise UsageError for a variable that the system would not give to any process."""
    length = len(os.fsencode(name)) + len(os.fsencode(value)) + 2
    if length > ARGUMENT_LIMIT:
        hint = f"the system takes {ARGUMENT_LIMIT:,} for a variable; make it shorter, or put it into a file"
        raise UsageError(f"{where}: {name} has {length:,} bytes", hint=hint)


def check_total(environment: Mapping[str, str]) -> None:
    """Raise UsageError for an environment that leaves no room for the arguments of a command."""
    sizes = {name: len(os.fsencode(name)) + len(os.fsencode(value)) + 10 for name, value in environment.items()}
    if sum(sizes.values()) > LARGEST_ENVIRONMENT:
        largest = sorted(sizes, key=lambda name: -sizes[name])[:3]
        raise UsageError(
            f"the environment of the items has {sum(sizes.values()):,} bytes; {LARGEST_ENVIRONMENT:,} is the most",
            hint=f"unset or shorten the largest variables: {', '.join(largest)}",
        )


def job_environment(stored: Mapping[str, str], names: Iterable[str], env_file: Path | None) -> dict[str, str]:
    """The variables that items get: stored values, then the env file, then values of names from our environment.

    A name without a value is left out; items that need it are not started at all. Values from names and files are
    never stored.
    """
    return {**stored, **secrets(names, env_file)}


def secrets(names: Iterable[str], env_file: Path | None) -> dict[str, str]:
    """The variables that are looked up when items start and never stored: the env file, then values of names."""
    found = read_env_file(env_file) if env_file is not None else {}
    for name in names:
        if name not in found and name in os.environ:
            found[name] = os.environ[name]
    return found
