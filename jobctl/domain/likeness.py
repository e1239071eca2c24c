"""Learns from the messages of a job which places of them have another value each time.

Only the existing groups are remembered: a place that is masked in one of them is free, and the groups have the values
that were seen in the other places. So an engine that starts again knows everything that the earlier one knew.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from jobctl.domain.payload import fields_of, json_object
from jobctl.domain.shape import Shape, ValueKind

#: A place counts as free after this many values, if most of them occurred with one item only...
_FEW = {ValueKind.NUMBER: 3, ValueKind.TEXT: 7, ValueKind.WORD: 24, ValueKind.CODE: 50}
#: ...and after this many values in any case.
_MANY = {ValueKind.NUMBER: 24, ValueKind.TEXT: 24, ValueKind.WORD: 50, ValueKind.CODE: 50}
#: The part of a row that is examined.
_LONGEST_ROW, _MOST_CELLS = 65_536, 1_000
#: At most this number of groups of one shape may differ in several places at once.
_MOST_ALIKE = 40


@dataclass(frozen=True, slots=True)
class Seen:
    """The values in a group of messages, and the number of items with them."""

    values: tuple[str, ...]
    items: int
    own: frozenset[int] = frozenset()  # places whose value occurs in the row of the item


def masked(shape: Shape, values: Sequence[str], free: Collection[int]) -> tuple[str, ...]:
    """The values; those in free places are masked."""
    masks = shape.values
    return tuple([masks[n].mask if n in free else value for n, value in enumerate(values)])


def free_places(
    shape: Shape, seen: Sequence[Seen], known: frozenset[int] = frozenset(), *, crowded: bool = False
) -> frozenset[int]:
    """The places that are free by the values seen, in the groups that may still be merged and in a new message.

    The places in ``known`` are free already. ``crowded``: there is no room for another group, so every place with
    several values becomes free.
    """
    free = known | frozenset(n for n, value in enumerate(shape.values) if value.text == value.mask)
    while True:
        alike = {masked(shape, each.values, free) for each in seen}
        counts = {n: _values(seen, n) for n in range(len(shape.values)) if n not in free}
        found = {n for n, values in counts.items() if _is_free(shape.values[n].kind, values, seen, n)}
        if not found and (len(alike) > _MOST_ALIKE or crowded):
            found = set(sorted((n for n in counts if len(counts[n]) > 1), key=lambda n: -len(counts[n]))[:1])
        if not found:
            return free
        free |= found


def _values(seen: Sequence[Seen], place: int) -> Mapping[str, int]:
    """Each value of a place, with the number of items that it was seen with."""
    counts: dict[str, int] = {}
    for each in seen:
        counts[each.values[place]] = counts.get(each.values[place], 0) + each.items
    return counts


def _is_free(kind: ValueKind, values: Mapping[str, int], seen: Sequence[Seen], place: int) -> bool:
    distinct = len(values)
    if kind is ValueKind.MASKED or distinct > _MANY[kind]:
        return True
    if kind is not ValueKind.CODE and len({each.values[place] for each in seen if place in each.own}) > 1:
        return True
    return distinct > _FEW[kind] and 2 * distinct > sum(values.values())


def cells(input_format: str, payload: bytes) -> frozenset[str]:
    """The values of a row, and the names of files in them without folder and without ending."""
    found = set()
    for value in _values_of(input_format, payload[:_LONGEST_ROW])[:_MOST_CELLS]:
        name = value.rpartition("/")[2]
        found |= {value, name, name.partition(".")[0]}
    return frozenset(found - {""})


def _values_of(input_format: str, payload: bytes) -> list[str]:
    if input_format == "jsonl":
        try:
            return [str(value) for value in json_object(payload).values() if isinstance(value, str | bool)]
        except (ValueError, RecursionError):
            return []
    return [field.decode("utf-8", "replace").strip() for field in fields_of(input_format, payload)]
