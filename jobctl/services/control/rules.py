"""``jobctl set`` and ``jobctl queue set``: change the rules of a job that is not done, and the limits of a queue."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from typing import TYPE_CHECKING, Any

from jobctl.config import Home
from jobctl.domain.job_options import OPTIONS, JobOption
from jobctl.domain.nearest import did_you_mean
from jobctl.domain.option_values import check, read_text
from jobctl.domain.policy import Policy
from jobctl.domain.states import TERMINAL_JOB_STATES
from jobctl.errors import UsageError
from jobctl.process.this_process import actor
from jobctl.process.wakeup import wake
from jobctl.services.control.pause import change_queue
from jobctl.services.control.targets import existing_job
from jobctl.store import clock, jobs, journal
from jobctl.store.daemon import load_cluster
from jobctl.store.opening.open import open_database

if TYPE_CHECKING:
    from jobctl.domain.documents.control import SetDocument

#: The options that ``jobctl set`` changes, by name.
RULES = {option.name: option for option in OPTIONS if option.effect}
#: The options that ``jobctl queue set`` changes, by name.
LIMITS_OF_QUEUES = {option.name: option for option in OPTIONS if option.of_queues}


def set_rules(home: Home, job: int, settings: Mapping[str, str], *, now: int) -> Policy:
    """Change rules of a job that is not done; returns its policy. ``settings`` has values by names of ``RULES``.

    ``now`` is in microseconds UTC. Raises NotFound, and UsageError that names the setting and the allowed values;
    nothing is changed then.
    """
    with closing(open_database(home)) as database, database.transaction():
        now = clock.follow(database, now)
        row = existing_job(database, job)
        if row.state in TERMINAL_JOB_STATES:
            raise UsageError(
                f"job {job} is done ({row.state}): its rules can no longer be changed",
                hint=f"jobctl status {job}",
            )
        values = _read(settings, on_cluster=load_cluster(database) is not None)
        policy, columns = _changed(row.policy, values, now)
        jobs.update(database, job, policy=json.dumps(policy.to_json()), updated_at=now, **columns)
        reason = ", ".join(f"{name}={text}" for name, text in settings.items())
        journal.note(database, job, "rules_changed", at=now, actor=actor(), reason=reason)
    wake(home.wake)
    return policy


def parse_settings(settings: Sequence[str]) -> dict[str, str]:
    """Return words NAME=VALUE as a dictionary. Raises UsageError for a word that has another form."""
    found = {}
    for setting in settings:
        name, given, value = setting.partition("=")
        if not (name and given and value):
            raise UsageError(f"{setting!r} is not NAME=VALUE", hint="for example slots=8")
        found[name.strip()] = value.strip()
    return found


def set_document(job: int, policy: Policy) -> SetDocument:
    """Return ``jobctl.set/1``: the rules of a job after a change."""
    return {"schema": "jobctl.set/1", "job": job, "policy": policy.to_json()}


def set_queue(home: Home, name: str, settings: Mapping[str, str]) -> None:
    """Change the limits of a queue; see ``LIMITS_OF_QUEUES``. Raises UsageError naming the setting that is wrong."""
    values: dict[str, Any] = {}
    for setting, text in settings.items():
        with _naming(setting, text):
            if setting not in LIMITS_OF_QUEUES:
                raise UsageError("a queue has no such setting", hint="use slots=N or rate=100/s")
            values[setting] = read_text(LIMITS_OF_QUEUES[setting], text)
    change_queue(home, name, None, **values)


def _read(settings: Mapping[str, str], *, on_cluster: bool) -> dict[JobOption, Any]:
    """Read the values of the settings. Raises UsageError that names the wrong one."""
    values = {}
    for name, text in settings.items():
        with _naming(name, text):
            option = _rule(name.replace("_", "-"))
            values[option] = read_text(option, text)
            if not on_cluster and values[option] is not None:
                check(option, values[option])
    return values


def _changed(policy: Policy, values: Mapping[JobOption, Any], now: int) -> tuple[Policy, dict[str, Any]]:
    """Return the policy with these values, and the columns of the job's row that change with it."""
    columns: dict[str, Any] = {}
    for option, value in values.items():
        if option.field:
            policy = policy.changed(**{option.field: value})
        columns |= _columns(option, value, now)
    return policy, columns


def _rule(name: str) -> JobOption:
    if name not in RULES:
        names = sorted(RULES)
        raise UsageError("a job has no such setting", hint=did_you_mean(name, names, f"use one of {', '.join(names)}"))
    return RULES[name]


def _columns(option: JobOption, value: Any, now: int) -> dict[str, Any]:
    """The columns outside the policy that change with an option."""
    if option.name == "priority":
        return {"priority": value}
    if option.name == "deadline":
        return {"deadline_at": None if value is None else now + int(value * 1e6)}
    return {}


@contextlib.contextmanager
def _naming(name: str, text: str) -> Iterator[None]:
    """Add the name of the setting to a UsageError that the block raises."""
    try:
        yield
    except UsageError as error:
        raise UsageError(f"{name}={text}: {error.message}", hint=error.hint) from None
