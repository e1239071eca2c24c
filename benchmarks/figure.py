"""What a benchmark returns: figures with a target, and how much work it was allowed to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple


class Scale(NamedTuple):
    """How thorough a run is."""

    quick: bool = False

    @property
    def pairs(self) -> int:
        """Pairs of alternating runs; their median counts."""
        return self.of(5, 3)

    def of(self, full: int, quick: int) -> int:
        """A count for this scale."""
        return quick if self.quick else full


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured value, None when it could not be measured; ``detail`` says why, or how it came about."""

    name: str
    value: float | None
    unit: str = "x"
    target: float | None = None  # None: for information
    at_least: bool = False  # the target is a floor, not a ceiling
    detail: str = ""

    @property
    def verdict(self) -> str:
        """``met``, ``missed``, ``not measured``, or nothing for a figure without target."""
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
    """A value with as many digits as say something."""
    if unit == "x":
        digits = 2 if value < 20 else 0
    else:
        digits = 0 if value >= 1000 else 1 if value >= 10 else 2
    return f"{value:,.{digits}f} {unit}"
