"""Finds, names and replaces bad values in the rows of jobs, so that one damaged row does not end a whole list.

A bad value was stored by an older version that did not check it, or by a person who edited the database. A bad column
gets a harmless value, the others stay. The engine is_valid such a job, and every document names the bad columns.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from jobctl.domain.durations import is_time
from jobctl.domain.handler_kinds import KINDS, unknown_kind
from jobctl.domain.policy import Policy, faults_of_policy
from jobctl.domain.states import Stop
from jobctl.domain.texts import is_text, restored, shown

TIMES = (
    *("submitted_at", "started_at", "updated_at", "finished_at", "deadline_at", "round_at"),
    *("not_before_at", "paused_at", "tokens_at"),
)
#: Columns of plain text in which bytes that are not UTF-8 are kept as they are.
KEPT_AS_BYTES = frozenset({"cwd", "env_file", "input_path"})


class _Form(NamedTuple):
    """The form of a JSON column, and the text that replaces a value of another form."""

    is_valid: Callable[[Any], bool]
    description: str
    replacement: str


_OBJECT = _Form(lambda value: isinstance(value, dict), "an object", "{}")
_TEXTS = _Form(
    lambda value: isinstance(value, list) and all(isinstance(each, str) for each in value), "a list of texts", "[]"
)
_TEXTS_BY_NAME = _Form(
    lambda value: isinstance(value, dict) and all(isinstance(each, str) for each in value.values()),
    "an object of texts",
    "{}",
)
_COMMAND = _Form(
    lambda value: isinstance(value, str) or _TEXTS.is_valid(value) or (isinstance(value, dict) and "target" in value),
    "a command",
    "[]",
)
_JOBS = _Form(
    lambda value: (
        isinstance(value, list)
        and all(isinstance(each, list) and list(map(type, each)) == [int, str] for each in value)
    ),
    "a list of jobs",
    "[]",
)


def _results(value: Any) -> bool:
    files = value.get("files", {}) if isinstance(value, dict) else None
    return value == {} or (
        isinstance(files, dict)
        and isinstance(value.get("dir", ""), str)
        and all(map(_result_file, files.values()))
        and (not value.get("undone") or _result_file(value["undone"]))
    )


def _result_file(value: Any) -> bool:
    return isinstance(value, dict) and {"path", "rows", "sha256"} <= value.keys()


def _undo(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and value.get("handler") in KINDS
        and _COMMAND.is_valid(value.get("command"))
        and isinstance(value.get("work_options", {}), dict)
    )


_JSON = {
    "command": _COMMAND,
    "labels": _TEXTS_BY_NAME,
    "env": _TEXTS_BY_NAME,
    "env_names": _TEXTS,
    "input_dialect": _OBJECT,
    "columns": _TEXTS,
    "after": _JOBS,
    "work_options": _OBJECT,
    "policy": _OBJECT,
    "results": _Form(_results, "the content of a manifest", "{}"),
    "undo": _Form(_undo, "a way to take rows back", ""),
}
#: JSON columns that most jobs leave empty.
_OPTIONAL_JSON = frozenset({"results", "undo"})
_WHOLE = (
    *("priority", "umask", "round", "cursor", "total", "paused_us", "active_us", "attempts", "input_bytes"),
    *("undo_retaken", "undo_released"),
)
_WORDS: dict[str, tuple[str | None, ...]] = {
    "input_format": ("lines", "csv", "tsv", "jsonl"),
    "stop": (None, *Stop),
}
#: The kind in place of one that this version does not know. It has no effect: nothing of a damaged job is started.
UNREADABLE_KIND = "command"
#: Whole numbers that most jobs leave empty.
_OPTIONAL_WHOLE = ("undo_of",)
_REAL = ("rate_per_s", "mean_us", "tokens")


def repaired(row: Mapping[str, Any]) -> tuple[dict[str, Any], str]:
    """The columns of a job with bad values replaced, and a sentence that names those; empty if all is well."""
    values, found = dict(row), list[str]()
    for name, value in row.items():
        if isinstance(value, bytes):
            values[name] = value = restored(value)
            if name not in KEPT_AS_BYTES:
                values[name] = value = shown(value)
                found.append(f"{name} is not UTF-8")
        elif type(value) is str and name not in KEPT_AS_BYTES and not is_text(value):
            values[name] = value = shown(value, in_json=name in _JSON)
            found.append(f"{name} is not UTF-8")
        wrong, replacement = _fault(name, value)
        if wrong:
            found.append(f"{name} {wrong}")
            values[name] = replacement
    return values, "; ".join(found)


def policy_of(stored: Any) -> Policy:
    """Read a policy from the database; of a damaged one, only the keys that can be read."""
    return Policy.from_json(json.loads(repaired({"policy": stored})[0]["policy"]))


def _fault(name: str, value: Any) -> tuple[str, Any]:
    """Return the fault of a value, empty for most, and the value to use."""
    if name in _JSON:
        return _json_fault(name, value)
    if name in TIMES and value is not None and not (type(value) is int and is_time(value)):
        return "is a time that no calendar shows", None if name not in ("submitted_at", "updated_at", "round_at") else 0
    if name == "handler" and value not in KINDS:
        return unknown_kind(value), UNREADABLE_KIND
    if name in _WORDS and value not in _WORDS[name]:
        return f"is not one of {', '.join(filter(None, _WORDS[name]))}", _WORDS[name][0]
    if name in _WHOLE and type(value) is not int:
        return "is not a whole number", 0
    if name in _OPTIONAL_WHOLE and value is not None and type(value) is not int:
        return "is not a whole number", None
    if name in _REAL and value is not None and not (isinstance(value, int | float) and abs(value) < 1e300):
        return "is not a number", None
    return "", None


def _json_fault(name: str, value: Any) -> tuple[str, Any]:
    form = _JSON[name]
    if name in _OPTIONAL_JSON and not value:
        return "", None
    try:
        found = json.loads(value)
    except (ValueError, TypeError, RecursionError):
        return "is not JSON", form.replacement
    if name == "command" and found is None:
        return "", None
    if not form.is_valid(found):
        return f"is not {form.description}", form.replacement
    if name == "policy" and (wrong := faults_of_policy(found)):
        valid = {key: setting for key, setting in found.items() if key not in wrong}
        return f"has no valid {', '.join(sorted(wrong))}", json.dumps(Policy.from_json(valid).to_json())
    return "", None
