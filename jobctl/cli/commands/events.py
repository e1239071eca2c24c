"""``jobctl events``: what happened, in order."""

from __future__ import annotations

from typing import Annotated

import typer

from jobctl.cli.job_conditions import EventsCommand, filter_of, refuse_with_jobs
from jobctl.cli.session import now_us, session
from jobctl.errors import Exit

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command(cls=EventsCommand)
def events(
    ctx: typer.Context,
    jobs: Annotated[
        list[str] | None, typer.Argument(metavar="[JOB]...", help="Only events of these jobs: 42, last, 1,3,5-8.")
    ] = None,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Show more events as they happen, until the JOBs are done.")
    ] = False,
    items: Annotated[bool, typer.Option("--items", help="Show also the outcome of each attempt of an item.")] = False,
    since: Annotated[
        str | None,
        typer.Option(metavar="ID|WHEN", help="Continue after the event ID, or begin at a time: 10m, 22:00, yesterday."),
    ] = None,
) -> int:
    """Show what happened to jobs, in order: by whom, when and why.

    Examples:
      jobctl events                          the last 100 events
      jobctl events 42                       everything that happened to job 42
      jobctl events last --items --follow    each outcome, until the job is done
      jobctl events --since 2 --json         for programs, after the event 2

    With --json, each event is a document on a line of its own.

    The ids of events never go back. A reader that keeps the last id and continues with --since loses and repeats
    nothing, also if the daemon is killed. Without --since, JOB or a condition, the last 100 events are shown; --since 0
    shows all. Events are kept as long as their jobs.
    """
    from jobctl.cli.live.following_events import EventPrinter, show
    from jobctl.services.control.targets import jobs_of
    from jobctl.services.events import EventStream, WantedEvents, first_id

    shared, now = session(ctx), now_us()
    if jobs:
        refuse_with_jobs(ctx)
    named = frozenset(jobs_of(shared.home, jobs)) if jobs else None
    wanted = WantedEvents(named, filter_of(ctx, now), items)
    with EventStream(shared.home, wanted, first_id(shared.home, since, now)) as stream:
        show(shared, stream, EventPrinter(shared), follow=follow)
    return Exit.OK
