"""Outcomes to rows: classify, decide, write, count. In this order, for one job at a time."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from jobctl.domain import cause, outcome
from jobctl.domain.figures import Slow
from jobctl.domain.likeness import cells
from jobctl.domain.policy import allowed_failures
from jobctl.domain.ports import AttemptId, Calls, Ending, Finished, Lost, OutputFlag, Returned, Started
from jobctl.domain.states import ItemState, Stop, Verb
from jobctl.engine.attempts.disks import Disks
from jobctl.engine.jobs.live_job import LiveJob
from jobctl.handlers.handler import ABSENT_LIMIT
from jobctl.handlers.kinds import kind_of
from jobctl.store import attempts, calls, figures, items, jobs, left
from jobctl.store.attempts import Causes
from jobctl.store.database import Database
from jobctl.store.groups import Group, Message
from jobctl.store.items import Budgeted, Settlement


@dataclass(slots=True)
class Batch:
    """What the executor said about one job since the last commit."""

    started: dict[tuple[int, int], Started] = field(default_factory=dict)
    finished: list[Finished] = field(default_factory=list)
    calls: list[Calls] = field(default_factory=list)  # that succeeded, all of them
    returned: list[Returned] = field(default_factory=list)

    def is_empty(self) -> bool:
        """Whether there is nothing to write."""
        return not (self.started or self.finished or self.calls or self.returned)


def lost_as_finished(database: Database, lost: Lost, until: int) -> Finished:
    """An attempt nobody can say anything about, as an ending: interrupted. It is known to have run ``until`` then."""
    begun = attempts.begun(database, AttemptId(*lost)) or (0, until, 0, 0, 0)
    slot, started_at, log, out_off, err_off = begun
    duration = max(0, until - started_at)
    return Finished(
        *lost, Ending.INTERRUPTED, 0, slot, started_at, duration, 0, 0, log, out_off, 0, err_off, 0, 0, b"", b""
    )


class Settler:
    """Writes the outcomes of one job in the caller's transaction."""

    def __init__(self, database: Database, epoch: int, live: LiveJob, now: int, disks: Disks | None = None) -> None:
        """``disks`` say whether an attempt failed because one was full."""
        self._database = database
        self._epoch = epoch
        self._live = live
        self._now = now
        self._disks = disks
        self._lacks: dict[tuple[int, int], str] = {}  # of attempts that failed because a disk was full
        self._deltas: Counter[str] = Counter()
        self._touched: set[int] = set()
        self._causes: Causes = {}
        self._said: dict[tuple[int, int], cause.SaidByAttempt] = {}
        self._cut = False  # the job's stop took another attempt from an item

    def settle(self, batch: Batch) -> Counter[str]:
        """Write a batch and return how the counters move. Raises StaleAttempts if another engine took over."""
        live = self._live
        good = [f for f in batch.finished if f.ending == Ending.EXITED and f.code == 0]
        bad = [f for f in batch.finished if f.ending != Ending.EXITED or f.code != 0]
        items.succeed(self._database, live.id, self._epoch, good)
        self._move("running", "succeeded", len(good))
        called = self._settle_calls(batch.calls)
        if bad:
            self._find_lacks(batch, bad)
            self._settle_failed(bad)
        if batch.returned:
            self._release(batch.returned)
        attempts.record_started(self._database, [(live.row.round, s) for s in batch.started.values()])
        attempts.record_finished(self._database, live.row.round, batch.finished, self._causes)
        left.record(self._database, batch.finished)
        self._save()
        durations = [f.duration_us for f in batch.finished]
        durations += [record[3] for made in batch.calls for record in made.records]
        self._keep_pace(batch.finished, durations, len(good) + called)
        self._keep_figures(batch, durations, len(good) + called)
        return self._deltas

    def _settle_calls(self, made: Sequence[Calls]) -> int:
        """Calls that succeeded; returns how many."""
        for each in made:
            calls.succeed(self._database, self._epoch, each)
            calls.record(self._database, self._live.row.round, each)
        count = sum(len(each.records) for each in made)
        self._move("running", "succeeded", count)
        return count

    def _move(self, source: str, target: str, count: int) -> None:
        self._deltas[source] -= count
        self._deltas[target] += count

    def _settle_failed(self, bad: Sequence[Finished]) -> None:
        budgets = items.budgets(self._database, self._live.id, [f.item for f in bad])
        settlements = [self._judge(f, budgets[f.item]) for f in bad]
        if self._live.groups.has_merged:  # while this batch was judged: what it has written down names groups that were
            current = self._live.groups.current
            settlements = [s._replace(failure=s.failure and current(s.failure)) for s in settlements]
            self._causes = {name: (number and current(number), text) for name, (number, text) in self._causes.items()}
        items.settle(self._database, self._live.id, self._epoch, settlements)

    def _find_lacks(self, batch: Batch, bad: Sequence[Finished]) -> None:
        """Mark attempts that failed because a disk was full."""
        if self._disks is None:
            return
        for f in bad:
            said = self._words(f).text if f.raised is None else f.raised.message
            if lack := self._disks.lack(f, said, self._live.row.cwd):
                self._lacks[f.item, f.attempt] = lack
        if self._lacks:
            batch.finished = [
                f._replace(flags=f.flags | outcome.DISK_FULL) if (f.item, f.attempt) in self._lacks else f
                for f in batch.finished
            ]

    def _words(self, f: Finished) -> cause.SaidByAttempt:
        """What an attempt of a command said; looked for once."""
        said = self._said.get((f.item, f.attempt))
        if said is None:
            said = self._said[f.item, f.attempt] = cause.said_of(f.err_tail, f.out_tail)
        return said

    def _judge(self, f: Finished, used: Budgeted) -> Settlement:
        live, policy = self._live, self._live.row.policy
        group = self._group(f)
        decision = outcome.decide(
            f.ending,
            f.code,
            outcome.Budget(spent=used.attempt - used.free, crashes=used.crashes),
            policy,
            now=self._now,
            deadline_at=live.row.deadline_at,
            jitter=random.random(),  # noqa: S311 - spreads retries, guards nothing
            after_s=None if f.raised is None else f.raised.after_s,
        )
        verb = decision.verb
        if live.stop is not None and verb in (Verb.RETRY_LATER, Verb.REQUEUE):
            verb = Verb.FAIL
            self._cut = True
        if verb is Verb.RETRY_LATER:
            self._move("running", "retrying", 1)
            live.next_due = decision.due_at if live.next_due is None else min(live.next_due, decision.due_at or 0)
            return Settlement(f.item, f.attempt, ItemState.RETRYING, decision.due_at, group.id, used.free, used.crashes)
        if verb is Verb.REQUEUE:
            self._move("running", "queued", 1)
            live.cursor = min(live.cursor, f.item)
            return Settlement(f.item, f.attempt, ItemState.QUEUED, None, group.id, used.free + 1, used.crashes + 1)
        self._move("running", "failed", 1)
        group.add_item(f.item)
        return Settlement(f.item, f.attempt, ItemState.FAILED, None, group.id, used.free, used.crashes)

    def _group(self, f: Finished) -> Group:
        live = self._live
        lack = self._lacks.get((f.item, f.attempt), "")
        code = outcome.failure_code(f.ending, f.code, outcome.DISK_FULL if lack else 0)
        known = "known" if outcome.is_known(f.ending) else "unknown"
        told, message = self._message(f, lack)
        group = live.groups.find(
            told._replace(code=code, outcome=known),
            retryable=outcome.is_retryable(f.ending, f.code, live.row.policy),
            now=self._now,
        )
        group.add_attempt(f.item)
        self._touched.add(group.id)
        self._causes[AttemptId(f.job, f.item, f.attempt)] = (group.id, message)
        return group

    def _message(self, f: Finished, lack: str) -> tuple[Message, str]:
        """What the groups are told of a failed attempt, and the message that is kept with the attempt."""
        live = self._live
        if f.raised is not None:
            said = cause.said_by(f.raised, in_setup=bool(f.flags & OutputFlag.SETUP))
        else:
            said = cause.SaidByAttempt("") if f.ending == Ending.LEFT else self._words(f)
        message = live.mask(said.text) or self._described(f, lack)
        told = Message(message, live.mask(said.head), f.item, cells=self._cells)
        if said.text or lack or f.ending == Ending.TIMED_OUT:
            return told, message
        text = outcome.describe(f.ending, f.code, f.duration_us) if f.ending == Ending.LEFT else message
        return told._replace(text=text, is_fixed=True), message

    def _cells(self, item: int) -> frozenset[str]:
        """What the row of an item holds: a value in a message that stands there is no cause of its own."""
        payload = items.payload(self._database, self._live.id, item) or b""
        return cells(self._live.row.input_format, payload) | {str(item)}

    def _described(self, f: Finished, lack: str) -> str:
        """What to say of an attempt that said nothing itself; of one that was ended with its job, for which rule."""
        stop, why = self._live.stop, self._live.row.stop_reason
        if f.ending == Ending.CANCELLED and stop not in (None, Stop.CANCEL) and why:
            return f"killed because its job stopped: {why}"
        if f.ending == Ending.LEFT and f.left:
            return left.sentence(f)
        return outcome.describe(f.ending, f.code, f.duration_us, lack)

    def _release(self, returned: Sequence[Returned]) -> None:
        live = self._live
        for item, begun in items.release(self._database, live.id, self._epoch, [(r.item, r.attempt) for r in returned]):
            live.cursor = min(live.cursor, item)
            if live.stop is None:
                self._move("running", "queued", 1)
            elif begun == 0:
                items.drop_queued(self._database, live.id, item, item)
                self._move("running", "unprocessed", 1)
            else:
                self.fail_waiting(item, item, came_from="running")

    def fail_waiting(self, first: int, last: int, came_from: str | None = None) -> None:
        """Fail items that wait for another attempt and will not get it; they keep their last cause."""
        live = self._live
        for item, state, failure in items.fail_waiting(self._database, live.id, first, last):
            self._move(came_from or ItemState(state).word, "failed", 1)
            self._cut = live.stop is not None
            group = live.groups.get(failure)
            if group is None:
                self._deltas["failures_ungrouped"] += 1
            else:
                group.add_item(item)
                self._touched.add(group.id)

    def drop(self, first: int, last: int) -> Counter[str]:
        """The job was stopped: what never ran is unprocessed, what waits for another attempt has failed."""
        self._move("queued", "unprocessed", items.drop_queued(self._database, self._live.id, first, last))
        self.fail_waiting(first, last)
        self._save()
        return self._deltas

    def _save(self) -> None:
        if self._touched:
            self._live.groups.save(self._touched, self._now)
        if self._cut:
            jobs.update(self._database, self._live.id, reason=self._live.row.stop_reason or str(self._live.stop))

    def _keep_pace(self, finished: Sequence[Finished], durations: Sequence[int], succeeded: int) -> None:
        live = self._live
        live.pace.add(len(durations), sum(durations))
        live.pace.processed(succeeded + self._deltas["failed"], self._now)
        if succeeded:
            live.absent_in_a_row = 0
        else:
            for f in finished:
                if absent := self._absence(f):
                    live.absent_in_a_row += absent
                    live.absent_message = self._causes[AttemptId(f.job, f.item, f.attempt)][1]
        self._deltas["attempts"] += len(durations)

    def _absence(self, f: Finished) -> int:
        """How much an ending says that there is nothing to run, up to ABSENT_LIMIT."""
        return kind_of(self._live.row.handler).absence(f)

    def _keep_figures(self, batch: Batch, durations: Sequence[int], succeeded: int) -> None:
        live = self._live
        if batch.started:
            live.course.begin(min(s.started_at for s in batch.started.values()))
        begun = [f.started_at for f in batch.finished] + [made.records[0][2] for made in batch.calls]
        if begun:
            live.course.begin(min(begun))
            if max(durations) > live.durations.slow_us:
                self._keep_slowest(batch)
            live.durations.add(durations)
            live.course.add(succeeded, self._deltas["failed"], self._now)
            figures.save(self._database, live.id, live.durations, live.course)

    def _keep_slowest(self, batch: Batch) -> None:
        durations = self._live.durations
        slow_us = durations.slow_us
        slow = [Slow(f.duration_us, f.item, f.attempt) for f in batch.finished if f.duration_us > slow_us]
        slow += [Slow(r[3], r[0], r[1]) for made in batch.calls for r in made.records if r[3] > slow_us]
        if slow:
            durations.rank(slow)


def breaks_rule(live: LiveJob) -> tuple[Stop, str] | None:
    """The failure rule that the job's counters break, with the sentence for its state_reason."""
    policy, failed, processed = live.row.policy, live.failed, live.processed
    if live.absent_in_a_row >= ABSENT_LIMIT and live.missing_variables:
        return Stop.COMMAND, live.missing_variables
    if live.absent_in_a_row >= ABSENT_LIMIT:
        absent_reason = kind_of(live.row.handler).absent_reason
        return Stop.COMMAND, absent_reason(live.absent_in_a_row, live.absent_message)
    if policy.max_failures is None or failed <= 0:
        return None
    if failed <= allowed_failures(policy.max_failures, processed):
        return None
    if policy.max_failures.endswith("%") and processed < policy.min_finished:
        return None
    which = f" in round {live.row.round}" if live.row.round > 1 else ""
    return Stop.FAILURES, f"{failed} of {processed} items failed{which}, more than the {policy.max_failures} allowed"
