"""The function that the benchmarks call."""

from __future__ import annotations


def nothing(line: str) -> None:
    """Do nothing with one row."""
