"""The parts of an engine. Each part has one concern; the loop and the writer bring them together."""

from __future__ import annotations

from typing import NamedTuple

from jobctl.config import Home
from jobctl.domain.ports import Executor
from jobctl.engine.attempts.outcome_buffer import OutcomeBuffer
from jobctl.engine.attempts.starting import Starter
from jobctl.engine.clock import WallClock
from jobctl.engine.housekeeping import Housekeeping
from jobctl.engine.jobs.job_spec import JobSpecs
from jobctl.engine.jobs.limits import Limits
from jobctl.engine.jobs.live_jobs import LiveJobs
from jobctl.engine.jobs.ready_queue import ReadyQueue
from jobctl.engine.jobs.resources import Resources, of_this_machine
from jobctl.engine.notifier import Notifier
from jobctl.engine.options import EngineOptions
from jobctl.engine.rounds.closing import RoundCloser
from jobctl.engine.stopping import Stops
from jobctl.engine.write_trouble import WriteTrouble
from jobctl.process.wakeup import WakeUp
from jobctl.store.database import Database


class Parts(NamedTuple):
    """The parts of one engine."""

    database: Database
    executor: Executor
    wake: WakeUp
    clock: WallClock
    specs: JobSpecs
    limits: Limits
    resources: Resources
    ready_queue: ReadyQueue
    live_jobs: LiveJobs
    outcomes: OutcomeBuffer
    housekeeping: Housekeeping
    starter: Starter
    stops: Stops
    closer: RoundCloser
    notifier: Notifier
    trouble: WriteTrouble


def assemble(
    database: Database, executor: Executor, home: Home, options: EngineOptions, wake: WakeUp, now: int
) -> Parts:
    """Make the parts of an engine that has not begun yet."""
    specs = JobSpecs(home, options.most_slots, {})
    limits = Limits(database)
    ready_queue = ReadyQueue(limits, lambda live: options.scope is None or bool(live.row.foreground))
    resources = _resources(options)
    live_jobs = LiveJobs(database, executor, specs, ready_queue, resources)
    outcomes = OutcomeBuffer(database)
    slots = 0 if options.elastic else options.slots
    housekeeping = Housekeeping(database, options.scope, slots, now)

    def has_room(now: int) -> bool:
        return not outcomes.pressure and not housekeeping.shortage(now)

    starter = Starter(database, ready_queue, limits, resources, has_room)
    starter.slots = slots
    return Parts(
        database=database,
        executor=executor,
        wake=wake,
        clock=WallClock(database),
        specs=specs,
        limits=limits,
        resources=resources,
        ready_queue=ready_queue,
        live_jobs=live_jobs,
        outcomes=outcomes,
        housekeeping=housekeeping,
        starter=starter,
        stops=Stops(database, executor, live_jobs),
        closer=RoundCloser(database, home, wake.ring),
        notifier=Notifier(database, home, wake.ring),
        trouble=WriteTrouble(),
    )


def _resources(options: EngineOptions) -> Resources:
    if options.elastic:
        return Resources((), of_cluster=True)
    return of_this_machine(options.slots, options.devices)
