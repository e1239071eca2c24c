"""From a job's row to what its attempts share."""

from __future__ import annotations

import os
from pathlib import Path

from jobctl.config import Home
from jobctl.domain.mask import Mask
from jobctl.domain.ports import JobSpec
from jobctl.handlers.call import call_spec, interpreter
from jobctl.handlers.environment import job_environment, secrets
from jobctl.store.jobs import JobRow


class Specs:
    """Makes the executor's description of jobs: environment, places, limits."""

    def __init__(self, home: Home, capacity: int, queue_slots: dict[str, int | None]) -> None:
        self._home = home
        self.capacity = capacity
        self.queue_slots = queue_slots

    def spec(self, row: JobRow, *, slotted: bool) -> JobSpec:
        """The description of one job. Values of ``--env NAME`` are looked up now, in our own environment."""
        policy = row.policy
        environment = self._environment(row)
        call = None
        if row.handler == "call":
            call = call_spec(row, interpreter(row.work_options, environment), policy.recycle)
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
            call=call,
        )

    def _environment(self, row: JobRow) -> dict[str, str]:
        env = job_environment(row.env, row.env_names, Path(row.env_file) if row.env_file else None)
        env["JOBCTL_JOB"] = str(row.id)
        env["JOBCTL_KEY"] = row.key or ""
        return env


def mask_of(row: JobRow) -> Mask:
    """What must not be told on of a job: the values that its items get by name or from a file."""
    return Mask(secrets(row.env_names, Path(row.env_file) if row.env_file else None).values())
