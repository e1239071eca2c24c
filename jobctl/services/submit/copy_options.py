"""The options of ``retry --as-new``: the differences between a new job and the one whose rows it takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from jobctl.domain.job_options import OPTIONS, JobOption, is_given
from jobctl.errors import UsageError

if TYPE_CHECKING:
    from jobctl.domain.selection import Selection
    from jobctl.services.submit.copied_job import CopiedJob, CopyRequest
    from jobctl.services.submit.submit_place import SubmitPlace

#: The fields of a request that options name, by the keys of the options.
_FIELDS = {
    **{key: key for key in ("name", "queue", "cwd", "env_file", "python", "key", "on_duplicate", "shell")},
    **{key: key for key in ("hold", "unique", "env_all")},
    "label": "labels",
}
_OF_NOTIFICATIONS = ("notify", "on_done", "notify_secret_env", "notify_secret_file")
_OF_CALLS = ("call_setup", "call_style")
_WAYS_BACK = ("undo", "undo_shell", "undo_call", "undo_on_failure")


def refuse_without_as_new(given: Mapping[str, Any], words: Sequence[str]) -> None:
    """Raises UsageError for an option or a command of a new job: a new round has the work and the place of its job."""
    wrong = [f"--{option.name}" for option in _of_copies(given)]
    wrong += ["a COMMAND"] if words else []
    if wrong:
        raise UsageError(
            f"{wrong[0]} is for a new job, and a new round continues the same job",
            hint="add --as-new to make a new job of these rows",
        )


def copy_request(
    job: int, selection: Selection, given: Mapping[str, Any], words: Sequence[str], place: SubmitPlace
) -> CopyRequest:
    """The rows of a job, and the differences that options give, by ``JobOption.key``. Raises NotFound, UsageError."""
    from jobctl.services.submit.copied_job import CopyRequest

    values = _values(given)
    rules = {option: value for option, value in values.items() if option.field}
    return CopyRequest(job, selection, rules, _fields(_parsed(values), words, place))


def check_copy(given: Mapping[str, Any], words: Sequence[str], copied: CopiedJob, place: SubmitPlace) -> None:
    """The checks of a submission that need no row. Raises UsageError."""
    from jobctl.services.submit.request_checks import allow_new_queue, check_place, check_program

    parsed = _parsed(_values(given))
    if words:
        check_program({**parsed, **copied.place}, words, place)
    if parsed["queue"] is not None and not parsed["new_queue"]:
        allow_new_queue(parsed["queue"], place)
    check_place(parsed, place)


def _of_copies(given: Mapping[str, Any]) -> list[JobOption]:
    return [option for option in OPTIONS if option.of_copies and is_given(given.get(option.key))]


def _values(given: Mapping[str, Any]) -> dict[JobOption, Any]:
    """The values of the options that are given. Raises UsageError."""
    from jobctl.services.control.round_rules import rules_of_round
    from jobctl.services.submit.intake_request import value_of

    return rules_of_round(given) | {option: value_of(option, given[option.key]) for option in _of_copies(given)}


def _parsed(values: Mapping[JobOption, Any]) -> dict[str, Any]:
    """The values of all options by their keys, None for an option that is not given."""
    return {option.key: values.get(option) for option in OPTIONS}


def _fields(parsed: Mapping[str, Any], words: Sequence[str], place: SubmitPlace) -> dict[str, Any]:
    """The fields of a ``SubmitRequest`` that the options name."""
    from jobctl.services.submit.intake_request import call_of, jobs_before, notify_of, start_at, way_back_of
    from jobctl.services.submit.request_checks import check_work

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
        found["after"] = jobs_before(place, parsed["after"])
    if parsed["not_before"]:
        found["not_before_at"] = start_at(parsed["not_before"], place.now)
    if parsed["env"]:
        found["env"] = tuple(parsed["env"])
    if parsed["priority"] is not None:
        found["priority"] = parsed["priority"]
    return found
