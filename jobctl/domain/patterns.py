"""Regular expressions that are compiled when they are first used.

Compiling the patterns for the output of failed items would take longer than the rest of the start, and an engine whose
items succeed needs none of them.
"""

from __future__ import annotations

import re
from typing import Any, cast


class _Late:
    def __init__(self, pattern: str, flags: int) -> None:
        self._source = pattern
        self._flags = flags

    def __getattr__(self, name: str) -> Any:
        value = getattr(re.compile(self._source, self._flags), name)
        setattr(self, name, value)  # the next access finds the attribute and does not come here
        return value


def late(pattern: str, flags: int = 0) -> re.Pattern[str]:
    """The same as ``re.compile``, except that a mistake in the pattern is raised at its first use."""
    return cast("re.Pattern[str]", _Late(pattern, flags))
