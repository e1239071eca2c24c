"""The figures that a benchmark returns, with their targets, and the scale of a run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple


class Scale(NamedTuple):
    """The amount of work of a run."""

    quick: bool = False

    @property
    def pairs(self) -> int:
        """The number of pairs of alternating runs; their median counts."""
        return self.of(5, 3)

    def of(self, full: int, quick: int) -> int:
        """Return the count for this scale."""
        return quick if self.quick else full


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured value, None if it could not be measured; ``detail`` says why, or how it was measured."""

    name: str
    value: float | None
    unit: str = "x"
    target: float | None = None  # None: for information
    at_least: bool = False  # the target is a floor, not a ceiling
    detail: str = ""

    @property
    def verdict(self) -> str:
        """``met``, ``missed``, ``not measured``, or empty for a figure without a target."""
        if self.value is None:
            return "not measured"
        if self.target is None:
            return ""
        met = self.value >= self.target if self.at_least else self.value <= self.target
        return "met" if met else "missed"

    @property
    def shown(self) -> str:
        """The value for people, with its unit."""
        return "-" if self.value is None else amount(self.value, self.unit)

    @property
    def goal(self) -> str:
        """The target for people."""
        if self.target is None:
            return ""
        return f"{'>=' if self.at_least else '<='} {amount(self.target, self.unit)}"


def amount(value: float, unit: str) -> str:
    """Return a value with its significant digits and its unit."""
    if unit == "x":
        digits = 2 if value < 20 else 0
    else:
        digits = 0 if value >= 1000 else 1 if value >= 10 else 2
    return f"{value:,.{digits}f} {unit}"
