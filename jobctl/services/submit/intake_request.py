"""The request that a command line of ``submit`` or ``run`` makes."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, BinaryIO

from typer import Context

from jobctl.cli.kept_options import is_given
from jobctl.cli.session import now_us, session
from jobctl.cli.submission.checks import (
    allow_new_queue,
    check_place,
    check_program,
    check_work,
    naming,
    note_environment,
)
from jobctl.cli.submission.options import command_line, fill_in, values
from jobctl.domain.job_options import OPTIONS, JobOption
from jobctl.errors import UsageError

if TYPE_CHECKING:
    from jobctl.domain.call import Call
    from jobctl.domain.notify import NotifyOptions
    from jobctl.domain.policy import Policy
    from jobctl.domain.times import When
    from jobctl.services.submit.request import SubmitRequest
    from jobctl.sources.options import InputOptions
    from jobctl.undo.work import UndoWords

#: Runs a line of a joblog as shell text.
JOBLOG_SHELL = "eval {}"
#: The options about taking rows back.
_WAYS_BACK = ("undo", "undo_shell", "undo_call", "undo_on_failure")


def request_of(ctx: Context, path: str, *, foreground: bool) -> SubmitRequest:
    """The request that a command line means. Raises UsageError naming the option or the setting that is wrong."""
    from jobctl.services.settings.settings import load_settings

    given, line = values(ctx), command_line(ctx)
    words = line.words
    check_work(given, words)
    if given["from_joblog"]:
        given, words = _from_joblog(given, words)
    settings = load_settings(os.environ, os.getcwd())
    ignores = settings.ignored_files or settings.untrusted
    given, words = fill_in(given, words, settings.section("submit"))
    if ignores:
        _tell_untrusted(ctx, foreground=foreground)
    note_environment(given, session(ctx).note)
    if words:
        check_program(ctx, given, line._replace(words=words), foreground=foreground)
    if given["queue"] is not None and not given["new_queue"]:
        allow_new_queue(session(ctx), given["queue"], may_ask=path != "-" and not given["dry_run"])
    parsed = _read(given)
    after = jobs_before(ctx, given["after"]) if given["after"] else ()
    if parsed["undo"]:
        check_program(ctx, given, line._replace(words=list(parsed["undo"]), separated=True), foreground=foreground)
    request = _request(parsed, path, words, after=after, foreground=foreground)
    check_place(ctx, parsed, foreground=foreground)
    _note_shell_words(ctx, words)
    _note_clock_changes(ctx, parsed, request)
    return request


def _tell_untrusted(ctx: Context, *, foreground: bool) -> None:
    from jobctl.cli.submission.untrusted import tell_untrusted

    starts = foreground or bool(ctx.params.get("start_daemon"))
    tell_untrusted(session(ctx), "submit", *(["daemon"] if starts else []))


def _note_shell_words(ctx: Context, words: Sequence[str]) -> None:
    from jobctl.services.submit.foreign_syntax import shell_words

    for word in shell_words(words):
        session(ctx).note(f"{word!r} is handed to {words[0]} as it is: no shell is involved; for one there is --shell")


def _from_joblog(given: Mapping[str, Any], words: Sequence[str]) -> tuple[Mapping[str, Any], list[str]]:
    """The commands in a joblog are shell text, as they were when GNU parallel ran them."""
    for option, value in (
        ("a COMMAND", words),
        ("--shell", given["shell"]),
        ("--call", given["call"]),
        ("--format", given["format"]),
    ):
        if value:
            raise UsageError(f"--from-joblog and {option} at once", hint="the joblog has the commands")
    return {**given, "shell": JOBLOG_SHELL}, []


def _read(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of the options by ``JobOption.key``; None for an option that is not given.

    Raises UsageError.
    """
    parsed = {option.key: given[option.key] for option in OPTIONS}
    for option in OPTIONS:
        if option.metavar and is_given(parsed[option.key]):
            parsed[option.key] = value_of(option, parsed[option.key])
    return parsed


def value_of(option: JobOption, value: Any) -> Any:
    """The value of an option that was given, as ``option_values`` reads it; that of a switch as it is."""
    if not option.metavar:
        return value
    from jobctl.domain.option_values import read

    with naming(option):
        return read(option, value)


def _request(
    parsed: Mapping[str, Any], path: str, words: Sequence[str], *, after: tuple[tuple[int, str], ...], foreground: bool
) -> SubmitRequest:
    """Times count from the moment of this call, not from the end of an input that may take hours."""
    from jobctl.domain.texts import DEFAULT_QUEUE
    from jobctl.services.submit.request import SubmitRequest

    now = now_us()
    return SubmitRequest(
        input=_input(parsed, path),
        command=tuple(words),
        shell=parsed["shell"],
        call=None if parsed["call"] is None else call_of(parsed),
        python=parsed["python"],
        name=parsed["name"],
        queue=DEFAULT_QUEUE if parsed["queue"] is None else parsed["queue"],
        priority=parsed["priority"] or 0,
        labels=parsed["label"] or {},
        cwd=parsed["cwd"],
        env=tuple(parsed["env"] or ()),
        env_file=parsed["env_file"],
        env_all=parsed["env_all"],
        policy=_policy(parsed, now),
        hold=parsed["hold"],
        foreground=foreground,
        key=parsed["key"],
        on_duplicate=parsed["on_duplicate"] or "return",
        unique=parsed["unique"],
        after=after,
        item_key=parsed["item_key"],
        only_new=parsed["only_new"],
        new_by=parsed["new_by"] or (),
        notify=notify_of(parsed),
        not_before_at=start_at(parsed["not_before"], now),
        undo=way_back_of(parsed),
        undo_on_failure=parsed["undo_on_failure"],
    )


def _policy(parsed: Mapping[str, Any], now: int) -> Policy:
    from jobctl.domain.option_values import policy_fields
    from jobctl.domain.policy import Policy

    fields: dict[str, Any] = {}
    for option in OPTIONS:
        if option.field and parsed[option.key] is not None:
            with naming(option):
                fields |= policy_fields(option, parsed[option.key], now)
    return Policy(**fields)


def _note_clock_changes(ctx: Context, parsed: Mapping[str, Any], request: SubmitRequest) -> None:
    """Say so if a time falls into the hour that the local clock skips or shows twice."""
    ends_at = request.policy.deadline_at
    if request.not_before_at is None and ends_at is None:
        return
    from jobctl.domain.durations import parse_time
    from jobctl.domain.times import remark

    moments = {"not-before": request.not_before_at, "deadline": None if ends_at is None else parse_time(ends_at)}
    for name, at in moments.items():
        found = "" if at is None else remark(parsed[name.replace("-", "_")], at)
        if found:
            session(ctx).note(f"--{name}: {found}")


def start_at(when: When | None, now: int) -> int | None:
    """The start that was given as a time; a wait is in the policy."""
    if when is None:
        return None
    from jobctl.domain import times  # few jobs wait for a time

    return times.start_at(when, now)


def _input(parsed: Mapping[str, Any], path: str) -> InputOptions:
    from jobctl.sources.options import JOBLOG, InputOptions

    return InputOptions(
        path=path,
        format=JOBLOG if parsed["from_joblog"] else parsed["format"],
        delimiter=parsed["delimiter"],
        comment=parsed["comment"],
        encoding=parsed["encoding"],
        header=not parsed["no_header"],
        invalid=parsed["invalid"] or "reject",
        sheet=parsed["sheet"],
        select=parsed["select"],
        where=parsed["where"],
        sample=parsed["sample"],
    )


def call_of(parsed: Mapping[str, Any]) -> Call:
    """The function that the options name."""
    from jobctl.domain.call import Call

    return Call(parsed["call"], parsed["call_setup"] or "", parsed["call_style"] or "")


def way_back_of(parsed: Mapping[str, Any]) -> UndoWords | None:
    """The way to take a row back; None without one."""
    if not any(parsed[name] for name in _WAYS_BACK):
        return None
    from jobctl.cli.submission.undo import kept_words  # few submissions have a way back

    return kept_words(parsed)


def notify_of(parsed: Mapping[str, Any]) -> NotifyOptions:
    """The targets of notifications."""
    from jobctl.domain.notify import NotifyOptions

    return NotifyOptions(
        urls=parsed["notify"] or (),
        commands=parsed["on_done"] or (),
        secret_env=parsed["notify_secret_env"],
        secret_file=parsed["notify_secret_file"],
        allow_http=parsed["allow_http"],
    )


def jobs_before(ctx: Context, texts: Sequence[str]) -> tuple[tuple[int, str], ...]:
    """The jobs of ``--after``, each with its condition, ok or any. Raises NotFound, UsageError."""
    from jobctl.services.control.targets import jobs_of

    found: list[tuple[int, str]] = []
    for text in texts:
        name, _, condition = text.rpartition(":")
        if condition not in ("ok", "any"):
            name, condition = text, "ok"
        found += [(job, condition) for job in jobs_of(session(ctx).home, [name])]
    return tuple(found)


def input_stream(path: str) -> BinaryIO:
    """Standard input for ``-``. Raises UsageError for a terminal, on which a person rarely types rows."""
    if path == "-" and sys.stdin.isatty():
        raise UsageError(
            "standard input is a terminal", hint="pipe the rows in: producer | jobctl submit - --format csv"
        )
    return sys.stdin.buffer
