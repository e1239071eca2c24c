"""The selection of a job's items for another round."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Selection:
    """The items that get another round. Without any choice: all that did not succeed and can safely run again."""

    failed: bool = False
    unprocessed: bool = False
    unknown: bool = False  # also items with an unknown outcome
    codes: tuple[str, ...] = ()
    items: tuple[int, ...] = ()

    @property
    def is_default(self) -> bool:
        """True if nothing was chosen."""
        return not (self.names_states or self.items)

    @property
    def names_states(self) -> bool:
        """True if states or causes were chosen. Item numbers alone select those of them that did not succeed."""
        return bool(self.failed or self.unprocessed or self.unknown or self.codes)
