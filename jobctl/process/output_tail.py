"""Reads the output of attempts from the log files that the attempts of a slot share."""

from __future__ import annotations

import os
from pathlib import Path


class OutputReader:
    """Keeps the few files of one job open while many small pieces of them are read."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files: dict[tuple[int, str], int] = {}

    def tail(self, log: int, offset: int, length: int, limit: int, stream: str = "out") -> bytes:
        """The last ``limit`` bytes of a piece; empty when its file is gone."""
        descriptor = self._open(log, stream)
        if descriptor < 0 or length <= 0:
            return b""
        size = min(length, limit)
        return os.pread(descriptor, size, offset + length - size)

    def _open(self, log: int, stream: str) -> int:
        key = (log, stream)
        if key not in self._files:
            if len(self._files) >= 64:
                self.close()
            try:
                flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW
                self._files[key] = os.open(self._folder / f"{log}.{stream}", flags)
            except OSError:
                self._files[key] = -1
        return self._files[key]

    def close(self) -> None:
        """Close every file."""
        for descriptor in self._files.values():
            if descriptor >= 0:
                os.close(descriptor)
        self._files.clear()
