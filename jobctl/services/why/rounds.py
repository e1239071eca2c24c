"""The rounds of a job with the rules of each, from its journal."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from jobctl.domain.durations import format_time
from jobctl.domain.policy import Policy
from jobctl.store.damage import policy_of
from jobctl.store.journal import RETRIED, RULES_CHANGED, SUBMITTED, JournalLine

if TYPE_CHECKING:
    from jobctl.domain.documents.explain import ChangeBlock, RoundBlock
    from jobctl.domain.documents.policy import PolicyBlock

#: The most rounds that are shown.
ROUNDS_LIMIT = 50


def rounds_block(policy: Policy, entries: Sequence[JournalLine]) -> list[RoundBlock]:
    """The latest rounds, oldest first, from the lines of the whole job and its ``policy`` of this moment."""
    before: PolicyBlock | None = policy.to_json()
    changes: list[ChangeBlock] = []
    rounds: list[RoundBlock] = []
    for entry in reversed(entries):
        if entry.item is not None or entry.event not in (SUBMITTED, RETRIED, RULES_CHANGED):
            continue
        if entry.event != RULES_CHANGED:
            rounds.append(_round(entry, before, [*_changes(entry), *reversed(changes)]))
            changes = []
        else:
            changes += reversed(_changes(entry))
        before = _before(entry, before)
    return rounds[:ROUNDS_LIMIT][::-1]


def _before(entry: JournalLine, after: PolicyBlock | None) -> PolicyBlock | None:
    """The policy before a change; None if an older version changed it, which did not note the earlier values."""
    known = entry.data.get("policy_before")
    if isinstance(known, dict):
        return policy_of(json.dumps(known)).to_json()  # of a damaged one, what can be read
    return None if entry.event == RULES_CHANGED else after


def _round(entry: JournalLine, policy: PolicyBlock | None, changes: list[ChangeBlock]) -> RoundBlock:
    number, items = entry.data.get("round", 1), entry.data.get("items")
    return {
        "round": number if type(number) is int else 1,
        "began_at": format_time(entry.at),
        "actor": entry.actor,
        "items": items if type(items) is int else None,
        "policy": policy,
        "changes": changes,
    }


def _changes(entry: JournalLine) -> list[ChangeBlock]:
    rules: Any = entry.data.get("rules")
    return [
        {"at": format_time(entry.at), "setting": rule["setting"], "before": rule["before"], "after": rule["after"]}
        for rule in (rules if isinstance(rules, list) else ())
        if isinstance(rule, dict) and all(isinstance(rule.get(key), str) for key in ("setting", "before", "after"))
    ]
