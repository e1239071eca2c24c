"""Writes one result file durably, and formats its ``jobctl_*`` cells."""

from __future__ import annotations

import hashlib
import io
import os
import re
from pathlib import Path
from typing import Any, NamedTuple

from jobctl.domain.durations import decimal
from jobctl.process import private

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
_NUMBER = re.compile(r"[-+]?[0-9]+(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?")


class Written(NamedTuple):
    """A complete file under its own name."""

    path: str
    rows: int
    sha256: str


class ResultFile:
    """A result file that is being written: hashed at the same time, and renamed when it is complete."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.rows = 0
        self._temporary = path.with_name(path.name + ".tmp")
        self._raw = os.fdopen(private.create(self._temporary), "wb", buffering=1 << 18)
        self._hash = hashlib.sha256()
        #: The text to write; ``flush`` passes it on, so that hashing and writing happen in blocks.
        self.text = io.StringIO(newline="")

    def flush(self) -> None:
        """Hash and write the collected text."""
        data = self.text.getvalue().encode("utf-8", "surrogateescape")
        self.text.seek(0)
        self.text.truncate()
        self._hash.update(data)
        self._raw.write(data)

    def finish(self) -> Written:
        """Make the file durable under its own name."""
        self.flush()
        self._raw.flush()
        os.fsync(self._raw.fileno())
        self._raw.close()
        os.replace(self._temporary, self.path)
        return Written(str(self.path), self.rows, self._hash.hexdigest())


def cell_of(value: Any) -> Any:
    """A jobctl_* cell that no spreadsheet reads as a formula; numbers stay numbers."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return decimal(value)
    if isinstance(value, str) and value.startswith(_FORMULA_STARTS) and not _NUMBER.fullmatch(value):
        return "'" + value
    return value
