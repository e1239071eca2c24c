"""The record of the project files that the user trusts.

A ``jobctl.toml`` can arrive with any folder that is cloned or unpacked. Its keys that run, connect, delete, read files
or pass the environment on take effect only after the user has trusted exactly these bytes at exactly this path.

There is one small file for each project in the folder ``trusted/`` next to the user's own settings. Its name is a hash
of the path, so two commands never write the same file for two projects, and reading it costs one ``open``.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat

from jobctl.errors import UsageError
from jobctl.process import private
from jobctl.services.settings.replace_file import make_folder, replace_file

TRUSTED = "trusted"
UNTRUSTED = "untrusted"
CHANGED = "changed"

FOLDER = "trusted"
_SCHEMA = "jobctl.trust/1"
#: The number of hashes kept for one path, so that a switch back to an earlier branch needs no new trust.
_KEPT = 16
_LIMIT = 1 << 16


def state(folder: str, path: str, content: bytes) -> str:
    """Return ``trusted``, ``untrusted``, or ``changed`` for a path that was trusted with another content.

    ``folder`` is the folder of the user's settings; if it is empty, nothing is trusted. Raises nothing.
    """
    known = _known(folder, path) if folder else []
    if _digest(content) in known:
        return TRUSTED
    return CHANGED if known else UNTRUSTED


def grant(folder: str, path: str, content: bytes) -> str:
    """Trust this content at this path from now on; returns its SHA-256. Raises UsageError, OSError."""
    if not folder:
        raise UsageError("there is no folder for your settings", hint="set HOME or XDG_CONFIG_HOME")
    digest = _digest(content)
    known = [known for known in _known(folder, path) if known != digest]
    make_folder(folder)
    private.make_folder(os.path.join(folder, FOLDER))
    document = {"schema": _SCHEMA, "path": path, "sha256": [*known[1 - _KEPT :], digest]}
    replace_file(_record(folder, path), json.dumps(document).encode())
    return digest


def revoke(folder: str, path: str) -> bool:
    """Stop trusting this path; returns whether it was trusted. Raises OSError."""
    if not folder:
        return False
    try:
        os.unlink(_record(folder, path))
    except (FileNotFoundError, NotADirectoryError):
        return False
    return True


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _record(folder: str, path: str) -> str:
    return os.path.join(folder, FOLDER, f"{_digest(os.fsencode(path))}.json")


def _known(folder: str, path: str) -> list[str]:
    """Return the hashes that are recorded for a path. A record that another user could have written does not count."""
    try:
        if not _is_ours(os.lstat(os.path.join(folder, FOLDER))):
            return []
        with open(private.open_plain(_record(folder, path), os.O_RDONLY), "rb") as file:
            if not _is_ours(os.fstat(file.fileno())):
                return []
            document = json.loads(file.read(_LIMIT))
        if document["path"] != path:
            return []
        return [digest for digest in document["sha256"] if isinstance(digest, str)]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return []


def _is_ours(facts: os.stat_result) -> bool:
    return facts.st_uid == os.geteuid() and not facts.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
