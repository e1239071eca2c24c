"""Statements that name the states of items: ``state = {RUNNING}`` instead of ``state = 1``.

The number must be part of the text. SQLite uses a partial index (``items_running`` has the items of one state) only
for a condition that it can compare with that of the index, and it knows no parameter's value when it plans.
"""

from __future__ import annotations

from jobctl.domain import state_numbers

_NUMBERS = {name: number for name, number in vars(state_numbers).items() if name.isupper()}


def with_states(sql: str) -> str:
    """The statement with the number of a state in place of each ``{NAME}``. Raises KeyError for an unknown name."""
    return sql.format_map(_NUMBERS)
