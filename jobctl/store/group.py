"""A failure group in memory, and the groups of messages that differ only in their values."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from jobctl.domain.likeness import masked
from jobctl.domain.shape import Shape
from jobctl.store.failures import SAMPLE_LIMIT


@dataclass(slots=True)
class FailureGroup:
    """One cause of failure in a job."""

    id: int
    code: str
    message: str
    outcome: str
    items: int = 0
    attempts: int = 0
    failed: list[int] = field(default_factory=list)  # examples of items that failed because of it
    tried: list[int] = field(default_factory=list)  # examples of items that had it and may have succeeded since
    #: False for a group of an earlier round: items that are tried again name it, but are no longer its examples.
    is_complete: bool = True
    row_places: frozenset[int] | None = None  # places of the message whose value is in the row of the first example
    shape: Shape | None = None  # of the message, once it was needed

    def add_attempt(self, item: int) -> None:
        """Count an attempt that failed because of it."""
        self.attempts += 1
        if len(self.tried) < SAMPLE_LIMIT and item not in self.tried:
            self.tried.append(item)

    def add_item(self, item: int) -> None:
        """Count an item that failed because of it."""
        self.items += 1
        if len(self.failed) < SAMPLE_LIMIT and item not in self.failed:
            self.failed.append(item)

    @property
    def samples(self) -> list[int]:
        """Items as examples; items that failed come first."""
        return [*self.failed, *(item for item in self.tried if item not in self.failed)][:SAMPLE_LIMIT]

    @property
    def is_small(self) -> bool:
        """True if its examples are all the items that name it, so that merging it costs next to nothing."""
        return self.is_complete and len(self.samples) < SAMPLE_LIMIT

    def take_in(self, other: FailureGroup) -> None:
        """Add the counts and the examples of another group."""
        self.items += other.items
        self.attempts += other.attempts
        self.failed = sorted({*self.failed, *other.failed})[:SAMPLE_LIMIT]
        self.tried = sorted({*self.tried, *other.tried, *self.failed})[:SAMPLE_LIMIT]


class Message(NamedTuple):
    """A message to count, and a function that reads the row of an item."""

    text: str
    head: str = ""  # the beginning of the text, if that alone tells the cause from others
    item: int = 0
    is_fixed: bool = False  # a message of ours, in which nothing is masked
    cells: Callable[[int], frozenset[str]] = lambda _: frozenset()
    code: str = ""
    outcome: str = "known"


@dataclass(slots=True)
class AlikeGroups:
    """The groups of messages that differ only in their values."""

    groups: dict[tuple[str, ...], FailureGroup] = field(default_factory=dict)
    free: frozenset[int] = frozenset()  # places that have another value each time
    unmasked: list[tuple[str, ...]] = field(default_factory=list)  # values of groups that have one in such a place

    def add(self, shape: Shape, values: tuple[str, ...], group: FailureGroup) -> None:
        """Enter a group whose message has these values."""
        self.groups[values] = group
        self.set_free(shape, self.free | {n for n, value in enumerate(shape.values) if values[n] == value.mask})

    def set_free(self, shape: Shape, free: frozenset[int]) -> None:
        """From now on these places are masked in every new message."""
        self.free = free
        self.unmasked = [values for values in self.groups if masked(shape, values, free) != values]

    def find(self, shape: Shape) -> FailureGroup | None:
        """The group of a message: one that has this very value, otherwise the one with the masks."""
        for values in self.unmasked:
            if _fits(values, shape):
                return self.groups[values]
        return self.groups.get(masked(shape, shape.held, self.free))


def _fits(values: Sequence[str], shape: Shape) -> bool:
    """True if the values of a group, where they are not masked, are those of a message."""
    return all(a in (value.text, value.mask) for a, value in zip(values, shape.values, strict=True))
