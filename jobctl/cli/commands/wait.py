"""``jobctl wait``: block until jobs are done."""

from __future__ import annotations

from typing import Annotated

import typer

from jobctl.cli.command import Command, session
from jobctl.cli.presence import note_daemon
from jobctl.cli.session import Session, now_us
from jobctl.errors import WaitTimeout

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command(cls=Command)
def wait(
    ctx: typer.Context,
    jobs: Annotated[list[str], typer.Argument(metavar="JOB...", help="Numbers, names, last, or 1,3,5-8.")],
    timeout: Annotated[
        str | None,
        typer.Option(metavar="DURATION", help="Give up after so long (exit 124), the jobs go on; default: never."),
    ] = None,
) -> int:
    """Wait until jobs are done; exit as the worst of them ended.

    Examples:
      jobctl wait last && ./publish
      jobctl wait 42 43 --timeout 2h

    Exit 0: all succeeded; 3: one is partial, some of its items failed; 4: failed; 5: cancelled; 6: expired; 124: not
    done by then.
    """
    from jobctl.services.control.targets import resolve_jobs
    from jobctl.services.daemon import wait as service

    shared = session(ctx)
    seconds = _seconds(timeout)
    database = shared.open()
    numbers = resolve_jobs(database, jobs)
    note_daemon(shared, numbers)
    try:
        states = service.wait(database, shared.home, numbers, seconds, lambda job, state: _tell(shared, job, state))
    except KeyboardInterrupt:
        shared.note(f"\nnot waiting any more; the jobs go on: {shared.program} status")
        raise
    if shared.json:
        from jobctl.services.status.document import bundle, job_documents

        now = now_us()
        documents = job_documents(database, shared.home, numbers, now, program=shared.program)
        shared.emit(documents[0] if len(documents) == 1 else bundle(database, documents, now))
    return _result(shared, states, timeout)


def _seconds(timeout: str | None) -> float | None:
    from jobctl.domain.durations import option_duration

    return None if timeout is None else option_duration("--timeout", timeout)


def _tell(shared: Session, job: int, state: str) -> None:
    if not shared.json:
        shared.note(f"job {job} {state}")


def _result(shared: Session, states: dict[int, str], timeout: str | None) -> int:
    from jobctl.domain.states import TERMINAL_JOB_STATES
    from jobctl.process.lock import holder
    from jobctl.services.daemon.wait import exit_code_of

    open_jobs = [str(job) for job, state in states.items() if state not in TERMINAL_JOB_STATES]
    if open_jobs:
        goes_on = "the work continues" if holder(str(shared.home.lock)) is not None else "no daemon works on it"
        error = WaitTimeout(
            f"not done after {timeout}: job {', '.join(open_jobs)}; {goes_on}",
            hint=f"jobctl status {','.join(open_jobs)}",
        )
        if not shared.json:
            raise error
        return int(error.exit_code)
    return exit_code_of(list(states.values()))
