"""Which cases of a test run with every commit, and which ones in the second stage (``pytest -m slow``)."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

import pytest


def few(cases: Iterable[Any], often: Collection[Any]) -> list[Any]:
    """The cases of a parametrised test, of which only those in ``often`` run with every commit."""
    found = list(cases)
    assert all(case in found for case in often), "a case that runs often is not among the cases"
    return [case if case in often else pytest.param(case, marks=pytest.mark.slow) for case in found]
