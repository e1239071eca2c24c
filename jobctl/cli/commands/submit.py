"""``jobctl submit``: accept a file of rows as a job."""

from __future__ import annotations

import os
import shlex
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from jobctl.cli import standard
from jobctl.cli.command import session
from jobctl.cli.session import Session, now_us
from jobctl.cli.submission.intake import input_stream, request_of
from jobctl.cli.submission.options import IntakeCommand, values
from jobctl.cli.submission.outlook import of_a_daemon, outlook
from jobctl.cli.submission.reading import Reading
from jobctl.errors import Busy, Exit, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from jobctl.process.daemon import StartOptions
    from jobctl.services.daemon.view import DaemonView
    from jobctl.services.submit.outlook import Outlook
    from jobctl.services.submit.request import Accepted, Preview, SubmitRequest

app = typer.Typer(add_completion=False, rich_markup_mode=None)

#: Said of a command that takes nothing from its rows, and of one that gets each line as its last word.
_CONSTANT = "the command has no placeholder such as {{}} or {{name}}: the same command runs {count:,} times"
_APPENDED = "the command has no placeholder such as {}: each line is appended to it, as its last argument"

FileArgument = Annotated[
    str, typer.Argument(metavar="FILE", help="CSV, TSV, JSON lines or plain lines, also .gz, .bz2, .xz; - is stdin.")
]


@app.command(cls=IntakeCommand)
def submit(
    ctx: typer.Context,
    file: FileArgument,
    start_daemon: Annotated[
        bool, typer.Option("--start-daemon", help="Start a daemon if none is up, or after who holds the store.")
    ] = False,
    wait: Annotated[bool, typer.Option("--wait", help="Wait until it is done, exit as it ended; for cron.")] = False,
) -> int:
    """Accept the rows of a file as a job and print its number; a daemon runs it.

    Examples:
      jobctl submit urls.csv -- curl -fsS -o '{id}.pdf' '{url}'
      find . -name '*.png' | jobctl submit - --format lines -- oxipng '{}'
      jobctl submit orders.jsonl --slots 4 --timeout 5m -- ./import '{id}'
      jobctl submit commands.csv               the file has a column called command
      jobctl submit orders.csv --call shop.prices:update       a Python function
      jobctl submit day.csv --key "$(date +%F)" --start-daemon --wait -- ./load {id}

    In COMMAND, {name} is a column, {} the line or first column, {#} the number of the item, {%} its slot;
    {{ and }} are braces; {name:q} is quoted for a shell, as ssh needs it, {name:json} and {name:url} for others.
    No shell is involved. Nothing is accepted from a file with a bad row (exit 7).
    The number on standard output is printed when the job is safe on disk.
    """
    shared, now = session(ctx), now_us()
    request = request_of(ctx, file, foreground=False)
    if values(ctx)["dry_run"]:
        return dry_run(shared, request, planned=of_a_daemon)
    from jobctl.services.submit.submit import submit as accept

    if wait:
        refuse_hold(request)
    if wait and not start_daemon:
        _check_daemon(shared, request)
    daemon = _daemon_options(shared) if start_daemon else None
    lost = lost_database(shared)
    with Reading(shared) as reading:
        accepted = accept(shared.home, request, now=now, stdin=input_stream(file), watch=reading)
    standard.done[:] = [f"  job {accepted.job} was accepted nevertheless: {shared.program} status {accepted.job}"]
    if lost:
        shared.warn(lost)
    if not (shared.json or (wait and shared.quiet)):
        shared.say(str(accepted.job))
    pid = _start(shared, daemon, accepted.job) if daemon else None
    if wait:
        return _await(shared, accepted, request.queue, pid, daemon)
    may_wait = bool(request.hold or request.after or request.waits_for_time)
    _report(shared, accepted, request.queue, pid, may_wait=may_wait)
    return Exit.OK


def refuse_hold(request: SubmitRequest) -> None:
    """Raises UsageError for work that is to be waited for and cannot begin."""
    if request.hold:
        raise UsageError("--hold: it would never end while it is waited for", hint="leave --hold out, or do not wait")


def lost_database(shared: Session) -> str:
    """What to say, once a new store has begun where the files of jobs are left of one whose database is gone."""
    if os.path.lexists(shared.home.database) or not os.path.isdir(shared.home.root):
        return ""
    from jobctl.domain.wording import plural
    from jobctl.store.opening.folder import jobs_with_files

    jobs = jobs_with_files(shared.home.root)
    if not jobs:
        return ""
    return (
        f"the database of {shared.home.root} was gone; a new one was made, which does not know"
        f" {plural(len(jobs), 'job')} whose files are still there; --restore in jobctl-doctor(1) brings back a copy"
    )


def _check_daemon(shared: Session, request: SubmitRequest) -> None:
    """Without a key every try would be another job: refuse before anything is accepted. With one, it may be done."""
    from jobctl.domain.blockers import DAEMON_DOWN
    from jobctl.process.lock import holder

    if request.key is None and holder(str(shared.home.lock)) is None:
        raise Busy(
            f"--wait: {DAEMON_DOWN.sentence}, so nothing was accepted",
            hint="start one with: jobctl daemon start; or give --start-daemon, or use jobctl run",
        )


def _await(shared: Session, accepted: Accepted, queue: str, started: int | None, daemon: StartOptions | None) -> int:
    """Wait for the end; silent with ``-q`` unless something is wrong, which is told once."""
    from jobctl.services.daemon.wait import exit_code_of, wait_served
    from jobctl.services.status.document import job_document

    if not shared.json:
        _report(shared, accepted, queue, started, may_wait=False)
    database = shared.open()
    serve = (lambda: _start(shared, daemon, accepted.job)) if daemon else None
    try:
        state = wait_served(database, shared.home, accepted.job, serve)
    except KeyboardInterrupt:
        follow = f"{shared.program} status {accepted.job} --watch"
        shared.note(f"\nnot waiting any more; job {accepted.job} goes on; follow it with: {follow}")
        raise
    document = job_document(database, shared.home, accepted.job, now_us(), program=shared.program)
    if shared.json:
        document["idempotency"]["replayed"] = accepted.replayed
        shared.emit(document)
    elif not shared.quiet or state != "succeeded":
        from jobctl.render.lines import summary_lines

        sys.stdout.flush()
        sys.stderr.write("\n".join(summary_lines(document)) + "\n")
    return exit_code_of([state])


def _daemon_options(shared: Session) -> StartOptions:
    """What a daemon is started with that the settings describe, looked at before anything is accepted."""
    from jobctl.cli.submission.cluster import set_cluster_words
    from jobctl.cli.submission.defaults import daemon_slots, daemon_spawners, name_devices
    from jobctl.process.daemon import StartOptions
    from jobctl.services.daemon.elsewhere import refuse_elsewhere

    cluster = set_cluster_words()
    name_devices()
    slots = daemon_slots(None, on_cluster=bool(cluster))
    options = StartOptions(home=shared.home, slots=slots, spawners=daemon_spawners(slots), cluster=cluster)
    refuse_elsewhere(options)
    return options


def _start(shared: Session, options: StartOptions, job: int) -> int | None:
    """Start a daemon; behind whoever holds the store for something else, it waits for its turn.

    None if one works on the job, or waits for its turn already.
    """
    from dataclasses import replace

    from jobctl.process import lock
    from jobctl.process.daemon import start_detached
    from jobctl.services.daemon.wait import is_served

    path = str(shared.home.lock)
    if lock.next_in_line(path) is not None:
        return None
    if lock.holder(path) is not None and is_served(shared.open(), shared.home, job):
        return None
    try:
        return start_detached(replace(options, in_line=True))
    except Busy:
        return None


def _report(shared: Session, accepted: Accepted, queue: str, started: int | None, *, may_wait: bool) -> None:
    if shared.json:
        from jobctl.services.status.document import job_document

        for notice in accepted.notices:
            shared.note(notice)
        document = job_document(shared.open(), shared.home, accepted.job, now_us(), program=shared.program)
        document["idempotency"]["replayed"] = accepted.replayed
        shared.emit(document)
        return
    worker = _worker(shared, accepted.job, started)
    # What that costs is only spent where a job may be anything but about to begin.
    is_open = may_wait or accepted.replayed or accepted.queue_paused
    after = _standing(shared, accepted.job, worker) if is_open else _begun(shared, accepted, queue, worker)
    for line in (*lines(accepted), *after):
        shared.note(line)


def _begun(shared: Session, accepted: Accepted, queue: str, worker: str) -> list[str]:
    follow = f"follow it with: {shared.program} status {accepted.job} --watch"
    found = outlook(shared, accepted.policy, queue, accepted.items, planned=of_a_daemon, foreground=False)
    fewer = [f"  {found.fewer}"] if found.fewer else []
    return [f"  {worker}", *fewer, f"  {found.bounds}", f"  {follow}"]


def _standing(shared: Session, job: int, worker: str) -> list[str]:
    """How a job stands that was there already, or that may not begin at once."""
    from jobctl.render.inert import inert
    from jobctl.services.why.reason import standing

    now = standing(shared.open(), shared.home, job, now_us(), program=shared.program)
    state = f"  {now.state}: {inert(now.reason)}"
    if now.is_done:
        return [state, _again(shared, job)]
    resume = [f"  resume it with: {command}" for command in now.resume]
    if now.state == "paused":
        return [state, *resume]
    return [f"  {worker}", state, *resume, f"  follow it with: {shared.program} status {job} --watch"]


def _again(shared: Session, job: int) -> str:
    from jobctl.services.status.document import job_document

    retry = job_document(shared.open(), shared.home, job, now_us(), program=shared.program)["retry"]["command"]
    return f"  try again with: {retry}" if retry else f"  see it with: {shared.program} status {job}"


def _worker(shared: Session, job: int, started: int | None) -> str:
    """Who works on the job, in words."""
    from jobctl.process import lock

    path = str(shared.home.lock)
    process = lock.holder(path)
    if process is None:
        from jobctl.cli.presence import nobody_works

        return nobody_works(shared)
    if process != started:
        from jobctl.services.daemon.view import daemon_view

        view = daemon_view(shared.open(), shared.home, now_us())
        if view.is_working and not view.serves(job, foreground=False):
            following = lock.next_in_line(path)
            then = f"when it has ended: {shared.program} daemon start"
            return f"{_busy(view)}; {then if following is None else f'process {following} is the daemon after it'}"
    return f"a daemon works on it (process {process})"


def _busy(view: DaemonView) -> str:
    if view.scope == "all":
        return f"the daemon is stopping (process {view.pid})"
    return f"process {view.pid} works on job {view.scope} alone"


def lines(accepted: Accepted) -> list[str]:
    """What became of the rows of an input."""
    from jobctl.domain.wording import open_elsewhere, plural
    from jobctl.render.inert import inert

    name = inert(accepted.name)
    said = [f"job {accepted.job} ({name}): {plural(accepted.items, 'item')} accepted"]
    if accepted.replayed:
        said = [f"job {accepted.job} ({name}) has this key and is the same work: nothing new was accepted"]
        if accepted.resumed:
            said.append(f"  {plural(accepted.resumed, 'item')} of it run again")
    if accepted.not_selected:
        said.append(f"  {plural(accepted.not_selected, 'row')} of the file not selected")
    if accepted.rejected:
        said.append(f"  {plural(accepted.rejected, 'row')} left out, see {accepted.rejected_path}")
    if accepted.skipped:
        said.append(f"  {plural(accepted.skipped, 'row')} skipped: done already in an earlier job of that name")
    if accepted.compared_otherwise is not None:
        other = accepted.compared_otherwise
        said.append(f"  job {other} of that name has another --new-by: rows that it has done count as not done")
    if accepted.followed:
        said.append(f"  {open_elsewhere(accepted.followed)}")
    said += [f"  {sentence}" for sentence in _on_placeholders(accepted, accepted.items)]
    said += [f"  {notice}" for notice in accepted.notices]
    return said


def _on_placeholders(found: Accepted | Preview, count: int) -> list[str]:
    """What to say about a command without a placeholder."""
    if found.constant and count > 1:
        return [_CONSTANT.format(count=count)]
    return [_APPENDED] if found.appended and count else []


def dry_run(shared: Session, request: SubmitRequest, *, planned: Callable[[], int]) -> int:
    """Say what would happen; the exit code is the one that the real thing would have.

    ``planned`` says how many slots there would be if no daemon is up.
    """
    from jobctl.services.submit.submit import preview

    with Reading(shared) as reading:
        found = preview(shared.home, request, stdin=input_stream(request.input.path), watch=reading)
    if shared.json:
        shared.emit(_preview_document(found))
        return Exit.OK
    from jobctl.render.preview import print_preview

    commands = [shlex.join(command) for command in found.commands]
    print_preview(found.columns, found.shown, commands, sys.stdout, shared.look(sys.stdout))
    sys.stdout.flush()
    expected = outlook(
        shared, request.policy, request.queue, found.rows, planned=planned, foreground=request.foreground
    )
    shared.note(_verdict(found, expected))
    return Exit.OK


def _verdict(found: Preview, expected: Outlook) -> str:
    from jobctl.domain.wording import open_elsewhere, plural

    rest = found.rows - len(found.commands)
    more = f" (and {plural(rest, 'more command')})" if rest > 0 else ""
    rejected = f", {plural(found.rejected, 'row')} would be left out" if found.rejected else ""
    left = f", {plural(found.not_selected, 'row')} not selected" if found.not_selected else ""
    if found.replay_of is not None:
        return f"job {found.replay_of} has this key and is the same work: nothing new would be accepted"
    left += f", {plural(found.skipped, 'row')} done already" if found.skipped else ""
    elsewhere = open_elsewhere(found.followed)
    bounds = (
        (f"\n{elsewhere}" if elsewhere else "")
        + (f"\n{expected.fewer}" if expected.fewer else "")
        + f"\n{expected.bounds}"
        + "".join(f"\n{sentence}" for sentence in _on_placeholders(found, found.rows))
        + "".join(f"\n{notice}" for notice in found.notices)
    )
    accepted = f"{plural(found.rows, 'item')} ({found.format}) would be accepted"
    return f"{accepted}{left}{rejected}{more}; nothing was changed{bounds}"


def _preview_document(found: Preview) -> dict[str, object]:
    return {
        "schema": "jobctl.preview/1",
        "format": found.format,
        "columns": list(found.columns),
        "first": [list(row) for row in found.shown],
        "rows": found.rows,
        "rejected": found.rejected,
        "not_selected": found.not_selected,
        "skipped": found.skipped,
        "follows": [{"job": job, "rows": rows} for job, rows in found.followed],
        "replay_of": found.replay_of,
        "notices": [*found.notices, *_on_placeholders(found, found.rows)],
        "problems": [problem.sentence() for problem in found.problems.first],
        "commands": [list(command) for command in found.commands],
    }
