"""The cluster executor: it runs attempts on the workers of a Dask cluster.

It decides which attempt runs next, in which slot and on which worker, with the same ``Backlog`` that a local supervisor
uses. At most one pack is out for each slot of the cluster, so the scheduler never holds more tasks than it has threads.
All of this happens in the engine's thread; the link's thread leaves messages and wakes it.
"""

from __future__ import annotations

import secrets
import selectors
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

from jobctl.domain.cluster_workers import AWAY
from jobctl.domain.endings import Ending
from jobctl.domain.ports import AttemptId, Capacity, Dispatch, Event, JobSpec, Pressure, Returned
from jobctl.executors.cluster import link, messages, worker_plugin
from jobctl.executors.cluster.job import ClusterJob
from jobctl.executors.cluster.log import log
from jobctl.executors.cluster.options import ClusterError, ClusterOptions
from jobctl.executors.cluster.packs import Packs
from jobctl.executors.cluster.placing import Placer
from jobctl.executors.cluster.sizing import pack_us
from jobctl.executors.cluster.wake_pipe import WakePipe
from jobctl.executors.cluster.worker_table import WorkerTable
from jobctl.executors.cluster.workers_seen import WorkersSeen
from jobctl.executors.local import LocalExecutor
from jobctl.supervisor.backlog import Backlog

_CLOSE_EXTRA_S = 10.0
_CONNECT_S = 15.0
_SAY_AGAIN_S = 5.0
#: After its lease, a worker may take this long to end its items.
_ENDING_S = 1.0


class ClusterExecutor:
    """The executor port over a Dask cluster. ``parent`` is the supervisor of this engine, which says when to stop."""

    def __init__(
        self,
        parent: LocalExecutor,
        options: ClusterOptions,
        store: str,
        on_wait: Callable[[str], None] = lambda _: None,
        busy_before: str = "",
    ) -> None:
        """``on_wait`` is called with the reason every few seconds while a later engine waits for the scheduler.

        ``busy_before`` is the ``identity`` of an earlier executor whose attempts may still run.
        """
        self.fresh = False
        self.identity = ""  # of the scheduler's fence, once connected
        self._busy_before = busy_before
        self._starts_at = 0.0  # until then, items of an earlier scheduler may still run, and none may start again
        self._lost_at: float | None = None  # when the connection broke
        self._parent = parent
        self._on_wait = on_wait
        self._nonce = secrets.token_hex(4)
        self._link = link.Link(options, store, self._nonce, self._take_message)
        self._messages: deque[messages.Message] = deque()
        self._backlog = Backlog()
        self._workers = WorkerTable()
        self._workers_seen = WorkersSeen(options.place, self._workers)
        self._packs = Packs(self._backlog, self._workers, self._link, self._report)
        self._jobs = self._packs.jobs
        self._placer = Placer(self._backlog, self._workers, self._jobs, (store, self._nonce))
        self._events: list[Event] = []
        self._limit = 1
        self._reported: Capacity | None = None
        self._is_up = False
        self._down: messages.Disconnected | None = None
        self._wake_pipe = WakePipe()
        self._selector = selectors.DefaultSelector()
        self._selector.register(parent.fileno(), selectors.EVENT_READ)
        self._selector.register(self._wake_pipe, selectors.EVENT_READ)

    # ---- the port ----

    def fileno(self) -> int:
        """Readable when ``collect(0)`` has something to do."""
        return self._selector.fileno()

    def define(self, spec: JobSpec) -> None:
        """Describe a job, or change its description."""
        job = self._jobs.get(spec.job)
        if job is None:
            self._jobs[spec.job] = ClusterJob(spec)
        else:
            job.define(spec)
        line = self._backlog.define(spec.job, spec.slots, spec.queue, spec.queue_slots)
        if job is None:
            self._packs.give_slots(line)
        self._place()

    def forget(self, job: int) -> None:
        """Drop everything that is kept for a job."""
        self._packs.forget(job)

    def follow(self, job: int, item: int | None) -> None:
        """Fetch the output of the running attempts of this job or item as they write it."""
        self._packs.follow(job, item)

    def resize(self, slots: int) -> None:
        """Set how many attempts may run at once; the slots of the workers are a further limit."""
        self._limit = slots
        self._adjust_capacity()

    def start(self, batch: Sequence[Dispatch]) -> None:
        """Queue attempts."""
        for dispatch in batch:
            if dispatch.job in self._jobs:
                self._backlog.add(dispatch)
            else:
                self._report(Returned(*dispatch[:3]))
        self._place()

    def collect(self, timeout_s: float | None = 0) -> list[Event]:
        """Events since the last call. Raises EOFError when the engine's own supervisor is gone."""
        deadline = None if timeout_s is None else time.monotonic() + timeout_s
        self._exchange()
        before = self._parent.stop_requested()
        while not self._events and self._parent.stop_requested() == before:
            left = None if deadline is None else deadline - time.monotonic()
            if (left is not None and left <= 0) or not self._selector.select(left):
                break
            self._exchange()
        events, self._events = self._events, []
        return events

    def acknowledge(self, attempts: Sequence[AttemptId], calls: Sequence[int] = ()) -> None:
        """The outcomes of these attempts are recorded."""
        ended_here = []
        for id_ in map(AttemptId._make, attempts):
            if id_ in self._packs.key_of:  # it still runs, although its outcome is settled
                self.cancel([id_], 0.0)
            elif not self._packs.acknowledge(id_):
                ended_here.append(id_)
        if ended_here or calls:  # they ran on this machine, before the daemon had a cluster
            self._parent.acknowledge(ended_here, calls)

    def recall(self, job: int | None = None) -> None:
        """Give back attempts that have not started."""
        self._return_waiting(job)
        for record in self._packs.dispatched.values():
            if not record.is_over and (job is None or job in record.slots):
                self._link.ask(record.worker, worker_plugin.recall, [record.key])

    def _return_waiting(self, job: int | None) -> None:
        for dispatch in self._backlog.recall(job):
            self._report(Returned(*dispatch[:3]))

    def cancel(self, attempts: Sequence[AttemptId], grace_s: float, ending: Ending = Ending.CANCELLED) -> None:
        """End these attempts; their outcomes come from their workers."""
        wanted = {tuple(id_) for id_ in attempts}
        for dispatch in self._backlog.withdraw(wanted):  # type: ignore[arg-type]
            self._report(Returned(*dispatch[:3]))
        requests: dict[str, dict[str, list[AttemptId]]] = {}
        for id_ in attempts:
            key = self._packs.key_of.get(AttemptId._make(id_))
            if key is not None:
                requests.setdefault(self._packs.dispatched[key].worker, {}).setdefault(key, []).append(id_)
        for worker, by_key in requests.items():
            request = [(key, [tuple(id_) for id_ in ids], grace_s, int(ending)) for key, ids in by_key.items()]
            self._link.ask(worker, worker_plugin.cancel, request)

    def adopt(self) -> list[AttemptId]:
        """The attempts that the executor still holds; the first call connects to the cluster.

        They include attempts that ended on this machine before the daemon had a cluster and were not recorded. Raises
        ClusterError, EOFError.
        """
        self.connect()
        local = self._parent.adopt()
        for record in self._packs.dispatched.values():
            self._events += record.running.values()
        self._events += [outcome.event for outcome in self._packs.outcomes.values()]
        self._wake_pipe.wake()
        waiting = [AttemptId(*dispatch[:3]) for line in self._backlog.lines.values() for dispatch in line.waiting]
        return [*waiting, *self._packs.key_of, *self._packs.outcomes, *local]

    def stop_requested(self) -> int:
        """0 = continue, 1 = stop politely, 2 = stop now."""
        return self._parent.stop_requested()

    def close(self, grace_s: float) -> None:
        """End everything that runs on the cluster and disconnect; ``collect(0)`` has the last events."""
        self.recall()
        self.cancel(list(self._packs.key_of), grace_s, Ending.INTERRUPTED)
        until = time.monotonic() + grace_s + _CLOSE_EXTRA_S
        while self._packs.key_of and time.monotonic() < until:
            self._selector.select(until - time.monotonic())
            self._exchange()
        self._link.close()
        self._parent.close(grace_s)

    # ---- connecting ----

    def connect(self) -> None:
        """Find the scheduler at the first call; then ``identity`` names it. Raises ClusterError, EOFError."""
        if not self._is_up and self._down is None:
            self._connect()

    def _connect(self) -> None:
        """Wait for the cluster. The first engine of a daemon gives up soon and says why; a later one keeps trying."""
        self._link.open()
        until = time.monotonic() + _CONNECT_S
        while not self._is_up:
            reason = self._down.reason if self._down else "the scheduler does not answer"
            if self._parent.stop_requested():
                raise ClusterError("told to stop before the scheduler was found")
            if self._parent.up:
                self._on_wait(reason)
            elif time.monotonic() > until or (self._down and self._down.is_final):
                raise ClusterError(reason)
            self._selector.select(_SAY_AGAIN_S if self._parent.up else max(0.0, until - time.monotonic()))
            self._exchange()

    def _take_message(self, message: messages.Message) -> None:
        """Take a message of the link; called in the link's thread."""
        self._messages.append(message)
        self._wake_pipe.wake()

    def _exchange(self) -> None:
        self._events += self._parent.collect(0)
        self._wake_pipe.drain()
        while self._messages:
            message = self._messages.popleft()
            _HANDLERS[type(message)](self, message)
        self._place()

    # ---- messages of the link ----

    def _note_up(self, up: messages.Connected) -> None:
        for warning in up.warnings:
            log(warning)
        is_same = self.identity in ("", up.fence)
        is_busy = self._packs.has_live() if self.identity else bool(self._busy_before)
        if is_busy and up.fence != (self.identity or self._busy_before):
            self._wait_for_leases(up.lease_s)
        self.identity = up.fence
        self._placer.nonce = up.nonce
        self._is_up = True
        self._down = None
        self._workers.replace(up.workers)
        self._packs.reconcile(up.held, is_same=is_same)
        self._link.give_up(up.orphans)
        self._adjust_capacity()
        self._report_up()

    def _wait_for_leases(self, lease_s: float) -> None:
        """Another scheduler has replaced the earlier one: let nothing start until the items of that one have ended.

        Each of its workers ends its items at the end of its lease at the latest, and this scheduler does not know them.
        """
        lost_at = time.monotonic() if self._lost_at is None else self._lost_at
        self._starts_at = max(self._starts_at, lost_at + lease_s + _ENDING_S)

    def _report_up(self) -> None:
        """Report that items can start, or why they must wait and for how long."""
        wait_s = self._starts_at - time.monotonic()
        if wait_s <= 0:
            self._report(Pressure(""))
            return
        self._link.tell_after(wait_s, messages.LeasesOver())
        text = f"the scheduler is another one, and items of the earlier one may still run for {wait_s:.0f} s"
        log(text)
        self._report(Pressure(AWAY + text))

    def _note_leases_over(self, _: messages.LeasesOver) -> None:
        if self._is_up:
            self._report_up()

    def _note_down(self, down: messages.Disconnected) -> None:
        if self._is_up or self._down is None or self._down.reason != down.reason:
            log(down.reason)
        if self._is_up:
            self._lost_at = time.monotonic()
        self._is_up = False
        self._down = down
        self._workers.replace([])
        self._adjust_capacity()
        self._report(Pressure(AWAY + down.reason))

    def _note_event(self, event: messages.ClusterEvent) -> None:
        message = event.message
        if message["what"] == "joined":
            self._worker_joined(message)
        elif message["what"] == "left":
            self._worker_left(message["worker"])
        elif message["what"] == "long":
            self._packs.note_long(message)

    def _worker_joined(self, introduction: dict[str, object]) -> None:
        objection = self._workers_seen.objection(introduction)
        if objection:
            log(f"{objection}, so it is not used")
        else:
            self._workers.add(introduction)
        self._adjust_capacity()

    def _worker_left(self, address: str) -> None:
        left = self._workers.remove(address)
        self._workers_seen.note_left(address, left)
        self._link.give_up(self._packs.keys_on(address))
        self._adjust_capacity()
        for number, job in self._jobs.items():  # waiting attempts that need a lost resource would block others
            if job.needs:
                self._return_waiting(number)

    # ---- placing ----

    def _adjust_capacity(self) -> None:
        """Adjust the capacity to the limit and to the workers that are there."""
        slots = min(self._limit, self._workers.slots)
        self._backlog.capacity = slots
        capacity = Capacity(slots, ahead_s=2 * pack_us(slots) / 1e6, cluster=self._workers_seen.cluster())
        if capacity != self._reported:
            self._reported = capacity
            self._report(capacity)
        self._place()

    def _place(self) -> None:
        if not self._is_up or time.monotonic() < self._starts_at:
            return
        orders = []
        for record, order in self._placer.place():
            self._packs.add(record)
            orders.append(order)
        if orders:
            self._link.send(orders)

    def _report(self, event: Event) -> None:
        self._events.append(event)
        self._wake_pipe.wake()


_HANDLERS: dict[type, Callable[[ClusterExecutor, Any], None]] = {
    messages.LeasesOver: ClusterExecutor._note_leases_over,
    messages.Connected: ClusterExecutor._note_up,
    messages.Disconnected: ClusterExecutor._note_down,
    messages.ClusterEvent: ClusterExecutor._note_event,
    messages.PackDone: lambda executor, message: executor._packs.note_done(message),
    messages.PackFailed: lambda executor, message: executor._packs.note_failed(message),
    messages.WorkerAnswer: lambda executor, message: executor._packs.note_answer(message),
}
