"""From a job's row to what its attempts share."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from jobctl.config import Home
from jobctl.domain.mask import Mask, Veil
from jobctl.domain.ports import JobSpec
from jobctl.errors import UsageError
from jobctl.handlers.environment import secrets
from jobctl.handlers.kinds import kind_of
from jobctl.store.job_row import JobRow


@dataclass(frozen=True, slots=True)
class Given:
    """What items get by name or from a file, as it is now; ``lack`` says why the file cannot be read."""

    values: Mapping[str, str]
    lack: str = ""
    missing: tuple[str, ...] = ()  # names that neither our environment nor the file has

    @property
    def mask(self) -> Mask:
        """What must not be told on; without the file nobody knows what that is."""
        return Veil() if self.lack else Mask(self.values.values())


def given_to(row: JobRow) -> Given:
    """Look up what the items of a job are given, in our own environment and in its file."""
    try:
        values = secrets(row.env_names, Path(row.env_file) if row.env_file else None)
    except UsageError as error:
        return Given(secrets(row.env_names, None), error.message)
    return Given(values, missing=tuple(name for name in row.env_names if name not in values and name not in row.env))


class JobSpecs:
    """Makes the executor's description of jobs: environment, places, limits."""

    def __init__(self, home: Home, capacity: int, queue_slots: dict[str, int | None]) -> None:
        self._home = home
        self.capacity = capacity
        self.queue_slots = queue_slots

    def spec(self, row: JobRow, given: Given, *, slotted: bool) -> JobSpec:
        """The description of one job whose items are given these values."""
        policy = row.policy
        environment = {**row.env, **given.values, "JOBCTL_JOB": str(row.id), "JOBCTL_KEY": row.key or ""}
        return JobSpec(
            job=row.id,
            env=tuple(os.fsencode(f"{name}={value}") for name, value in environment.items()),
            cwd=os.fsencode(row.cwd),
            umask=row.umask,
            slots=min(policy.slots or self.capacity, self.capacity),
            queue=row.queue,
            queue_slots=self.queue_slots.get(row.queue),
            timeout_s=policy.timeout_s,
            grace_s=policy.grace_s,
            log_dir=os.fsencode(self._home.job_logs(row.id)),
            output_cap=policy.output_cap,
            slotted=slotted,
            gpus=policy.gpus,
            resources=policy.resources,
            alone=policy.on_crash == "fail",
            leftovers=policy.leftovers,
            call=kind_of(row.handler).call_spec(row, environment, policy.recycle),
        )
