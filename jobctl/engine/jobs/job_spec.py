"""Makes the part that all attempts of a job share from its row and its secrets."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from jobctl.config import Home
from jobctl.domain.mask import HideAll, Mask
from jobctl.domain.ports import JobSpec
from jobctl.errors import UsageError
from jobctl.handlers.environment import secrets as look_up
from jobctl.handlers.kinds import kind_of
from jobctl.store.job_row import JobRow


class Secrets(NamedTuple):
    """The variables that items get by name or from a file, with their values of this moment."""

    values: Mapping[str, str]
    problem: str = ""  # the reason why the file cannot be read
    missing: tuple[str, ...] = ()  # names that neither our environment nor the file has

    @property
    def mask(self) -> Mask:
        """A mask that hides the values in texts. Without the file they are unknown, and the mask hides every text."""
        return HideAll() if self.problem else Mask(self.values.values())


def secrets_for(row: JobRow) -> Secrets:
    """Look up the secrets of the items of a job, in our own environment and in its file."""
    try:
        values = look_up(row.env_names, Path(row.env_file) if row.env_file else None)
    except UsageError as error:
        return Secrets(look_up(row.env_names, None), error.message)
    return Secrets(values, missing=tuple(name for name in row.env_names if name not in values and name not in row.env))


class JobSpecs:
    """Describes jobs to the executor: environment, folders, limits."""

    def __init__(self, home: Home, capacity: int, queue_slots: dict[str, int | None]) -> None:
        self._home = home
        self.capacity = capacity
        self.queue_slots = queue_slots

    def spec(self, row: JobRow, secrets: Secrets, *, slotted: bool) -> JobSpec:
        """The description of one job whose items get these secrets."""
        policy = row.policy
        environment = {**row.env, **secrets.values, "JOBCTL_JOB": str(row.id), "JOBCTL_KEY": row.key or ""}
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
            launchers=policy.launchers,
            timeouts_s=policy.timeouts_s,
            call=kind_of(row.handler).call_spec(row, environment, policy.recycle),
        )
