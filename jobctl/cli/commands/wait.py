"""``jobctl wait``: block until jobs are done."""

from __future__ import annotations

from typing import Annotated

import typer

from jobctl.cli.command import Command
from jobctl.cli.session import Session, now_us, session

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command(cls=Command)
def wait(
    ctx: typer.Context,
    jobs: Annotated[list[str], typer.Argument(metavar="JOB...", help="Numbers, names, last, or 1,3,5-8.")],
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

    Exit 0: all succeeded; 3: one is partial, some of its items failed; 4: failed; 5: cancelled; 6: expired; 124: not
    done in time.
    """
    from jobctl.services.control.targets import jobs_of
    from jobctl.services.daemon.absence import absence_for_jobs

    shared = session(ctx)
    seconds = _seconds(timeout)
    numbers = jobs_of(shared.home, jobs)
    shared.note_unless_empty(absence_for_jobs(shared.home, numbers, shared.program))
    states = _wait(shared, numbers, seconds)
    if shared.json:
        _emit(shared, [str(number) for number in numbers])
    return _result(shared, states, timeout)


def _seconds(timeout: str | None) -> float | None:
    from jobctl.domain.durations import option_duration

    return None if timeout is None else option_duration("--timeout", timeout)


def _wait(shared: Session, numbers: list[int], seconds: float | None) -> dict[int, str]:
    from jobctl.services.daemon.wait import wait_for

    def tell(job: int, state: str) -> None:
        if not shared.json:
            shared.note(f"job {job} {state}")

    try:
        return wait_for(shared.home, numbers, seconds, tell)
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
