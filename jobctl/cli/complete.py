"""Job numbers for shell completion, without the command tree."""

from __future__ import annotations

import sys

LIMIT = 50


def complete_jobs(arguments: list[str]) -> None:
    """Print ``number<TAB>name (state)`` of the newest jobs that begin so; nothing at all when something is wrong."""
    from jobctl.config import find_home
    from jobctl.errors import JobctlError
    from jobctl.render.inert import inert
    from jobctl.store.database import open_database
    from jobctl.store.views import job_names

    prefix = arguments[0] if arguments else ""
    try:
        jobs = job_names(open_database(find_home()), LIMIT)
    except JobctlError:
        return
    lines = [f"{job.id}\t{inert(job.name)} ({job.state})\n" for job in jobs if str(job.id).startswith(prefix)]
    sys.stdout.write("".join(lines))
