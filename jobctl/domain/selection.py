"""Which items of a job a person chooses for another round."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Selection:
    """Which items get another round. With nothing chosen: all that did not succeed and may safely run again."""

    failed: bool = False
    unprocessed: bool = False
    unknown: bool = False  # also those of which nobody knows what they did
    codes: tuple[str, ...] = ()
    items: tuple[int, ...] = ()

    @property
    def is_default(self) -> bool:
        """Whether nothing was chosen."""
        return not (self.names_states or self.items)

    @property
    def names_states(self) -> bool:
        """Whether states or causes were chosen; item numbers alone mean those of them that did not succeed."""
        return bool(self.failed or self.unprocessed or self.unknown or self.codes)
