"""Pausing and resuming jobs and queues, and changing the rules of a job that is not done."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from jobctl.config import Home
from jobctl.domain.durations import parse_duration
from jobctl.domain.nearest import meant
from jobctl.domain.policy import MAX_COUNT, Policy, checked_count, parse_max_failures
from jobctl.domain.rate import parse_rate
from jobctl.domain.states import TERMINAL_JOB_STATES
from jobctl.domain.texts import MAX_NAME, check_printable, checked_reason
from jobctl.domain.wording import plural
from jobctl.errors import NotFound, UsageError
from jobctl.process.wakeup import wake
from jobctl.services.control.actor import actor
from jobctl.services.daemon.running import running_in, running_of
from jobctl.store import clock, jobs, journal, queues
from jobctl.store.database import Database, open_database
from jobctl.store.jobs import JobRow


@dataclass(frozen=True, slots=True)
class Held:
    """What a pause or resume came to."""

    job: int
    changed: bool
    note: str

    def sentence(self, done: str) -> str:
        """``job 42: paused; 3 running items will finish``; ``done`` is what was asked for, in the past."""
        return f"job {self.job}: {_said(self, done)}"


@dataclass(frozen=True, slots=True)
class QueueHeld:
    """The same of a queue."""

    name: str
    changed: bool
    note: str

    def sentence(self, done: str) -> str:
        """``queue mail: paused; 2 running items will finish``."""
        return f"queue {self.name}: {_said(self, done)}"


def _said(held: Held | QueueHeld, done: str) -> str:
    if not held.changed:
        return held.note
    return f"{done}; {held.note}" if held.note else done


def pause(home: Home, numbers: Sequence[int], *, reason: str, now: int) -> list[Held]:
    """Let nothing more of these jobs start; running items finish. A deadline continues to count."""
    said = checked_reason(reason)
    return _each(home, numbers, now, lambda database, row, now: _pause(database, home, row, said, now))


def resume(home: Home, numbers: Sequence[int], *, now: int) -> list[Held]:
    """Let paused jobs go on."""
    return _each(home, numbers, now, _resume)


def _each(home: Home, numbers: Sequence[int], now: int, act: Callable[[Database, JobRow, int], Held]) -> list[Held]:
    database = open_database(home)
    try:
        with database.transaction():
            at = clock.follow(database, now)
            held = [act(database, _existing(database, number), at) for number in numbers]
    finally:
        database.close()
    wake(home.wake)
    return held


def _existing(database: Database, number: int) -> JobRow:
    row = jobs.load(database, number)
    if row is None:
        raise NotFound(f"there is no job {number}", hint="jobctl status --all")
    return row


def _pause(database: Database, home: Home, row: JobRow, reason: str, now: int) -> Held:
    if row.state in TERMINAL_JOB_STATES:
        return Held(row.id, False, f"it is done already ({row.state})")
    if row.paused_at is not None:
        return Held(row.id, False, "it is paused already")
    jobs.update(database, row.id, paused_at=now, pause_reason=reason, updated_at=now, state="paused")
    journal.note(database, row.id, "paused", at=now, actor=actor(), reason=reason)
    return Held(row.id, True, _finishing(running_of(database, home, row.id, now)))


def _finishing(running: int) -> str:
    return f"{plural(running, 'running item')} will finish" if running else ""


def _resume(database: Database, row: JobRow, now: int) -> Held:
    if row.state in TERMINAL_JOB_STATES:
        return Held(row.id, False, f"it is done already ({row.state})")
    if row.paused_at is None:
        return Held(row.id, False, f"it is not paused, it is {row.state}")
    state = "running" if row.started_at is not None else "queued"
    jobs.count(
        database,
        row.id,
        jobs.paused(row, now),
        paused_at=None,
        pause_reason="",
        updated_at=now,
        state=state,
    )
    journal.note(database, row.id, "resumed", at=now, actor=actor())
    return Held(row.id, True, "")


def pause_queue(home: Home, name: str, *, reason: str, now: int) -> QueueHeld:
    """Let nothing more of a queue start; running items finish."""
    if not _change_queue(home, name, now, pause_reason=checked_reason(reason)):
        return QueueHeld(name, False, "it was paused already")
    database = open_database(home)
    try:
        return QueueHeld(name, True, _finishing(running_in(database, home, now, name)))
    finally:
        database.close()


def resume_queue(home: Home, name: str) -> QueueHeld:
    """Let a queue go on."""
    changed = _change_queue(home, name, None, paused_at=None, pause_reason="")
    return QueueHeld(name, changed, "" if changed else "it was not paused")


def set_queue(home: Home, name: str, settings: Mapping[str, str]) -> None:
    """Change a queue: ``slots`` (a number or none), ``rate`` (100/s or none)."""
    values: dict[str, Any] = {}
    for key, text in settings.items():
        with _naming(key, text):
            if key not in ("slots", "rate"):
                raise UsageError("a queue has no such setting", hint="use slots=N or rate=100/s")
            values[key] = _RULES[key][1](text)
    _change_queue(home, name, None, **values)


def _change_queue(home: Home, name: str, pause_at: int | None, **values: Any) -> bool:
    check_printable("QUEUE", name, MAX_NAME)
    database = open_database(home, create=True)
    try:
        with database.transaction():
            if pause_at is not None:
                values["paused_at"] = clock.follow(database, pause_at)
            changed = queues.change(database, name, **values)
    finally:
        database.close()
    wake(home.wake)
    return changed


def set_rules(home: Home, job: int, settings: Mapping[str, str], *, now: int) -> Policy:
    """Change rules of a job that is not done: slots, attempts, timeout, max-failures, halt, leftovers, rate, priority,
    deadline.

    Raises UsageError naming the setting and the allowed values; then nothing is changed.
    """
    database = open_database(home)
    try:
        with database.transaction():
            now = clock.follow(database, now)
            row = _existing(database, job)
            if row.state in TERMINAL_JOB_STATES:
                raise UsageError(
                    f"job {job} is done ({row.state}): its rules can no longer be changed",
                    hint=f"jobctl status {job}",
                )
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
        with _naming(key, text):
            policy, more = _change(policy, key.replace("-", "_"), text, now)
        columns |= more
    return policy, columns


_NUMBER = re.compile(r"-?[0-9]+")


@contextlib.contextmanager
def _naming(key: str, text: str) -> Iterator[None]:
    """Errors within say which setting is wrong."""
    try:
        yield
    except UsageError as error:
        raise UsageError(f"{key}={text}: {error.message}", hint=error.hint) from None


def _change(policy: Policy, name: str, text: str, now: int) -> tuple[Policy, dict[str, Any]]:
    """One rule: the policy with it, and columns beside the policy that go with it."""
    if name == "priority":
        return policy, {"priority": checked_count(_number(text), -MAX_COUNT)}
    if name == "deadline":
        after_s = None if text == "none" else parse_duration(text)
        at = None if after_s is None else now + int(after_s * 1e6)
        return policy.changed(deadline_s=after_s), {"deadline_at": at}
    if name not in _RULES:
        raise UsageError(
            "a job has no such setting", hint=meant(name, sorted(_NAMES), f"use one of {', '.join(sorted(_NAMES))}")
        )
    field, parse = _RULES[name]
    return policy.changed(**{field: parse(text)}), {}


def _number(text: str) -> int:
    if not _NUMBER.fullmatch(text):
        raise UsageError("not a whole number", hint="for example 4")
    return int(text[:20])  # longer ones are above every limit, and Python refuses to read thousands of digits


def _positive(text: str) -> int:
    value = _number(text)
    if value < 1:
        raise UsageError("must be 1 or more")
    return checked_count(value)


def _or_none(parse: Callable[[str], Any]) -> Callable[[str], Any]:
    """The same with the word none for no limit."""
    return lambda text: None if text == "none" else parse(text)


def _checked_rate(text: str) -> str:
    parse_rate(text)
    return text


def _halt(text: str) -> str:
    if text not in ("soon", "now"):
        raise UsageError("must be soon or now")
    return text


def _leftovers(text: str) -> str:
    if text not in ("wait", "end", "fail"):
        raise UsageError("must be wait, end or fail")
    return text


#: By name: the field of the policy, and what reads a value of it.
_RULES: dict[str, tuple[str, Callable[[str], Any]]] = {
    "slots": ("slots", _or_none(_positive)),
    "attempts": ("attempts", _positive),
    "timeout": ("timeout_s", _or_none(parse_duration)),
    "grace": ("grace_s", lambda text: parse_duration(text, allow_zero=True)),
    "max_failures": ("max_failures", _or_none(parse_max_failures)),
    "halt": ("halt", _halt),
    "leftovers": ("leftovers", _leftovers),
    "rate": ("rate", _or_none(_checked_rate)),
}
_NAMES = {name.replace("_", "-") for name in _RULES} | {"priority", "deadline"}
