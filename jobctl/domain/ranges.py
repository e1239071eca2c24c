"""Numbers as people list them: ``1-100,500,1000-``."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from jobctl.errors import UsageError

_PART = re.compile(r"\s*(\d{1,18})\s*(?:(-)\s*(\d{1,18})?)?\s*\Z", re.ASCII)
ENDLESS = 1 << 63


class Span(NamedTuple):
    """Numbers from ``first`` to ``last``, both included."""

    first: int
    last: int


def parse_spans(text: str, option: str) -> tuple[Span, ...]:
    """The spans of numbers in ascending order; adjacent ones are joined. Raises UsageError with the wrong part."""
    spans = sorted(_span(part, option) for part in text.split(","))
    joined = spans[:1]
    for span in spans[1:]:
        before = joined[-1]
        if span.first <= before.last + 1:
            joined[-1] = Span(before.first, max(before.last, span.last))
        else:
            joined.append(span)
    return tuple(joined)


def _span(part: str, option: str) -> Span:
    found = _PART.match(part)
    if found is None:
        raise UsageError(
            f"{option}: {part!r} is neither a number nor a range", hint=f"for example {option} 1-100,500,1000-"
        )
    first = int(found[1])
    last = first if found[2] is None else ENDLESS if found[3] is None else int(found[3])
    if first < 1:
        raise UsageError(f"{option}: the first row is number 1", hint=f"for example {option} 1-100")
    if last < first:
        raise UsageError(f"{option}: the range {part.strip()} runs backwards", hint=f"write {last}-{first}")
    return Span(first, last)


def overlap(spans: Sequence[Span], first: int, count: int) -> list[slice]:
    """Which of ``count`` things with consecutive numbers from ``first`` on are in the spans, as slices."""
    stop = first + count
    return [
        slice(max(span.first, first) - first, min(span.last + 1, stop) - first)
        for span in spans
        if span.first < stop and span.last >= first
    ]
