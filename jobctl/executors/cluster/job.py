"""A job as the executor knows it: its description, the duration of its attempts, the files of their output."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from jobctl.domain.cluster_workers import needs_of
from jobctl.domain.ports import AttemptId, Finished, JobSpec, OutputFlag
from jobctl.executors.cluster.dispatch_record import DispatchRecord
from jobctl.executors.cluster.packing import Report, finished_of, spec_fields
from jobctl.executors.cluster.sizing import MeanDuration
from jobctl.supervisor.output import JobOutput


class KeptOutput(NamedTuple):
    """The log file that keeps the output of a report, and the offsets of its stdout and stderr in that file."""

    log: int
    out: int
    err: int


class ClusterJob:
    """One job from its first definition until it is forgotten."""

    def __init__(self, spec: JobSpec) -> None:
        self.durations = MeanDuration()
        self.output = JobOutput(spec.log_dir, spec.output_cap)
        self.is_leaving = False
        self.callers: set[str] = set()  # workers that keep processes with its function loaded
        self.define(spec)

    def define(self, spec: JobSpec) -> None:
        """Adopt a new description; the folder of the output stays."""
        self.spec = spec
        self.fields = spec_fields(spec)
        self.is_leaving = False
        self.output.cap = spec.output_cap
        self.needs = dict(needs_of(spec.resources, spec.gpus))
        self.travels_alone = spec.alone or bool(self.needs)

    def keep(self, outputs: Sequence[bytes], first: tuple[int, int]) -> KeptOutput | None:
        """Append the new output to the files of the job; None if there is none. Raises OSError."""
        out, err = outputs[0][first[0] :], outputs[1][first[1] :]
        if not (out or err):
            return None
        log, out_off, err_off = self.output.keep(out, err)
        return KeptOutput(log, out_off - first[0], err_off - first[1])


def new_outputs(record: DispatchRecord, report: Report) -> dict[int, tuple[Sequence[bytes], tuple[int, int]]]:
    """The outputs of each job that has new outcomes in a report, and the offsets at which the new part begins."""
    firsts: dict[int, tuple[int, int]] = {}
    for fields in report.finished:
        event = finished_of(fields)
        if AttemptId(*event[:3]) in record.waiting:
            firsts.setdefault(event.job, (event.out_off, event.err_off))
    return {job: (report.outputs[job], first) for job, first in firsts.items() if job in report.outputs}


def with_local_output(event: Finished, place: KeptOutput | None, slot: int) -> Finished:
    """An outcome with the place of its output in the files of this machine, and its slot number in the cluster."""
    if not event.log:
        return event._replace(slot=slot)
    if place is None:
        flags = event.flags | OutputFlag.CUT
        return event._replace(slot=slot, log=0, out_off=0, out_len=0, err_off=0, err_len=0, flags=flags)
    return event._replace(
        slot=slot, log=place.log, out_off=place.out + event.out_off, err_off=place.err + event.err_off
    )
