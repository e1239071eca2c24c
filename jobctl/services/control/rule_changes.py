"""Changes of the rules of a job, for ``jobctl set`` and for the new round of ``jobctl retry``."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from jobctl.domain.job_options import JobOption
from jobctl.domain.option_texts import rule_words, text_of
from jobctl.domain.option_values import check
from jobctl.domain.policy import Policy
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
        before: Any = row.priority
        if option.field:
            before = getattr(policy, option.field)
            policy = policy.changed(**{option.field: value})
        if option.name == "env":
            found, rule = _environment(row, value)
            columns |= found
            rules.append(rule)
            continue
        columns |= _columns(option, value, now)
        if before != value:
            rules.append({"setting": option.name, "before": text_of(option, before), "after": text_of(option, value)})
    if policy != row.policy:
        columns["policy"] = json.dumps(policy.to_json())
    return RuleChanges(policy, columns, rules, row.policy.to_json())


def check_on_this_machine(values: Values) -> None:
    """Raise UsageError for a value that items on this machine cannot have."""
    for option, value in values.items():
        if value is not None:
            check(option, value)


def _columns(option: JobOption, value: Any, now: int) -> dict[str, Any]:
    """The columns outside the policy that change with an option."""
    if option.name == "priority":
        return {"priority": value}
    if option.name == "deadline":
        return {"deadline_at": None if value is None else now + int(value * 1e6)}
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
