"""Errors for a path that cannot be read as a file of rows, with advice on what to type instead."""

from __future__ import annotations

import errno
import glob
import os
import re
import shlex
import shutil

from jobctl.domain.nearest import nearest
from jobctl.errors import InputRejected

_URL = re.compile(r"([a-z][a-z0-9+.-]*)://\S", re.IGNORECASE)
_FETCH = {
    **dict.fromkeys(("http", "https", "ftp", "ftps"), "curl -fsSL {url}"),
    "s3": "aws s3 cp {url} -",
    "gs": "gcloud storage cat {url}",
    **dict.fromkeys(("az", "abfs", "abfss", "wasb", "wasbs"), "azcopy cp {url}"),
    "hdfs": "hdfs dfs -cat {url}",
}
_FORMATS = {".tsv": "tsv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".json": "jsonl", ".txt": "lines"}
_SHOWN = 3


def unreadable(path: str, name: str, error: OSError | ValueError) -> InputRejected:
    """The error for an input that cannot be opened or read; ``name`` is its name in messages."""
    reason = getattr(error, "strerror", None) or str(error)
    if path == "":
        reason = "the path is empty"
    elif _URL.match(path):
        reason = "it is an address, not the path of a file"
    elif os.path.islink(path) and not os.path.exists(path):
        reason = f"it is a symbolic link to {os.readlink(path)}, which does not exist"
    return InputRejected(f"{name or repr(path)} cannot be read: {reason}", hint=_advice(path, error))


def _advice(path: str, error: OSError | ValueError) -> str:
    number = getattr(error, "errno", None)
    if path == "":
        return "is a variable empty? Give the path of a file, or - for stdin"
    if number == errno.EISDIR or os.path.isdir(path):
        return _folder_advice(path)
    if number in (errno.EACCES, errno.EPERM):
        return f"this user may not read it; ls -ld {shlex.quote(path)} shows its owner and mode"
    if number == errno.ENXIO:
        return "it is a socket; give the path of a file, or - for stdin"
    return _address_advice(path) or _expansion_advice(path) or _other_advice(path)


def _folder_advice(path: str) -> str:
    folder = shlex.quote(path)
    rows = [
        each
        for each in sorted(_siblings(os.path.join(path, "")))
        if os.path.splitext(each)[1] in (".csv", ".tsv", ".jsonl")
    ]
    one = f"give a file in it, such as {shlex.quote(os.path.normpath(rows[0]))}; or " if rows else ""
    each = f"find {folder} -type f | jobctl submit - --format lines -- COMMAND {{}}"
    return f"{one}to run a command for each file in it: {each}"


def _address_advice(path: str) -> str:
    found = _URL.match(path)
    if found is None:
        return ""
    scheme = found[1].lower()
    if scheme == "file":
        return f"give the path: {shlex.quote(path[7:])}"
    fetch = _FETCH.get(scheme)
    if fetch is None:
        return "fetch it first, and give the path of the file"
    plain = re.split(r"[?#]", path)[0].lower()
    kind = _FORMATS.get(os.path.splitext(plain)[1], "csv")
    return f"fetch it: {fetch.format(url=shlex.quote(path))} | jobctl submit - --format {kind} -- COMMAND"


def _expansion_advice(path: str) -> str:
    """Advice for a path that a shell would have replaced without the quotes."""
    if path.startswith("~"):
        return f"a shell replaces ~ only outside of quotes: {shlex.quote(os.path.expanduser(path))}"
    if "$" in path and os.path.expandvars(path) != path:
        return f"a shell replaces variables only outside of single quotes: {shlex.quote(os.path.expandvars(path))}"
    if not glob.has_magic(path):
        return ""
    found = sorted(glob.glob(path))
    if not found:
        return "no file has such a name either; a job has one file of rows"
    some = ", ".join(found[:_SHOWN]) + (f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else "")
    return (
        f'it would be {some}, and a job has one file of rows: for f in {path}; do jobctl submit "$f" -- COMMAND; done;'
        f" or to run a command for each file: printf '%s\\n' {path} | jobctl submit - --format lines -- COMMAND {{}}"
    )


def _other_advice(path: str) -> str:
    near = nearest(path, _siblings(path))
    if near is None and os.sep not in path and shutil.which(path):
        return f"{path} is a program: the file of rows comes before it, FILE -- {path} ...; - is standard input"
    return f"{f'did you mean {near}? ' if near else ''}give the path of a file, or - for stdin"


def _siblings(path: str) -> list[str]:
    """Paths of the other entries in the folder of a missing file."""
    folder = os.path.dirname(path)
    try:
        return [os.path.join(folder, name) for name in os.listdir(folder or ".") if not name.startswith(".")]
    except (OSError, ValueError):
        return []
