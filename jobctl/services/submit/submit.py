"""Accepting work: one streamed pass over the file inside one transaction, then one durable commit, then the id."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

from jobctl.config import Home
from jobctl.domain.content import counted_columns
from jobctl.domain.names import check_job_name
from jobctl.domain.payload import key_reader, texts_of
from jobctl.domain.texts import MAX_NAME, check_printable
from jobctl.errors import UsageError
from jobctl.handlers.environment import (
    check_total,
    check_variable,
    read_env_file,
    split_options,
    submitter_environment,
    whole_environment,
)
from jobctl.handlers.handler import Handler
from jobctl.handlers.kinds import make_handler, make_shell_for_commands
from jobctl.process.wakeup import wake
from jobctl.services.daemon.environment import check_names
from jobctl.services.submit import idempotency
from jobctl.services.submit.intake import Intake
from jobctl.services.submit.request import Accepted, Preview, SubmitRequest, Surroundings
from jobctl.services.submit.shell_habits import refuse_other_ways
from jobctl.sources import open_source
from jobctl.sources.options import JOBLOG
from jobctl.sources.source import Source
from jobctl.store.opening.open import check_place, open_database

#: Of a dry run.
COMMANDS_SHOWN = 5


def submit(
    home: Home, request: SubmitRequest, *, now: int, stdin: BinaryIO, watch: Callable[[Source], None] | None = None
) -> Accepted:
    """Accept a file as a job, or find the job that its idempotency key stands for.

    Raises InputRejected naming the first problems of the input, UsageError for options, KeyConflict for a key that
    stands for other work; in each case nothing has changed. The id is returned only after a commit that survives a
    power cut. ``watch`` is told after every batch of rows that was read.
    """
    surroundings = _check_surroundings(home, request)
    with open_source(request.input, stdin) as source:
        source.watch = watch
        handler = _handler(request, source)
        _check_function(request, surroundings, source)
        intake = Intake(home, source, handler, request, now)
        if not os.path.lexists(home.database):
            check_place(home)
            intake.read_head()
        database = open_database(home, create=True)
        try:
            intake.read_head()
            accepted = intake.run(database, surroundings)
            wake(home.wake)  # before anything is put away: somebody waits for the first item
        finally:
            database.close()
    return accepted


def preview(
    home: Home, request: SubmitRequest, *, stdin: BinaryIO, watch: Callable[[Source], None] | None = None
) -> Preview:
    """Read and judge the whole input as ``submit`` would, raise what it would raise, write nothing."""
    from jobctl.services.submit.dry_run import Rehearsal

    surroundings = _check_surroundings(home, request)
    commands: list[tuple[str, ...]] = []
    shown: list[tuple[str, ...]] = []
    with open_source(request.input, stdin) as source:
        source.watch = watch
        handler = _handler(request, source)
        _check_function(request, surroundings, source)
        rehearsal = Rehearsal(home, source, handler, request)
        for batch in rehearsal.batches(surroundings):
            for payload in batch[: COMMANDS_SHOWN - len(commands)]:
                commands.append(handler.words(len(commands) + 1, payload))
                shown.append(texts_of(source.format, payload, source.columns))
    rows = source.rows - rehearsal.skipped - sum(count for _, count in rehearsal.followed)
    return Preview(
        source.format,
        tuple(source.columns) or ("line",),
        rows,
        source.rejected,
        tuple(commands),
        source.problems,
        source.not_selected,
        tuple(shown),
        rehearsal.skipped,
        None if rehearsal.owner is None else rehearsal.owner.id,
        constant=handler.constant and source.rows > 1,
        appended=handler.appended,
        followed=rehearsal.followed,
        notices=tuple(source.notices),
    )


def _handler(request: SubmitRequest, source: Source) -> Handler:
    """What runs the rows. Raises UsageError for a command or a key that does not fit the columns."""
    handler = _made_handler(request, source)
    source.notices += handler.notices
    return handler


def _made_handler(request: SubmitRequest, source: Source) -> Handler:
    if request.item_key is not None:
        key_reader(source.format, source.columns or (), request.item_key)
        counted_columns(source.format, source.columns or (), request.new_by)
    if request.input.format == JOBLOG and request.shell is not None:
        return make_shell_for_commands(request.shell, source.format, source.columns)
    return make_handler(request.call or request.command, request.shell, source.format, source.columns)


def _check_function(request: SubmitRequest, surroundings: Surroundings, source: Source) -> None:
    """Raises UsageError for a function that cannot be loaded, or that does not take the columns."""
    if request.call is None:
        return
    from jobctl.services.submit.check_function import check_function  # starts a process

    check_function(request.call, surroundings, source.format, source.columns or ())


def _python(given: str, cwd: str) -> str:
    """The path of an interpreter named by path or by name. Raises UsageError."""
    import shutil  # compression libraries, which few submissions need

    path = os.path.expanduser(given)
    found = os.path.join(cwd, path) if os.sep in path else shutil.which(path)
    if found is None or not os.access(found, os.X_OK) or os.path.isdir(found):
        raise UsageError(f"--python {given}: there is no such program", hint="a path, or a name that is on PATH")
    return os.path.normpath(found)


def _check_name(home: Home, name: str, *, only_new: bool) -> None:
    """Raises UsageError for what is no name. What --only-new has begun under such a name goes on."""
    try:
        check_job_name(name)
    except UsageError:
        if not (only_new and home.database.exists()):
            raise
        from jobctl.store.views import jobs as job_views  # of no use to the names that people give

        database = open_database(home)
        try:
            if job_views.newest_job(database, name) is None:
                raise
        finally:
            database.close()


def _check_words(home: Home, request: SubmitRequest) -> None:
    """Raises UsageError for texts that cannot be used, naming their option."""
    if request.name is not None:
        _check_name(home, request.name, only_new=request.only_new)
    check_printable("--queue", request.queue, MAX_NAME)
    if request.key is not None:
        idempotency.check_key(request.key)
    if request.only_new and (request.name is None or request.item_key is None):
        raise UsageError("--only-new needs --name and --item-key", hint="--name nightly --item-key id --only-new")
    if request.new_by and not request.only_new:
        raise UsageError(
            "--new-by names the columns that --only-new compares, and --only-new is not given",
            hint=f"--name nightly --item-key id --only-new --new-by {','.join(request.new_by)}",
        )
    if request.notify.is_given:
        from jobctl.services.notify import make_targets

        make_targets(request.notify, os.environ)


def _check_surroundings(home: Home, request: SubmitRequest) -> Surroundings:
    refuse_other_ways(request.command)
    cwd = os.path.abspath(os.path.expanduser(request.cwd)) if request.cwd is not None else os.getcwd()
    if not os.path.isdir(cwd):
        raise UsageError(f"--cwd {cwd}: there is no such directory")
    values, names = split_options(request.env)
    env_file = None if request.env_file is None else os.path.abspath(request.env_file)
    from_file = {} if env_file is None else read_env_file(Path(env_file))
    _check_words(home, request)
    inherited = submitter_environment(os.environ)
    if request.env_all:
        secret = () if request.notify.secret_env is None else (request.notify.secret_env,)
        inherited |= whole_environment(os.environ, (*names, *from_file, *secret))
    environment = inherited | values
    for name, value in environment.items():
        check_variable("the environment", name, value)
    check_total(environment | from_file)
    given: dict[str, Any] = {"cwd": cwd, "env": values, "env_names": names, "env_file": env_file}
    if request.input.selection:
        given["selection"] = request.input.selection
    if request.python is not None:
        given["python"] = _python(request.python, cwd)
    if request.env_all:
        given["env_all"] = True
    if missing := [name for name in names if name not in environment and name not in from_file]:
        check_names(home, missing, os.environ)
    return Surroundings(cwd, environment, names, given)


def lost_database(home: Home) -> str:
    """A warning if the home has files of jobs but no database; empty otherwise. The next submission makes a new one."""
    if os.path.lexists(home.database) or not os.path.isdir(home.root):
        return ""
    from jobctl.domain.wording import plural
    from jobctl.store.opening.folder import jobs_with_files

    jobs = jobs_with_files(home.root)
    if not jobs:
        return ""
    return (
        f"the database of {home.root} was gone; a new one was made, which does not know"
        f" {plural(len(jobs), 'job')} whose files are still there; --restore in jobctl-doctor(1) brings back a copy"
    )
