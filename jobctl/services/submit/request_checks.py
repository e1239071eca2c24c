"""The checks of a submission before its input is read: the kind of its work, its program, its queue."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from typer import Context

from jobctl.cli.session import session
from jobctl.domain.job_options import OPTIONS, JobOption
from jobctl.errors import UsageError

if TYPE_CHECKING:
    from jobctl.cli.session import Session
    from jobctl.cli.submission.options import CommandLine

#: Options with which a command may start later, or elsewhere, than it is submitted.
_LATER = ("after", "hold", "not_before", "key", "env_file")

#: Options that other programs do not have. After ``--`` others may be meant for the command.
_OURS_ALONE = {
    "--slots",
    "--attempts",
    "--max-failures",
    "--on-crash",
    "--only-new",
    "--on-duplicate",
    "--start-daemon",
}


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


def check_program(ctx: Context, given: Mapping[str, Any], line: CommandLine, *, foreground: bool) -> None:
    """Raises UsageError for a command that cannot run. Says so if the program may exist when and where it starts."""
    from jobctl.services.submit.foreign_syntax import refuse_foreign_syntax
    from jobctl.services.submit.program import check_program

    words = line.words
    refuse_foreign_syntax(words)
    context = _command_context(given, line)
    try:
        note = check_program(words, context)
    except UsageError:
        from jobctl.cli.submission.cluster import runs_on_cluster

        if context.elsewhere or not runs_on_cluster(session(ctx), ctx, foreground=foreground):
            raise
        note = check_program(words, context._replace(elsewhere=True))
    for text in filter(None, (note, _note_late_option(line))):
        session(ctx).note(text)


def _note_late_option(line: CommandLine) -> str:
    """A note about an option of jobctl that comes after the command, so that the command gets it."""
    from jobctl.cli.command import global_options

    ours = _OURS_ALONE
    if not line.separated:
        ours = {f"--{option.name}" for option in OPTIONS} | {
            name for each in global_options() for name in each.opts[-1:]
        }
    late = next((word for word in line.words[1:] if word.partition("=")[0] in ours), "")
    if not late:
        return ""
    return f"{late} goes to {line.words[0]}, because it comes after it; options of jobctl come before the command"


def _command_context(given: Mapping[str, Any], line: CommandLine) -> Any:
    """Return the directory and the PATH in which the program of a command is looked for."""
    import os

    from jobctl.services.submit.program import CommandContext

    variables = given["env"] or ()
    environment = {name: value for name, found, value in (text.partition("=") for text in variables) if found}
    return CommandContext(
        cwd=os.path.abspath(os.path.expanduser(given["cwd"] or "")),
        path=environment.get("PATH", os.environ.get("PATH", os.defpath)),
        own=line.own,
        separated=line.separated,
        elsewhere=any(given[name] for name in _LATER) or "PATH" in variables,
    )


def check_place(ctx: Context, parsed: Mapping[str, Any], *, foreground: bool) -> None:
    """Raises UsageError for options that have no effect where the items will run, on this machine or on a cluster.

    Prints a note if it is not known yet where they will run.
    """
    limited = [option for option in OPTIONS if option.applies == "clusters" or option.check]
    limited = [option for option in limited if parsed[option.key] is not None]
    if not limited:
        return
    from jobctl.cli.submission.cluster import runs_on_cluster
    from jobctl.domain.option_values import check

    shared = session(ctx)
    on_cluster = runs_on_cluster(shared, ctx, foreground=foreground)
    for option in limited:
        if option.applies == "clusters":
            _check_cluster(shared, option.name, on_cluster)
        elif not on_cluster:
            with naming(option):
                check(option, parsed[option.key])


def _check_cluster(shared: Session, name: str, on_cluster: bool | None) -> None:
    """Check an option that only workers of a cluster use."""
    if on_cluster is False:
        raise UsageError(
            f"--{name} works only on a cluster, and these items would run on this machine",
            hint="leave it out (--gpus-per-item and --slots work here), or see jobctl-cluster(7)",
        )
    if on_cluster is None:
        shared.note(f"--{name} works only on a cluster; a daemon that runs items on this machine ignores it")


@contextlib.contextmanager
def naming(option: JobOption) -> Iterator[None]:
    """Add the name of the option to a UsageError that the block raises."""
    try:
        yield
    except UsageError as error:
        name = f"--{option.name}" + ("" if option.choices else ":")
        raise UsageError(f"{name} {error.message}", hint=error.hint) from None


def note_environment(given: Mapping[str, Any], tell: Callable[[str], None]) -> None:
    """Name the variables that items will not get, or say that the values of all variables are stored."""
    import os

    from jobctl.handlers.environment import left_out

    if given["env_file"] is not None:
        _note_readable_file(given["env_file"], tell)
    if given["env_all"]:
        tell("--env-all: the values of all variables that are set here are stored with the job")
        return
    missed = left_out(os.environ, given["env"] or ())
    if missed:
        tell(f"items do not get {', '.join(missed)}: pass one with --env NAME=VALUE, or everything with --env-all")


def _note_readable_file(path: str, tell: Callable[[str], None]) -> None:
    """Warn of a file of secrets that others can read. It is used anyway, because it may hold none."""
    import os
    import stat

    with contextlib.suppress(OSError):
        mode = stat.S_IMODE(os.stat(path).st_mode)
        if mode & (stat.S_IRGRP | stat.S_IROTH):
            tell(f"--env-file {path} can be read by others (mode {mode:04o}): chmod 600 {path}")


def allow_new_queue(shared: Session, name: str, *, may_ask: bool) -> None:
    """Ask on a terminal whether to create an unknown queue, because its name may be a typing error.

    Raises UsageError if the answer is no, or if there is no terminal.
    """
    from jobctl.domain.nearest import nearest
    from jobctl.domain.texts import MAX_NAME, check_printable
    from jobctl.services.control.queues import known_queues

    check_printable("--queue", name, MAX_NAME)
    known = known_queues(shared.home)
    if name in known:
        return
    near = nearest(name, known)
    from jobctl.cli.asking import agrees, is_attended

    if may_ask and is_attended(shared):
        from jobctl.render.inert import inert

        guess = f" (did you mean {inert(near)}?)" if near else ""
        if agrees(f"there is no queue {inert(name)!r}{guess}; make it? [y/N] ", interrupted="nothing was accepted"):
            return
        raise UsageError(f"there is no queue {name!r}, and nothing was accepted", hint=_new_queue(near))
    raise UsageError(f"there is no queue {name!r}", hint=_new_queue(near))


def _new_queue(near: str | None) -> str:
    meant_one = f"did you mean {near}? " if near else ""
    return f"{meant_one}--new-queue makes it; jobctl queue list shows all queues"
