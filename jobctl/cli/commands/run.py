"""``jobctl run``: submit a file and run it here, with live progress."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any

import typer

from jobctl.cli.commands.submit import FileArgument, accept, dry_run
from jobctl.cli.live.foreground import run_in_foreground
from jobctl.cli.session import Session, now_us, session
from jobctl.cli.submission.cluster import cluster_options, cluster_words, forgets_cluster
from jobctl.cli.submission.intake import request_of
from jobctl.cli.submission.messages import accepted_lines, forecast, foreground_slots, times_of
from jobctl.cli.submission.options import IntakeCommand, command_line, values
from jobctl.domain.job_options import FAILURES, OPTIONS, is_given
from jobctl.errors import UsageError

if TYPE_CHECKING:
    from jobctl.process.start_options import StartOptions
    from jobctl.services.submit.request import Accepted

app = typer.Typer(add_completion=False, rich_markup_mode=None)


class _RunCommand(IntakeCommand):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        place = next(n for n, param in enumerate(self.params) if param.rich_help_panel == FAILURES)  # type: ignore[attr-defined]
        self.params[place:place] = cluster_options()

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Only --resume makes the file unnecessary."""
        rest = super().parse_args(ctx, args)
        if not (ctx.params.get("file") or ctx.params.get("resume") or ctx.resilient_parsing):
            from jobctl.cli.mistakes import argument_missing

            raise argument_missing(ctx, next(param for param in self.params if param.name == "file"))
        return rest


@app.command(cls=_RunCommand)
def run(
    ctx: typer.Context,
    file: FileArgument = "",
    resume: Annotated[
        str | None,
        typer.Option("--resume", metavar="JOB", help="Continue a job that is not done, instead of a FILE."),
    ] = None,
) -> int:
    """Accept the rows of a file and run them in the foreground; exit with the result of the job.

    Examples:
      jobctl run urls.csv -- curl -fsS -o '{id}.pdf' '{url}'
      jobctl run photos.txt -j 4 -q -- convert '{}' '{.}.webp'
      jobctl run orders.csv --call shop.prices:update       a Python function
      jobctl run --resume last                              after Ctrl-C

    run is like submit, but it needs no daemon. If a daemon is running, the daemon runs the items and run shows them.
    After Ctrl-C the running items finish; a second Ctrl-C ends them. The job stays: jobctl run --resume JOB continues
    it here, and jobctl daemon start in the background.
    """
    return _run_file(ctx, file) if resume is None else _resume(ctx, resume)


def _run_file(ctx: typer.Context, file: str) -> int:
    """Accept the rows of a file and run them here."""
    from jobctl.services.submit.request import refuse_hold

    shared, now = session(ctx), now_us()
    request = request_of(ctx, file, foreground=True)
    slots = foreground_slots(request.policy, on_cluster=bool(cluster_words(ctx)))
    if values(ctx)["dry_run"]:
        return dry_run(shared, request, planned=lambda: slots)
    refuse_hold(request)
    options = _options(ctx, slots)
    accepted = accept(shared, request, now)
    _tell_fewer_slots(shared, accepted, request.queue, slots)
    lines = accepted_lines(accepted) if accepted.is_special else []
    for line in lines if accepted.replayed else (*lines, *times_of(request)):
        shared.note(line)
    return run_in_foreground(shared, accepted.job, replace(options, scope=accepted.job))


def _options(ctx: typer.Context, slots: int) -> StartOptions:
    """Return the options of the engine, which are checked before anything is accepted."""
    from jobctl.process.start_options import StartOptions
    from jobctl.services.daemon.options import as_set, refuse_elsewhere
    from jobctl.services.settings.settings import load_settings

    options = StartOptions(session(ctx).home, slots, cluster=cluster_words(ctx), forget_cluster=forgets_cluster(ctx))
    options = as_set(options, load_settings(os.environ, os.getcwd()))
    refuse_elsewhere(options)
    return options


def _resume(ctx: typer.Context, text: str) -> int:
    """Continue a job that was interrupted, with its own rules."""
    from jobctl.services.daemon.resuming import job_to_resume, take_to_foreground

    shared = session(ctx)
    _check_resume(ctx, text)
    job, policy = job_to_resume(shared.home, text, now_us(), program=shared.program)
    options = _options(ctx, foreground_slots(policy, on_cluster=bool(cluster_words(ctx))))
    take_to_foreground(shared.home, job)
    return run_in_foreground(shared, job, replace(options, scope=job))


def _check_resume(ctx: typer.Context, text: str) -> None:
    """Raises UsageError for a file, a command or an option of a new job: the job keeps its own."""
    if ctx.params["file"] or command_line(ctx).words:
        raise UsageError(
            "--resume continues a job, which has its own rows and command", hint=f"jobctl run --resume {text}"
        )
    for option in OPTIONS:
        value = values(ctx)[option.key]
        if is_given(value):
            change = f"jobctl set {text} {option.name}={value}" if option.effect else f"leave --{option.name} out"
            raise UsageError(f"--resume continues the job with its own --{option.name}", hint=change)


def _tell_fewer_slots(shared: Session, accepted: Accepted, queue: str, slots: int) -> None:
    """A daemon that is up, or the queue, may have fewer slots than were asked for."""
    if accepted.policy.slots is not None:
        found = forecast(shared, accepted.policy, queue, accepted.items, planned=lambda: slots, foreground=True)
        if found.fewer:
            shared.note(found.fewer)
