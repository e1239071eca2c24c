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


def start_time(text: str, now: int) -> int:
    """The moment of ``--not-before``: a point in time, or a duration from now. Raises UsageError."""
    from jobctl.domain.durations import parse_duration, parse_time

    try:
        return now + int(parse_duration(text) * 1e6)
    except UsageError:
        try:
            return parse_time(text)
        except UsageError as error:
            raise UsageError(
                f"--not-before: {error.message}", hint=f"{error.hint}, or 2h for two hours from now"
            ) from None
