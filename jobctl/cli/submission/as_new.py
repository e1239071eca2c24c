"""``jobctl retry --as-new``: the new job that a command line asks for."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from typer import Context

from jobctl.cli.kept_options import is_given
from jobctl.cli.session import Session, now_us, session
from jobctl.cli.submission.options import command_line, values
from jobctl.domain.job_options import OPTIONS, JobOption
from jobctl.errors import Exit, NotFound, UsageError

if TYPE_CHECKING:
    from jobctl.domain.selection import Selection
    from jobctl.services.submit.copied_job import CopiedJob, CopyRequest

#: The fields of a request that options name, by the keys of the options.
_FIELDS = {
    **{key: key for key in ("name", "queue", "cwd", "env_file", "python", "key", "on_duplicate", "shell")},
    **{key: key for key in ("hold", "unique", "env_all")},
    "label": "labels",
}
_OF_NOTIFICATIONS = ("notify", "on_done", "notify_secret_env", "notify_secret_file")
_OF_CALLS = ("call_setup", "call_style")
_WAYS_BACK = ("undo", "undo_shell", "undo_call", "undo_on_failure")


def refuse_without_as_new(ctx: Context) -> None:
    """Raises UsageError for an option or a command of a new job: a new round has the work and the place of its job."""
    wrong = [f"--{option.name}" for option in OPTIONS if option.of_copies and _is_given(ctx, option)]
    wrong += ["a COMMAND"] if command_line(ctx).words else []
    if wrong:
        raise UsageError(
            f"{wrong[0]} is for a new job, and a new round continues the same job",
            hint="add --as-new to make a new job of these rows",
        )


def retry_as_new(ctx: Context, targets: Sequence[str]) -> int:
    """Make a new job of rows of another one, and say so; returns the exit code."""
    from jobctl.services.submit.copied_job import CopiedJob

    shared, now = session(ctx), now_us()
    wanted = _wanted(ctx, targets)
    copied = CopiedJob(shared.home, wanted, now=now)
    _check(ctx, copied)
    if values(ctx)["dry_run"]:
        return _dry_run(shared, copied)
    return _accept(shared, copied, wanted.job)


def _dry_run(shared: Session, copied: CopiedJob) -> int:
    from jobctl.cli.submission.dry_run import show
    from jobctl.cli.submission.messages import daemon_slots_planned

    return show(shared, copied.request, copied.preview, planned=daemon_slots_planned)


def _accept(shared: Session, copied: CopiedJob, of: int) -> int:
    from jobctl.cli.submission.accepting import accept_job
    from jobctl.cli.submission.messages import print_messages

    accepted = accept_job(shared, copied.accept)
    if not shared.json:
        shared.say(str(accepted.job))
        shared.note(f"job {accepted.job} has rows of job {of}")
    print_messages(shared, accepted, copied.request, None, waits=False)
    return Exit.OK


def _is_given(ctx: Context, option: JobOption) -> bool:
    return is_given(values(ctx).get(option.key))


def _wanted(ctx: Context, targets: Sequence[str]) -> CopyRequest:
    """The rows and the differences that a command line names. Raises NotFound, UsageError."""
    from jobctl.services.submit.copied_job import CopyRequest

    job, selection = _rows(ctx, targets)
    given = _given(ctx)
    rules = {option: value for option, value in given.items() if option.field}
    return CopyRequest(job, selection, rules, _fields(ctx, _parsed(given)))


def _rows(ctx: Context, targets: Sequence[str]) -> tuple[int, Selection]:
    """The job whose rows are taken, and which of them. Raises NotFound, UsageError."""
    from jobctl.cli.item_conditions import selection_of
    from jobctl.domain.states import ItemState
    from jobctl.services.control.retry import selections
    from jobctl.services.control.targets import targets_of

    try:
        named = targets_of(session(ctx).home, targets)
    except NotFound as error:
        if len(targets) > 1 and not command_line(ctx).separated:
            words = f"retry {targets[0]} --as-new -- {shlex.join(targets[1:])}"
            error.hint = f"the words of a command come after --: {session(ctx).program} {words}"
        raise
    chosen = selections(named, selection_of(ctx), tuple(ItemState))
    if len(chosen) > 1:
        raise UsageError("--as-new takes the rows of one job", hint="give the command once for each job")
    ((job, selection),) = chosen.items()
    return job, selection


def _given(ctx: Context) -> dict[JobOption, Any]:
    """The options that are given, with their values. Raises UsageError."""
    from jobctl.cli.submission.intake import value_of
    from jobctl.cli.submission.round_rules import rules_of_round

    others = [option for option in OPTIONS if option.of_copies and _is_given(ctx, option)]
    return rules_of_round(ctx) | {option: value_of(option, values(ctx)[option.key]) for option in others}


def _parsed(given: Mapping[JobOption, Any]) -> dict[str, Any]:
    """The values of all options by their keys, None for an option that is not given."""
    return {option.key: given.get(option) for option in OPTIONS}


def _fields(ctx: Context, parsed: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a ``SubmitRequest`` that the options name."""
    from jobctl.cli.submission.checks import check_work
    from jobctl.cli.submission.intake import call_of, jobs_before, notify_of, start_at, way_back_of

    words = command_line(ctx).words
    check_work(parsed, words)
    found = {field: parsed[key] for key, field in _FIELDS.items() if parsed[key] is not None}
    if words:
        found["command"] = tuple(words)
    if parsed["call"] is not None:
        found["call"] = call_of(parsed)
    elif alone := [key for key in _OF_CALLS if parsed[key]]:
        raise UsageError(f"--{alone[0].replace('_', '-')} needs --call", hint="give the function as well")
    if any(parsed[key] for key in _OF_NOTIFICATIONS):
        found["notify"] = notify_of(parsed)
    if any(parsed[key] for key in _WAYS_BACK):
        found |= {"undo": way_back_of(parsed), "undo_on_failure": bool(parsed["undo_on_failure"])}
    if parsed["after"]:
        found["after"] = jobs_before(ctx, parsed["after"])
    if parsed["not_before"]:
        found["not_before_at"] = start_at(parsed["not_before"], now_us())
    if parsed["env"]:
        found["env"] = tuple(parsed["env"])
    if parsed["priority"] is not None:
        found["priority"] = parsed["priority"]
    return found


def _check(ctx: Context, copied: CopiedJob) -> None:
    """The checks of a submission that need no row. Raises UsageError."""
    from jobctl.cli.submission.checks import allow_new_queue, check_place, check_program

    parsed, line = _parsed(_given(ctx)), command_line(ctx)
    if line.words:
        check_program(ctx, {**parsed, **copied.place}, line, foreground=False)
    if parsed["queue"] is not None and not parsed["new_queue"]:
        allow_new_queue(session(ctx), parsed["queue"], may_ask=not parsed["dry_run"])
    check_place(ctx, parsed, foreground=False)
