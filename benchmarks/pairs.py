"""Measures two things in turn, A B A B..., because only their ratio is reliable on a shared machine."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from benchmarks.figure import Figure, amount


@dataclass(frozen=True, slots=True)
class Paired:
    """The measurements, one pair per round."""

    ours: Sequence[float]
    theirs: Sequence[float]

    @property
    def ratios(self) -> list[float]:
        """Our value divided by theirs, for each pair."""
        return [a / b for a, b in zip(self.ours, self.theirs, strict=True)]

    @property
    def ratio(self) -> float:
        """The median of the ratios."""
        return statistics.median(self.ratios)

    def figure(self, name: str, target: float | None, unit: str = "s", per: float = 1.0) -> Figure:
        """Return our value as a multiple of theirs; the detail has the absolute medians, divided by ``per``."""
        return Figure(name, self.ratio, "x", target, detail=self._detail(self.ratios, unit, per))

    def advantage(self, name: str, target: float | None, unit: str = "s", per: float = 1.0) -> Figure:
        """Return their value as a multiple of ours: how many times faster we are."""
        times = [1 / ratio for ratio in self.ratios]
        return Figure(name, statistics.median(times), "x", target, True, self._detail(times, unit, per))

    def _detail(self, ratios: Sequence[float], unit: str, per: float) -> str:
        ours, theirs = (amount(statistics.median(side) / per, unit) for side in (self.ours, self.theirs))
        return f"{ours} against {theirs}; {len(ratios)} pairs, {min(ratios):.2f} to {max(ratios):.2f}"


def compare(ours: Callable[[], float], theirs: Callable[[], float], pairs: int) -> Paired:
    """Run both in turn; each returns its cost in any unit."""
    measured = [(ours(), theirs()) for _ in range(pairs)]
    return Paired([a for a, _ in measured], [b for _, b in measured])


def compare_all(acts: Sequence[Callable[[], float]], rounds: int) -> list[list[float]]:
    """Run several in turn, each once per round; returns the values of each."""
    values: list[list[float]] = [[] for _ in acts]
    for _ in range(rounds):
        for mine, act in zip(values, acts, strict=True):
            mine.append(act())
    return values
