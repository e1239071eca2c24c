"""When a submitted job may begin: after other jobs, not before a time."""

from __future__ import annotations

from collections.abc import Sequence

from typer import Context

from jobctl.cli.command import session
from jobctl.errors import UsageError


def jobs_before(ctx: Context, texts: Sequence[str]) -> tuple[tuple[int, str], ...]:
    """The jobs of ``--after``, each with its condition, ok or any. Raises NotFound, UsageError."""
    if not texts:
        return ()
    from jobctl.services.control.targets import resolve_jobs

    found: list[tuple[int, str]] = []
    for text in texts:
        name, _, condition = text.rpartition(":")
        if condition not in ("ok", "any"):
            name, condition = text, "ok"
        found += [(job, condition) for job in resolve_jobs(session(ctx).open(), [name])]
    return tuple(found)


def start_time(text: str | None) -> tuple[int | None, float | None]:
    """What ``--not-before`` says: a point in time (microseconds UTC), or seconds to wait. Raises UsageError."""
    from jobctl.domain.durations import TIME_FORMS, parse_duration, parse_time

    if text is None:
        return None, None
    is_moment = any(mark in text[:30] for mark in "-:") or not any(letter in "0123456789" for letter in text[:30])
    try:
        return (parse_time(text), None) if is_moment else (None, parse_duration(text))
    except UsageError as error:
        hint = f"write it like {TIME_FORMS}, or 2h for two hours from now"
        raise UsageError(f"--not-before: {error.message}", hint=hint) from None
