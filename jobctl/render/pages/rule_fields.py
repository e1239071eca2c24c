"""The fields for the rules of a job, from the one table of options: those that a page may change."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from jobctl.domain.durations import format_time, parse_time
from jobctl.domain.job_options import NO_LIMIT, OPTIONS, JobOption
from jobctl.domain.option_texts import text_of as text_of_option
from jobctl.domain.policy import Policy
from jobctl.render.pages.forms import Field, fields

if TYPE_CHECKING:
    from jobctl.domain.documents.status import StatusDocument

#: The rules that most people change; the others are below them.
_FIRST = ("timeout", "attempts", "slots", "rate")


def rules_of_round() -> dict[str, JobOption]:
    """The rules that a page may give a new round, by name."""
    return {option.name: option for option in OPTIONS if option.of_retry and option.safe and not option.multiple}


def rules_of_job() -> dict[str, JobOption]:
    """The rules that a page may change while a job is not done, by name."""
    return {option.name: option for option in OPTIONS if option.effect and option.safe}


def rule_fields(
    status: StatusDocument, options: Mapping[str, JobOption], given: Mapping[str, str], prefix: str
) -> Iterator[str]:
    """The fields of these options; an empty field leaves the rule as it is. ``given`` is what a person typed before."""
    found = {name: _field(status, option, given.get(name, "")) for name, option in options.items()}
    yield fields((found.pop(name) for name in _FIRST if name in found), prefix)
    is_open = " open" if any(each.value for each in found.values()) else ""
    yield f'<details id="{prefix}more"{is_open}><summary>More rules</summary>{fields(found.values(), prefix)}</details>'


def _field(status: StatusDocument, option: JobOption, given: str) -> Field:
    now = _now(status, option)
    choices: tuple[tuple[str, str], ...] = ()
    if option.choices:
        words = (*option.choices, *((NO_LIMIT,) if option.can_be_none else ()))
        choices = (("", f"as it is: {now}"), *((word, word) for word in words))
    hint = option.help + (f" {NO_LIMIT} takes the limit away." if option.can_be_none and not choices else "")
    return Field(option.name, option.name, given, hint, now=now, choices=choices)


def _now(status: StatusDocument, option: JobOption) -> str:
    """The value that counts now, as people type it."""
    if option.name == "priority":
        return str(status["priority"])
    policy = Policy.from_json(status["policy"])
    at = status["time"]["deadline_at"] if option.name == "deadline" else None
    if option.name == "not-before":
        at = status["time"]["not_before_at"]
    if at is not None:
        return format_time(parse_time(at))
    if option.name == "timeout" and policy.timeouts_s:
        return text_of_option(option, policy.timeouts_s)
    return text_of_option(option, getattr(policy, option.field))
