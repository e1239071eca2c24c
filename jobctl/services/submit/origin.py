"""The working directory and the environment that a job takes from its submission."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from jobctl.config import Home
from jobctl.domain.texts import MAX_NAME, check_job_name, check_printable
from jobctl.errors import UsageError
from jobctl.handlers.environment import (
    check_total,
    check_variable,
    read_env_file,
    split_options,
    submitter_environment,
    whole_environment,
)
from jobctl.services.submit.foreign_syntax import refuse_foreign_syntax
from jobctl.services.submit.request import Origin, SubmitRequest
from jobctl.store.opening.open import open_database


def origin_of(home: Home, request: SubmitRequest) -> Origin:
    """Check the options of a submission that need no input; returns the origin of the job. Raises UsageError."""
    refuse_foreign_syntax(request.command)
    cwd = os.path.abspath(os.path.expanduser(request.cwd)) if request.cwd is not None else os.getcwd()
    if not os.path.isdir(cwd):
        raise UsageError(f"--cwd {cwd}: there is no such directory")
    values, names = split_options(request.env)
    env_file = None if request.env_file is None else os.path.abspath(request.env_file)
    from_file = {} if env_file is None else read_env_file(Path(env_file))
    check_words(home, request)
    inherited = submitter_environment(os.environ)
    if request.env_all:
        inherited |= with_all_variables(request, names, from_file)
    environment = inherited | values
    for name, value in environment.items():
        check_variable("the environment", name, value)
    check_total(environment | from_file)
    given: dict[str, Any] = {"cwd": cwd, "env": values, "env_names": names, "env_file": env_file}
    if request.input.selection:
        given["selection"] = request.input.selection
    if request.python is not None:
        given["python"] = find_python(request.python, cwd)
    if request.env_all:
        given["env_all"] = True
    if missing := [name for name in names if name not in environment and name not in from_file]:
        from jobctl.services.daemon.environment import check_names

        check_names(home, missing, os.environ)
    return Origin(cwd, environment, names, given)


def with_all_variables(request: SubmitRequest, names: Sequence[str], from_file: Mapping[str, str]) -> dict[str, str]:
    """The variables of ``--env-all``: all of this shell, but none that must not be stored."""
    secret = () if request.notify.secret_env is None else (request.notify.secret_env,)
    return whole_environment(os.environ, (*names, *from_file, *secret))


def find_python(given: str, cwd: str) -> str:
    """The path of an interpreter named by path or by name. Raises UsageError."""
    import shutil  # compression libraries, which few submissions need

    path = os.path.expanduser(given)
    found = os.path.join(cwd, path) if os.sep in path else shutil.which(path)
    if found is None or not os.access(found, os.X_OK) or os.path.isdir(found):
        raise UsageError(f"--python {given}: there is no such program", hint="a path, or a name that is on PATH")
    return os.path.normpath(found)


def _check_name(home: Home, name: str, *, only_new: bool) -> None:
    """Raises UsageError for a name that is not allowed. Work that --only-new has begun under such a name continues."""
    try:
        check_job_name(name)
    except UsageError:
        if not (only_new and home.database.exists()):
            raise
        from jobctl.store.views import jobs as job_views  # imported here, because few names need it

        with closing(open_database(home)) as database:
            if job_views.newest_job(database, name) is None:
                raise


def check_words(home: Home, request: SubmitRequest) -> None:
    """Raises UsageError for texts that cannot be used, naming their option."""
    if request.name is not None:
        _check_name(home, request.name, only_new=request.only_new)
    check_printable("--queue", request.queue, MAX_NAME)
    if request.key is not None:
        from jobctl.services.submit.idempotency import check_key  # few submissions have a key

        check_key(request.key)
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
