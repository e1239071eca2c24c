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
    from jobctl.services.targets import resolve_jobs

    found: list[tuple[int, str]] = []
    for text in texts:
        name, _, condition = text.rpartition(":")
        if condition not in ("ok", "any"):
            name, condition = text, "ok"
        found += [(job, condition) for job in resolve_jobs(session(ctx).open(), [name])]
    return tuple(found)


def start_time(text: str | None) -> tuple[int | None, float | None]:
    """What ``--not-before`` says: a point in time (microseconds UTC), or seconds to wait. Raises UsageError."""
    from jobctl.domain.durations import parse_duration, parse_time

    if text is None:
        return None, None
    try:
        return None, parse_duration(text)
    except UsageError:
        try:
            return parse_time(text), None
        except UsageError as error:
            raise UsageError(
                f"--not-before: {error.message}", hint=f"{error.hint}, or 2h for two hours from now"
            ) from None
