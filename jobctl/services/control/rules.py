"""``jobctl set`` and ``jobctl queue set``: change the rules of a job that is not done, and the limits of a queue."""

from __future__ import annotations

import contextlib
import shlex
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from typing import TYPE_CHECKING, Any

from jobctl.config import Home
from jobctl.domain.job_options import NO_LIMIT, OPTIONS, JobOption
from jobctl.domain.nearest import did_you_mean
from jobctl.domain.option_values import read_text
from jobctl.domain.policy import Policy
from jobctl.domain.states import TERMINAL_JOB_STATES
from jobctl.domain.times import coming_in_words
from jobctl.errors import JobChanged, UsageError, WrongState
from jobctl.process.this_process import actor
from jobctl.process.wakeup import wake
from jobctl.services.control.pause import QueueNote, change_queue
from jobctl.services.control.rule_changes import change_rules, check_on_this_machine
from jobctl.services.control.targets import existing_job
from jobctl.store import clock, jobs, journal
from jobctl.store.daemon import load_cluster
from jobctl.store.opening.open import open_database

if TYPE_CHECKING:
    from jobctl.domain.documents.control import SetDocument
    from jobctl.store.database import Database
    from jobctl.store.job_row import JobRow

#: The options that ``jobctl set`` changes, by name.
RULES = {option.name: option for option in OPTIONS if option.effect}
#: Those whose value is a time.
OF_TIMES = ("deadline", "not-before")
#: The options that ``jobctl queue set`` changes, by name.
LIMITS_OF_QUEUES = {option.name: option for option in OPTIONS if option.of_queues}


def set_rules(home: Home, job: int, settings: Mapping[str, str], *, now: int, revision: int | None = None) -> Policy:
    """Change rules of a job that is not done; returns its policy. ``settings`` has values by names of ``RULES``.

    ``now`` is in microseconds UTC. ``revision`` is the one that the caller has seen; None = any. Raises NotFound,
    JobChanged for another revision, and UsageError that names the setting and the allowed values; nothing is changed
    then.
    """
    with closing(open_database(home)) as database, database.transaction():
        _refuse_changed(database, job, revision)
        now = clock.follow(database, now)
        row = existing_job(database, job)
        values = _read(settings, on_cluster=load_cluster(database) is not None)
        if row.state in TERMINAL_JOB_STATES:
            raise _is_done(row, settings)
        changes = change_rules(row, values, now)
        jobs.update(database, job, updated_at=now, **changes.columns)
        reason = ", ".join(f"{name}={text}{_moment(name, text, now)}" for name, text in settings.items())
        journal.note(database, job, journal.RULES_CHANGED, at=now, actor=actor(), reason=reason, **changes.facts)
    wake(home.wake)
    return changes.policy


def _refuse_changed(database: Database, job: int, seen: int | None) -> None:
    """Raise JobChanged if a job has another revision than the one that the caller has seen."""
    current = None if seen is None else jobs.revision(database, job)
    if current is not None and current != seen:
        raise JobChanged(f"job {job} has changed since you read it", hint="read it again, then decide again")


def _is_done(row: JobRow, settings: Mapping[str, str]) -> WrongState:
    """The error for a job that is done. Its rules can only be changed with a new round, so it names that command."""
    words = " ".join(f"--{_rule(name.replace('_', '-')).name} {shlex.quote(text)}" for name, text in settings.items())
    if not (row.counts.failed or row.counts.unprocessed):
        hint = f"to run its rows in a new job with these rules: jobctl retry {row.id} --as-new --items 1- {words}"
        if row.undo_of is not None:  # its rows cannot be those of a new job
            hint = f"jobctl status {row.undo_of} says what was taken back"
        return WrongState(f"job {row.id} is done ({row.state}): its rules do not count any more", hint=hint)
    return WrongState(
        f"job {row.id} is done ({row.state}): its rules count only for a new round",
        hint=f"to run the items that did not succeed again with these rules: jobctl retry {row.id} {words}",
    )


def parse_settings(settings: Sequence[str]) -> dict[str, str]:
    """Return words NAME=VALUE as a dictionary. Raises UsageError for a word that has another form."""
    found = {}
    for setting in settings:
        name, given, value = setting.partition("=")
        if not (name and given and value):
            raise UsageError(f"{setting!r} is not NAME=VALUE", hint="for example slots=8")
        found[name.strip()] = value.strip()
    return found


def changes_in_words(settings: Mapping[str, str], now: int) -> str:
    """What ``set_rules`` changed at ``now`` (microseconds UTC), for people: ``slots 8, deadline 18:00 (2026-...)``."""
    return ", ".join(f"{name} {text}{_moment(name, text, now)}" for name, text in settings.items())


def _moment(name: str, text: str, now: int) -> str:
    """For a time as people say it, the moment that it means: ``22:00`` alone says little to a later reader."""
    option = RULES[name.replace("_", "-")]
    if option.name not in OF_TIMES or text == NO_LIMIT:
        return ""
    return f" ({coming_in_words(read_text(option, text), now)})"


def set_document(job: int, policy: Policy) -> SetDocument:
    """Return ``jobctl.set/1``: the rules of a job after a change."""
    return {"schema": "jobctl.set/1", "job": job, "policy": policy.to_json()}


def set_queue(home: Home, name: str, settings: Mapping[str, str], *, now: int) -> None:
    """Change the limits of a queue; see ``LIMITS_OF_QUEUES``. ``now`` is in microseconds UTC.

    Raises UsageError naming the setting that is wrong.
    """
    values: dict[str, Any] = {}
    for setting, text in settings.items():
        with _naming(setting, text):
            if setting not in LIMITS_OF_QUEUES:
                raise UsageError("a queue has no such setting", hint="use slots=N or rate=100/s")
            values[setting] = read_text(LIMITS_OF_QUEUES[setting], text)
    reason = ", ".join(f"{setting}={text}" for setting, text in settings.items())
    change_queue(home, name, QueueNote(journal.QUEUE_SET, reason), now, lambda _: values)


def _read(settings: Mapping[str, str], *, on_cluster: bool) -> dict[JobOption, Any]:
    """Read the values of the settings. Raises UsageError that names the wrong one."""
    values = {}
    for name, text in settings.items():
        with _naming(name, text):
            option = _rule(name.replace("_", "-"))
            values[option] = read_text(option, text)
            if not on_cluster:
                check_on_this_machine({option: values[option]})
    return values


def _rule(name: str) -> JobOption:
    if name not in RULES:
        names = sorted(RULES)
        raise UsageError("a job has no such setting", hint=did_you_mean(name, names, f"use one of {', '.join(names)}"))
    return RULES[name]


@contextlib.contextmanager
def _naming(name: str, text: str) -> Iterator[None]:
    """Add the name of the setting to a UsageError that the block raises."""
    try:
        yield
    except UsageError as error:
        raise UsageError(f"{name}={text}: {error.message}", hint=error.hint) from None
