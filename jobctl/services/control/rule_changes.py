"""Changes of the rules of a job, for ``jobctl set`` and for the new round of ``jobctl retry``."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from jobctl.domain.durations import parse_time
from jobctl.domain.job_options import JobOption
from jobctl.domain.option_texts import rule_words, text_of
from jobctl.domain.option_values import check, policy_fields
from jobctl.domain.policy import Policy
from jobctl.domain.times import coming, with_offset
from jobctl.handlers.environment import check_total, split_options

if TYPE_CHECKING:
    from jobctl.domain.documents.policy import PolicyBlock, RuleBlock
    from jobctl.store.job_row import JobRow

#: The values of options, as ``option_values`` reads them.
Values = Mapping[JobOption, Any]


class RuleChanges(NamedTuple):
    """A job with other rules."""

    policy: Policy
    columns: dict[str, Any]  # of its row, the policy included
    rules: list[RuleBlock]  # the rules that differ, as people type them
    before: PolicyBlock  # the policy until now

    @property
    def sentence(self) -> str:
        """``timeout 2m instead of 1m, attempts 5 instead of 3``; empty if nothing differs."""
        return ", ".join(map(rule_words, self.rules))

    @property
    def facts(self) -> dict[str, Any]:
        """The data of the line in the journal, from which ``explain`` finds the policy of earlier rounds."""
        return {"rules": self.rules, "policy_before": self.before} if self.rules else {}


def change_rules(row: JobRow, values: Values, now: int) -> RuleChanges:
    """The row of a job with these values; ``now`` (microseconds UTC) is the moment from which a deadline counts.

    Raises UsageError for variables that no item could get.
    """
    policy = row.policy
    columns: dict[str, Any] = {}
    rules: list[RuleBlock] = []
    for option, value in values.items():
        if option.name == "env":
            found, rule = _environment(row, value)
            columns |= found
            rules.append(rule)
            continue
        before = _text(option, policy, {"priority": row.priority, "not_before_at": row.not_before_at})
        policy = policy.changed(**policy_fields(option, value, now))
        own = _columns(option, value, policy, now)
        columns |= own
        after = _text(option, policy, own)
        if before != after:
            rules.append({"setting": option.name, "before": before, "after": after})
    if policy != row.policy:
        columns["policy"] = json.dumps(policy.to_json())
    return RuleChanges(policy, columns, rules, row.policy.to_json())


def check_on_this_machine(values: Values) -> None:
    """Raise UsageError for a value that items on this machine cannot have."""
    for option, value in values.items():
        if value is not None:
            check(option, value)


def _text(option: JobOption, policy: Policy, columns: Mapping[str, Any]) -> str:
    """The value of an option as people type it, from the policy and the columns outside it."""
    if option.name == "priority":
        return str(columns["priority"])
    at = parse_time(policy.deadline_at) if option.name == "deadline" and policy.deadline_at else None
    if option.name == "not-before" and policy.not_before_s is None:
        at = columns["not_before_at"]
    if option.name == "timeout" and policy.timeouts_s:
        return text_of(option, policy.timeouts_s)
    return text_of(option, getattr(policy, option.field)) if at is None else with_offset(at)


def _columns(option: JobOption, value: Any, policy: Policy, now: int) -> dict[str, Any]:
    """The columns outside the policy that change with an option."""
    if option.name == "priority":
        return {"priority": value}
    if option.name == "deadline":
        return {"deadline_at": policy.ends_at(now)}
    if option.name == "not-before":
        return {"not_before_at": None if value is None else coming(value, now)}
    return {}


def _environment(row: JobRow, given: Sequence[str]) -> tuple[dict[str, Any], RuleBlock]:
    """The columns with other variables, and the names of the variables that differ: a value may be a secret."""
    values, names = split_options(given)
    environment = {name: value for name, value in row.env.items() if name not in names} | values
    check_total(environment)
    kept = [name for name in row.env_names if name not in values and name not in names]
    columns = {"env": json.dumps(environment), "env_names": json.dumps([*kept, *names])}
    changed = [*values, *names]
    known = [name for name in changed if name in row.env or name in row.env_names]
    return columns, {"setting": "env", "before": ",".join(known) or "none", "after": ",".join(changed)}
