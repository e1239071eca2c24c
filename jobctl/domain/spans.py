"""Spans of numbers as people write them: ``1-100,500,1000-``."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from jobctl.errors import UsageError

#: Compiled when it is first used: commands that select nothing import this module as well.
_PART = r"(?a)\s*(\d{1,18})\s*(?:(-)\s*(\d{1,18})?)?\s*"
ENDLESS = 1 << 63


class Span(NamedTuple):
    """Numbers from ``first`` to ``last``, both included."""

    first: int
    last: int


def parse_spans(text: str, option: str, of: str = "row") -> tuple[Span, ...]:
    """The spans of numbers in ascending order; adjacent ones are joined. Raises UsageError with the wrong part."""
    return joined(_span(part, option, of) for part in text.split(","))


def joined(spans: Iterable[Span]) -> tuple[Span, ...]:
    """The same numbers in ascending order; spans that touch are one."""
    found: list[Span] = []
    for span in sorted(spans):
        if found and span.first <= found[-1].last + 1:
            found[-1] = Span(found[-1].first, max(found[-1].last, span.last))
        else:
            found.append(span)
    return tuple(found)


def spans_of(numbers: Iterable[int]) -> tuple[Span, ...]:
    """The spans of single numbers."""
    return joined(Span(number, number) for number in numbers)


def spelled(spans: Iterable[Span]) -> str:
    """The text that ``parse_spans`` reads: ``1-100,500,1000-``."""
    return ",".join(_spelled(span) for span in spans)


def _spelled(span: Span) -> str:
    if span.first == span.last:
        return str(span.first)
    return f"{span.first}-" if span.last >= ENDLESS else f"{span.first}-{span.last}"


def _span(part: str, option: str, of: str) -> Span:
    found = re.fullmatch(_PART, part)
    if found is None:
        raise UsageError(
            f"{option}: {part!r} is neither a number nor a range", hint=f"for example {option} 1-100,500,1000-"
        )
    first = int(found[1])
    last = first if found[2] is None else ENDLESS if found[3] is None else int(found[3])
    if first < 1:
        raise UsageError(f"{option}: the first {of} is number 1", hint=f"for example {option} 1-100")
    if last < first:
        raise UsageError(f"{option}: the range {part.strip()} runs backwards", hint=f"write {last}-{first}")
    return Span(first, last)


def overlap(spans: Sequence[Span], first: int, count: int) -> list[slice]:
    """Return the slices of ``count`` records, numbered from ``first`` on, whose numbers are in the spans."""
    stop = first + count
    return [
        slice(max(span.first, first) - first, min(span.last + 1, stop) - first)
        for span in spans
        if span.first < stop and span.last >= first
    ]
