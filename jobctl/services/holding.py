"""Pausing and resuming jobs and queues, and changing the rules of a job that is not done."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from jobctl.config import Home
from jobctl.domain.durations import parse_duration
from jobctl.domain.policy import Policy, parse_max_failures
from jobctl.domain.rate import parse_rate
from jobctl.domain.states import TERMINAL_JOB_STATES
from jobctl.errors import NotFound, UsageError
from jobctl.process.wakeup import wake
from jobctl.services.actor import actor
from jobctl.store import jobs, journal, queues
from jobctl.store.database import Database, open_database
from jobctl.store.jobs import JobRow


@dataclass(frozen=True, slots=True)
class Held:
    """What a pause or resume came to."""

    job: int
    changed: bool
    note: str


def pause(home: Home, numbers: Sequence[int], *, reason: str, now: int) -> list[Held]:
    """Let nothing more of these jobs start; what runs finishes. A deadline goes on running."""
    return _each(home, numbers, lambda database, row: _pause(database, row, reason, now))


def resume(home: Home, numbers: Sequence[int], *, now: int) -> list[Held]:
    """Let paused jobs go on."""
    return _each(home, numbers, lambda database, row: _resume(database, row, now))


def _each(home: Home, numbers: Sequence[int], act: Any) -> list[Held]:
    database = open_database(home)
    try:
        with database.transaction():
            held = [act(database, _existing(database, number)) for number in numbers]
    finally:
        database.close()
    wake(home.wake)
    return held


def _existing(database: Database, number: int) -> JobRow:
    row = jobs.load(database, number)
    if row is None:
        raise NotFound(f"there is no job {number}", hint="jobctl status --all")
    return row


def _pause(database: Database, row: JobRow, reason: str, now: int) -> Held:
    if row.state in TERMINAL_JOB_STATES:
        return Held(row.id, False, f"it is {row.state} already")
    if row.paused_at is not None:
        return Held(row.id, False, "it is paused already")
    jobs.update(database, row.id, paused_at=now, pause_reason=reason, updated_at=now, state="paused")
    journal.note(database, row.id, "paused", at=now, actor=actor(), reason=reason)
    note = f"{row.counts.running} items that run will finish" if row.counts.running else ""
    return Held(row.id, True, note)


def _resume(database: Database, row: JobRow, now: int) -> Held:
    if row.paused_at is None:
        return Held(row.id, False, f"it is not paused, it is {row.state}")
    state = "running" if row.started_at is not None else "queued"
    jobs.count(
        database,
        row.id,
        {"paused_us": max(0, now - row.paused_at)},
        paused_at=None,
        pause_reason="",
        updated_at=now,
        state=state,
    )
    journal.note(database, row.id, "resumed", at=now, actor=actor())
    return Held(row.id, True, "")


def pause_queue(home: Home, name: str, *, reason: str, now: int) -> bool:
    """Let nothing more of a queue start; False when it was paused already."""
    return _change_queue(home, name, paused_at=now, pause_reason=reason)


def resume_queue(home: Home, name: str) -> bool:
    """Let a queue go on; False when it was not paused."""
    return _change_queue(home, name, paused_at=None, pause_reason="")


def set_queue(home: Home, name: str, settings: Mapping[str, str]) -> None:
    """Change a queue: ``slots`` (a number or none), ``rate`` (100/s or none)."""
    values: dict[str, Any] = {}
    for key, text in settings.items():
        if key == "slots":
            values["slots"] = None if text == "none" else _positive(key, text)
        elif key == "rate":
            values["rate"] = None if text == "none" else _checked_rate(text)
        else:
            raise UsageError(f"a queue has no setting {key!r}", hint="use slots=N or rate=100/s")
    _change_queue(home, name, **values)


def _change_queue(home: Home, name: str, **values: Any) -> bool:
    database = open_database(home, create=True)
    try:
        with database.transaction():
            changed = queues.change(database, name, **values)
    finally:
        database.close()
    wake(home.wake)
    return changed


def set_rules(home: Home, job: int, settings: Mapping[str, str], *, now: int) -> Policy:
    """Change rules of a job that is not done: slots, attempts, timeout, max-failures, halt, rate, priority, deadline.

    Raises UsageError naming the setting and the allowed values; then nothing is changed.
    """
    database = open_database(home)
    try:
        with database.transaction():
            row = _existing(database, job)
            if row.state in TERMINAL_JOB_STATES:
                raise UsageError(f"job {job} is {row.state}: its rules can no longer be changed")
            policy, columns = _changed(row, settings, now)
            jobs.update(database, job, policy=json.dumps(policy.to_json()), updated_at=now, **columns)
            said = ", ".join(f"{key}={text}" for key, text in settings.items())
            journal.note(database, job, "rules_changed", at=now, actor=actor(), reason=said)
    finally:
        database.close()
    wake(home.wake)
    return policy


def _changed(row: JobRow, settings: Mapping[str, str], now: int) -> tuple[Policy, dict[str, Any]]:
    policy, columns = row.policy, dict[str, Any]()
    for key, text in settings.items():
        name = key.replace("-", "_")
        if name == "priority":
            columns["priority"] = _number(key, text)
        elif name == "deadline":
            policy = policy.changed(deadline_s=None if text == "none" else parse_duration(text))
            columns["deadline_at"] = None if text == "none" else now + int(parse_duration(text) * 1e6)
        elif name in _RULES:
            field, parse = _RULES[name]
            policy = policy.changed(**{field: parse(key, text)})
        else:
            raise UsageError(f"a job has no setting {key!r}", hint=f"use one of {', '.join(sorted(_NAMES))}")
    return policy, columns


def _number(key: str, text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise UsageError(f"{key}={text}: not a whole number") from None


def _positive(key: str, text: str) -> int:
    value = _number(key, text)
    if value < 1:
        raise UsageError(f"{key}={text}: must be 1 or more")
    return value


def _checked_rate(text: str) -> str:
    parse_rate(text)
    return text


def _halt(key: str, text: str) -> str:
    if text not in ("soon", "now"):
        raise UsageError(f"{key}={text}: must be soon or now")
    return text


_RULES: dict[str, tuple[str, Any]] = {
    "slots": ("slots", lambda key, text: None if text == "none" else _positive(key, text)),
    "attempts": ("attempts", _positive),
    "timeout": ("timeout_s", lambda _key, text: None if text == "none" else parse_duration(text)),
    "grace": ("grace_s", lambda _key, text: parse_duration(text, allow_zero=True)),
    "max_failures": ("max_failures", lambda _key, text: None if text == "none" else parse_max_failures(text)),
    "halt": ("halt", _halt),
    "rate": ("rate", lambda _key, text: None if text == "none" else _checked_rate(text)),
}
_NAMES = {name.replace("_", "-") for name in _RULES} | {"priority", "deadline"}
