"""The jobs that options select: the same options for every command, and for every other caller."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from jobctl.domain.job_filter import (
    DEFAULT_SORT,
    MOST_LISTED,
    JobFilter,
    JobList,
    parse_pattern,
    parse_sort,
    parse_states,
)
from jobctl.domain.job_options import is_given
from jobctl.errors import UsageError

_CONDITIONS = ("state", "name", "label", "queue", "since")


def filter_from(given: Mapping[str, Any], now: int, states: Iterable[str] = (), verb: str = "") -> JobFilter:
    """The filter that options mean; ``now`` in microseconds UTC.

    ``given`` has texts: ``state`` and ``label`` several, ``name``, ``queue`` and ``since`` one each. ``states``: those
    in which the command ``verb`` has an effect on a job; without them, all. Raises UsageError.
    """
    if not any(is_given(given.get(name)) for name in _CONDITIONS):
        return JobFilter()
    from jobctl.domain.option_values import parse_labels
    from jobctl.domain.times import parse_since

    state, name, since = given.get("state"), given.get("name"), given.get("since")
    try:
        ago_us = None if since is None else max(0, now - parse_since(since, now))
    except UsageError as error:
        raise UsageError(f"--since: {error.message}", hint=error.hint) from None
    try:
        labels = tuple(parse_labels(given.get("label") or ()).items())
    except UsageError as error:
        raise UsageError(f"--label: {error.message}", hint=error.hint) from None
    return JobFilter(
        parse_states(state, states, verb) if state else (),
        None if name is None else parse_pattern(name),
        labels,
        given.get("queue"),
        ago_us,
        since or "",
    )


def list_from(given: Mapping[str, Any], now: int, *, everything: bool) -> JobList:
    """The list that options mean, also ``sort`` and ``limit``; ``now`` in microseconds UTC. Raises UsageError."""
    sort = given.get("sort")
    order, reverse = parse_sort(DEFAULT_SORT if sort is None else sort)
    limit = given.get("limit")
    if limit is not None and limit < 1:
        raise UsageError(f"--limit: {limit} is less than 1", hint="for example --limit 50; --all lists every job")
    limit = None if limit is None else min(limit, MOST_LISTED)
    return JobList(filter_from(given, now), order, reverse, limit, everything)
