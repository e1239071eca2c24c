"""The request that the options of a submission make, wherever they come from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from jobctl.domain.job_options import NO_LIMIT, OPTIONS, JobOption, is_given
from jobctl.errors import UsageError
from jobctl.services.submit.request_checks import (
    allow_new_queue,
    check_place,
    check_program,
    check_work,
    note_environment,
)

if TYPE_CHECKING:
    from jobctl.domain.call import Call
    from jobctl.domain.notify import NotifyOptions
    from jobctl.domain.policy import Policy
    from jobctl.domain.times import When
    from jobctl.services.submit.request import SubmitRequest
    from jobctl.services.submit.submit_place import SubmitPlace
    from jobctl.sources.options import InputOptions
    from jobctl.undo.work import UndoWords

#: Runs a line of a joblog as shell text.
JOBLOG_SHELL = "eval {}"
#: The options about taking rows back.
_WAYS_BACK = ("undo", "undo_shell", "undo_call", "undo_on_failure")


def request_of(given: Mapping[str, Any], words: Sequence[str], path: str, place: SubmitPlace) -> SubmitRequest:
    """The request that options and the words of a command mean, completed by the recipe and the settings.

    ``given`` has a value for every ``JobOption.key``: as the command line parses it, or None or False for an option
    that is not given (``nothing_given``). ``path`` names the input; ``-`` is a stream. Times count from ``place.now``,
    not from the end of an input that may take hours. Raises UsageError naming the option or the setting that is wrong,
    NotFound for a recipe or a job that does not exist.
    """
    from jobctl.services.settings.settings import load_settings

    check_work(given, words)
    if given["from_joblog"]:
        given, words = _from_joblog(given, words)
    settings = load_settings(place.environ, place.cwd)
    given, words = _filled_in(given, words, settings.section("submit"), place)
    if settings.ignored_files or settings.untrusted:
        place.tell_ignored()
    note_environment(given, place)
    if words:
        check_program(given, words, place)
    if given["queue"] is not None and not given["new_queue"]:
        allow_new_queue(given["queue"], place)
    parsed = _read(given)
    after = jobs_before(place, given["after"]) if given["after"] else ()
    if parsed["undo"]:
        check_program(given, parsed["undo"], replace(place, separated=True))
    request = _request(parsed, path, words, place, after)
    check_place(parsed, place)
    _note_shell_words(place, words)
    _note_clock_changes(place, parsed, request)
    return request


def _filled_in(
    given: Mapping[str, Any], words: Sequence[str], settings: Mapping[str, Any], place: SubmitPlace
) -> tuple[Mapping[str, Any], Sequence[str]]:
    if not settings and given["recipe"] is None and NO_LIMIT not in given.values():
        return given, words
    from jobctl.services.submit.filled_options import fill_in  # many submissions have nothing to be filled in

    return fill_in(given, words, settings, place)


def nothing_given() -> dict[str, Any]:
    """The options of a submission that gives none, by ``JobOption.key``."""
    return {option.key: _absent(option) for option in OPTIONS}


def _absent(option: JobOption) -> Any:
    if option.multiple:
        return ()
    return None if option.metavar else False


def _note_shell_words(place: SubmitPlace, words: Sequence[str]) -> None:
    from jobctl.services.submit.foreign_syntax import shell_words

    for word in shell_words(words):
        place.tell(f"{word!r} is handed to {words[0]} as it is: no shell is involved; for one there is --shell")


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
    from jobctl.domain.option_values import naming, read

    with naming(option):
        return read(option, value)


def _request(
    parsed: Mapping[str, Any], path: str, words: Sequence[str], place: SubmitPlace, after: tuple[tuple[int, str], ...]
) -> SubmitRequest:
    from jobctl.domain.texts import DEFAULT_QUEUE
    from jobctl.services.submit.request import SubmitRequest

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
        policy=_policy(parsed, place.now),
        hold=parsed["hold"],
        foreground=place.foreground,
        key=parsed["key"],
        on_duplicate=parsed["on_duplicate"] or "return",
        unique=parsed["unique"],
        after=after,
        item_key=parsed["item_key"],
        only_new=parsed["only_new"],
        new_by=parsed["new_by"] or (),
        notify=notify_of(parsed),
        not_before_at=start_at(parsed["not_before"], place.now),
        undo=way_back_of(parsed),
        undo_on_failure=parsed["undo_on_failure"],
    )


def _policy(parsed: Mapping[str, Any], now: int) -> Policy:
    from jobctl.domain.option_values import naming, policy_fields
    from jobctl.domain.policy import Policy

    fields: dict[str, Any] = {}
    for option in OPTIONS:
        if option.field and parsed[option.key] is not None:
            with naming(option):
                fields |= policy_fields(option, parsed[option.key], now)
    return Policy(**fields)


def _note_clock_changes(place: SubmitPlace, parsed: Mapping[str, Any], request: SubmitRequest) -> None:
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
            place.tell(f"--{name}: {found}")


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
    from jobctl.services.submit.way_back import kept_words  # few submissions have a way back

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


def jobs_before(place: SubmitPlace, texts: Sequence[str]) -> tuple[tuple[int, str], ...]:
    """The jobs of ``--after``, each with its condition, ok or any. Raises NotFound, UsageError."""
    from jobctl.services.control.targets import jobs_of

    found: list[tuple[int, str]] = []
    for text in texts:
        name, _, condition = text.rpartition(":")
        if condition not in ("ok", "any"):
            name, condition = text, "ok"
        found += [(job, condition) for job in jobs_of(place.home, [name])]
    return tuple(found)
