"""The checks of a submission before its input is read: the kind of its work, its program, its queue."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from jobctl.domain.job_options import OPTIONS
from jobctl.errors import UsageError

if TYPE_CHECKING:
    from jobctl.services.submit.program import CommandContext
    from jobctl.services.submit.submit_place import SubmitPlace

#: Options with which a command may start later, or elsewhere, than it is submitted.
_LATER = ("after", "hold", "not_before", "key", "env_file")


def check_work(given: Mapping[str, Any], words: Sequence[str]) -> None:
    """Raises UsageError if two kinds of work are named, or if an option belongs to the other kind."""
    named = [f"--{name}" for name in ("call", "shell") if given[name] is not None]
    if len(named) + bool(words) > 1:
        second = "a COMMAND" if words else named[1]
        raise UsageError(f"{named[0]} and {second} at once", hint="give one of them")
    if words or given["shell"] is not None:
        for option in OPTIONS:
            if option.applies == "calls" and given[option.key] is not None:
                raise UsageError(f"--{option.name} is for --call", hint="leave it out")


def check_program(given: Mapping[str, Any], words: Sequence[str], place: SubmitPlace) -> None:
    """Raises UsageError for a command that cannot run. Says so if the program may exist when and where it starts."""
    from jobctl.services.submit.foreign_syntax import refuse_foreign_syntax
    from jobctl.services.submit.program import check_program

    refuse_foreign_syntax(words)
    context = _command_context(given, place)
    try:
        note = check_program(words, context)
    except UsageError:
        from jobctl.services.submit.submit_place import runs_on_cluster

        if context.elsewhere or not runs_on_cluster(place):
            raise
        note = check_program(words, context._replace(elsewhere=True))
    for text in filter(None, (note, place.note_late_option(words, place.separated))):
        place.tell(text)


def _command_context(given: Mapping[str, Any], place: SubmitPlace) -> CommandContext:
    """Return the directory and the PATH in which the program of a command is looked for."""
    import os

    from jobctl.services.submit.program import CommandContext

    variables = given["env"] or ()
    environment = {name: value for name, found, value in (text.partition("=") for text in variables) if found}
    return CommandContext(
        cwd=os.path.normpath(os.path.join(place.cwd, os.path.expanduser(given["cwd"] or ""))),
        path=environment.get("PATH", place.environ.get("PATH", os.defpath)),
        own=place.own,
        separated=place.separated,
        elsewhere=any(given[name] for name in _LATER) or "PATH" in variables,
    )


def check_place(parsed: Mapping[str, Any], place: SubmitPlace) -> None:
    """Raises UsageError for options that have no effect where the items will run, on this machine or on a cluster.

    Tells a note if it is not known yet where they will run.
    """
    limited = [option for option in OPTIONS if option.applies == "clusters" or option.check]
    limited = [option for option in limited if parsed[option.key] is not None]
    if not limited:
        return
    from jobctl.domain.option_values import check, naming
    from jobctl.services.submit.submit_place import runs_on_cluster

    on_cluster = runs_on_cluster(place)
    for option in limited:
        if option.applies == "clusters":
            _check_cluster(place, option.name, on_cluster)
        elif not on_cluster:
            with naming(option):
                check(option, parsed[option.key])


def _check_cluster(place: SubmitPlace, name: str, on_cluster: bool | None) -> None:
    """Check an option that only workers of a cluster use."""
    if on_cluster is False:
        raise UsageError(
            f"--{name} works only on a cluster, and these items would run on this machine",
            hint="leave it out (--gpus-per-item and --slots work here), or see jobctl-cluster(7)",
        )
    if on_cluster is None:
        place.tell(f"--{name} works only on a cluster; a daemon that runs items on this machine ignores it")


def note_environment(given: Mapping[str, Any], place: SubmitPlace) -> None:
    """Name the variables that items will not get, or say that the values of all variables are stored."""
    from jobctl.handlers.environment import left_out

    if given["env_file"] is not None:
        _note_readable_file(given["env_file"], place.tell)
    if given["env_all"]:
        place.tell("--env-all: the values of all variables that are set here are stored with the job")
        return
    missed = left_out(place.environ, given["env"] or ())
    if missed:
        place.tell(
            f"items do not get {', '.join(missed)}: pass one with --env NAME=VALUE, or everything with --env-all"
        )


def _note_readable_file(path: str, tell: Callable[[str], None]) -> None:
    """Warn of a file of secrets that others can read. It is used anyway, because it may hold none."""
    import os
    import stat

    try:
        mode = stat.S_IMODE(os.stat(path).st_mode)
    except OSError:  # the submission reports it
        return
    if mode & (stat.S_IRGRP | stat.S_IROTH):
        tell(f"--env-file {path} can be read by others (mode {mode:04o}): chmod 600 {path}")


def allow_new_queue(name: str, place: SubmitPlace) -> None:
    """Ask whether to create an unknown queue, because its name may be a typing error.

    Raises UsageError if the answer is no, or if nobody can be asked.
    """
    from jobctl.domain.nearest import nearest
    from jobctl.domain.texts import MAX_NAME, check_printable
    from jobctl.services.control.queues import known_queues

    check_printable("--queue", name, MAX_NAME)
    known = known_queues(place.home)
    if name in known:
        return
    near = nearest(name, known)
    answer = place.agrees_to_queue(name, near)
    if not answer:
        refused = "" if answer is None else ", and nothing was accepted"
        raise UsageError(f"there is no queue {name!r}{refused}", hint=_new_queue(near))


def _new_queue(near: str | None) -> str:
    meant_one = f"did you mean {near}? " if near else ""
    return f"{meant_one}--new-queue makes it; jobctl queue list shows all queues"
