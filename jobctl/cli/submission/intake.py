"""The request that a command line of ``submit`` or ``run`` makes."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, BinaryIO

from typer import Context

from jobctl.cli.session import session
from jobctl.cli.submission.checks import (
    allow_new_queue,
    check_place,
    check_program,
    check_work,
    naming,
    tell_of_environment,
)
from jobctl.cli.submission.options import command_line, filled, values
from jobctl.domain.job_options import OPTIONS, JobOption
from jobctl.errors import UsageError

if TYPE_CHECKING:
    from jobctl.domain.call import Call
    from jobctl.domain.notify import NotifyOptions
    from jobctl.domain.policy import Policy
    from jobctl.services.submit.request import SubmitRequest
    from jobctl.sources.options import InputOptions

#: Runs a line of a joblog as shell text.
JOBLOG_SHELL = "eval {}"
#: The value of an option that is not given.
_NOTHING: tuple[Any, ...] = (None, (), [])


def request_of(ctx: Context, path: str, *, foreground: bool) -> SubmitRequest:
    """The request that a command line means. Raises UsageError naming the option or the setting that is wrong."""
    from jobctl.services.settings.settings import load_settings

    given, line = values(ctx), command_line(ctx)
    words = line.words
    check_work(given, words)
    if given["from_joblog"]:
        given, words = _of_joblog(given, words)
    settings = load_settings(os.environ, os.getcwd())
    ignores = settings.ignored_files or settings.untrusted
    given, words = filled(given, words, settings.section("submit"))
    if ignores:
        _tell_untrusted(ctx, foreground=foreground)
    tell_of_environment(given, session(ctx).note)
    if words:
        check_program(ctx, given, line._replace(words=words), foreground=foreground)
    if given["queue"] is not None and not given["new_queue"]:
        allow_new_queue(session(ctx), given["queue"], may_ask=path != "-" and not given["dry_run"])
    meant = _read(given)
    after = _jobs_before(ctx, given["after"]) if given["after"] else ()
    request = _request(meant, path, words, after=after, foreground=foreground)
    check_place(ctx, meant, foreground=foreground)
    _tell_of_shells(ctx, words)
    return request


def _tell_untrusted(ctx: Context, *, foreground: bool) -> None:
    from jobctl.cli.submission.untrusted import tell_untrusted

    starts = foreground or bool(ctx.params.get("start_daemon"))
    tell_untrusted(session(ctx), "submit", *(["daemon"] if starts else []))


def _tell_of_shells(ctx: Context, words: Sequence[str]) -> None:
    from jobctl.services.submit.foreign_syntax import shell_words

    for word in shell_words(words):
        session(ctx).note(f"{word!r} is handed to {words[0]} as it is: no shell is involved; for one there is --shell")


def _of_joblog(given: Mapping[str, Any], words: Sequence[str]) -> tuple[Mapping[str, Any], list[str]]:
    """The commands in a joblog are shell text, as they were when GNU parallel ran them."""
    for option, said in (
        ("a COMMAND", words),
        ("--shell", given["shell"]),
        ("--call", given["call"]),
        ("--format", given["format"]),
    ):
        if said:
            raise UsageError(f"--from-joblog and {option} at once", hint="the joblog has the commands")
    return {**given, "shell": JOBLOG_SHELL}, []


def _read(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of the options by ``JobOption.key``; None for an option that is not given.

    Raises UsageError.
    """
    meant = {option.key: given[option.key] for option in OPTIONS}
    for option in OPTIONS:
        if option.metavar and meant[option.key] not in _NOTHING:
            meant[option.key] = _value(option, meant[option.key])
    return meant


def _value(option: JobOption, value: Any) -> Any:
    from jobctl.domain.option_values import read

    with naming(option):
        return read(option, value)


def _request(
    meant: Mapping[str, Any], path: str, words: Sequence[str], *, after: tuple[tuple[int, str], ...], foreground: bool
) -> SubmitRequest:
    from jobctl.domain.texts import DEFAULT_QUEUE
    from jobctl.services.submit.request import SubmitRequest

    not_before_at, not_before_s = meant["not_before"] or (None, None)
    return SubmitRequest(
        input=_input(meant, path),
        command=tuple(words),
        shell=meant["shell"],
        call=None if meant["call"] is None else _call(meant),
        python=meant["python"],
        name=meant["name"],
        queue=DEFAULT_QUEUE if meant["queue"] is None else meant["queue"],
        priority=meant["priority"] or 0,
        labels=meant["label"] or {},
        cwd=meant["cwd"],
        env=tuple(meant["env"] or ()),
        env_file=meant["env_file"],
        env_all=meant["env_all"],
        policy=_policy(meant, not_before_s),
        hold=meant["hold"],
        foreground=foreground,
        key=meant["key"],
        on_duplicate=meant["on_duplicate"] or "return",
        unique=meant["unique"],
        after=after,
        item_key=meant["item_key"],
        only_new=meant["only_new"],
        new_by=meant["new_by"] or (),
        notify=_notify(meant),
        not_before_at=not_before_at,
    )


def _policy(meant: Mapping[str, Any], not_before_s: float | None) -> Policy:
    from jobctl.domain.policy import Policy

    given = {option.field: meant[option.key] for option in OPTIONS if option.field}
    return Policy(
        **{field: value for field, value in given.items() if value is not None},
        not_before_s=not_before_s,
    )


def _input(meant: Mapping[str, Any], path: str) -> InputOptions:
    from jobctl.sources.options import JOBLOG, InputOptions

    return InputOptions(
        path=path,
        format=JOBLOG if meant["from_joblog"] else meant["format"],
        delimiter=meant["delimiter"],
        comment=meant["comment"],
        encoding=meant["encoding"],
        header=not meant["no_header"],
        invalid=meant["invalid"] or "reject",
        sheet=meant["sheet"],
        select=meant["select"],
        where=meant["where"],
        sample=meant["sample"],
    )


def _call(meant: Mapping[str, Any]) -> Call:
    from jobctl.domain.call import Call

    return Call(meant["call"], meant["call_setup"] or "", meant["call_style"] or "")


def _notify(meant: Mapping[str, Any]) -> NotifyOptions:
    from jobctl.domain.notify import NotifyOptions

    return NotifyOptions(
        urls=meant["notify"] or (),
        commands=meant["on_done"] or (),
        secret_env=meant["notify_secret_env"],
        secret_file=meant["notify_secret_file"],
        allow_http=meant["allow_http"],
    )


def _jobs_before(ctx: Context, texts: Sequence[str]) -> tuple[tuple[int, str], ...]:
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
