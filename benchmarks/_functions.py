"""What the benchmarks call."""

from __future__ import annotations


def nothing(line: str) -> None:
    """One row, no work."""
