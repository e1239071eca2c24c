"""Format times of documents (RFC 3339, UTC) for people: local time, with the date if it is not today."""

from __future__ import annotations

from datetime import datetime

from jobctl.domain.durations import format_duration


def local(text: str, now: datetime | None = None) -> str:
    """``18:28:31``, ``23 Nov 18:28`` or ``2025-11-23 18:28``."""
    moment = datetime.fromisoformat(text).astimezone()
    today = now or datetime.now().astimezone()
    if moment.date() == today.date():
        return moment.strftime("%H:%M:%S")
    if moment.year == today.year:
        return f"{moment.day} {moment.strftime('%b %H:%M')}"
    return moment.strftime("%Y-%m-%d %H:%M")


def to_come(text: str, now: datetime | None = None) -> str:
    """As ``local``, with the time until then: ``22:00:00 (in 5h 12m)``. A time that has passed has no such part."""
    left_s = (datetime.fromisoformat(text) - (now or datetime.now().astimezone())).total_seconds()
    return local(text, now) + (f" (in {format_duration(left_s)})" if left_s > 0 else "")


def seconds_between(earlier: str, later: str) -> float:
    """Return the seconds from one time of a document to another."""
    return (datetime.fromisoformat(later) - datetime.fromisoformat(earlier)).total_seconds()
