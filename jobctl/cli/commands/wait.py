"""``jobctl wait``: block until jobs are done."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from jobctl.cli.job_conditions import WaitCommand, names_given
from jobctl.cli.session import Session, now_us, session
from jobctl.domain.wording import plural
from jobctl.errors import NotFound

if TYPE_CHECKING:
    from jobctl.store.views.job_list import ListedJob

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command(cls=WaitCommand)
def wait(
    ctx: typer.Context,
    jobs: Annotated[
        list[str] | None, typer.Argument(metavar="[JOB]...", help="Numbers, names, last, or 1,3,5-8.")
    ] = None,
    timeout: Annotated[
        str | None,
        typer.Option(
            metavar="DURATION", help="Stop waiting after this time (exit 124); the jobs continue. Default: never."
        ),
    ] = None,
) -> int:
    """Wait until jobs are done; exit with the worst of their results.

    Examples:
      jobctl wait last && ./publish
      jobctl wait 42 43 --timeout 2h
      jobctl wait --label batch=7        all jobs with this label
      jobctl wait --all                  every job that is not done now

    With conditions, the results of jobs that are done already count as well; --since leaves old ones out.

    Exit 0: all succeeded; 3: one is partial, some of its items failed; 4: failed; 5: cancelled; 6: expired; 124: not
    done in time.
    """
    from jobctl.services.daemon.absence import absence_for_jobs

    shared = session(ctx)
    seconds = _seconds(timeout)
    numbers, ended = _numbers(ctx, jobs)
    shared.note_unless_empty(absence_for_jobs(shared.home, numbers, shared.program))
    states = _wait(shared, numbers, seconds, ended)
    if shared.json:
        _emit(shared, [str(number) for number in numbers])
    return _result(shared, states, timeout)


def _numbers(ctx: typer.Context, words: list[str] | None) -> tuple[list[int], frozenset[int]]:
    """The jobs to wait for, and those of them that were done already and have been told together.

    Raises NotFound if no job meets the conditions: they may have a mistake.
    """
    from jobctl.cli.choosing import check_words, condition_of, selected
    from jobctl.services.control.job_choice import WAIT, WAIT_FOR_ALL, jobs_selected
    from jobctl.services.control.targets import jobs_of

    shared = session(ctx)
    check_words(ctx, words)
    if words:
        return jobs_of(shared.home, words), frozenset()
    if not names_given(ctx):
        return [job.id for job in selected(ctx, WAIT_FOR_ALL)], frozenset()
    found = jobs_selected(shared.home, condition_of(ctx, WAIT), WAIT.states, now_us())
    if not found:
        raise NotFound("no job meets the conditions", hint="jobctl status --all lists every job")
    return [job.id for job in found], _tell_ended(shared, found)


def _tell_ended(shared: Session, jobs: list[ListedJob]) -> frozenset[int]:
    """Say how many of the selected jobs are done already, with their states; returns them."""
    from collections import Counter

    ended = [job for job in jobs if job.finished_at is not None]
    if ended and not shared.json:
        states = ", ".join(f"{count} {state}" for state, count in Counter(job.state for job in ended).items())
        shared.note(f"{len(ended)} of {plural(len(jobs), 'job')} done already: {states}")
    return frozenset(job.id for job in ended)


def _seconds(timeout: str | None) -> float | None:
    from jobctl.domain.durations import option_duration

    return None if timeout is None else option_duration("--timeout", timeout)


def _wait(shared: Session, numbers: list[int], seconds: float | None, ended: frozenset[int]) -> dict[int, str]:
    from jobctl.cli.live.waiting_line import for_jobs
    from jobctl.services.daemon.wait import wait_for

    line = for_jobs(shared, [number for number in numbers if number not in ended])

    def tell(job: int, state: str) -> None:
        if not shared.json and job not in ended:
            line.note(f"job {job} {state}")

    try:
        with line:
            return wait_for(shared.home, numbers, seconds, tell, line.look)
    except KeyboardInterrupt:
        shared.note(f"\nnot waiting any more; the jobs continue: {shared.program} status")
        raise


def _emit(shared: Session, words: list[str]) -> None:
    from jobctl.services.status.document import bundle_of, status_of

    now = now_us()
    shared.emit(bundle_of(shared.home, status_of(shared.home, words, now, program=shared.program), now))


def _result(shared: Session, states: dict[int, str], timeout: str | None) -> int:
    from jobctl.services.daemon.wait import exit_code_of, timeout_error

    error = timeout_error(shared.home, states, timeout)
    if error is None:
        return exit_code_of(list(states.values()))
    if not shared.json:
        raise error
    return int(error.exit_code)
