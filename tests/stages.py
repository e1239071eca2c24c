"""The choice of the cases of a test that run with every commit. The second stage (``-m slow``) runs the others."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

import pytest
from _pytest.mark import ParameterSet


def few(cases: Iterable[Any], often: Collection[Any], *, several: bool = False) -> list[Any]:
    """The cases of a parametrised test, of which only those in ``often`` run with every commit.

    With ``several`` a case is a tuple of values for as many parameters.
    """
    found = list(cases)
    assert all(case in found for case in often), "a case that runs often is not among the cases"
    return [case if case in often else _in_the_second_stage(case, several) for case in found]


def _in_the_second_stage(case: Any, several: bool) -> Any:
    if isinstance(case, ParameterSet):
        return pytest.param(*case.values, marks=[*case.marks, pytest.mark.slow], id=case.id)
    return pytest.param(*(case if several else (case,)), marks=pytest.mark.slow)
