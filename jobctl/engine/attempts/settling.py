"""Settles outcomes: classifies, decides, writes and counts, in this order and for one job at a time."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence

from jobctl.domain import outcome
from jobctl.domain.endings import Ending
from jobctl.domain.ports import Calls, Finished, Returned
from jobctl.domain.states import ItemState, Verb
from jobctl.engine.attempts.batch import Batch
from jobctl.engine.attempts.disks import Disks
from jobctl.engine.attempts.failure_causes import FailureCauses
from jobctl.engine.attempts.measuring import Settled, measure
from jobctl.engine.jobs.live_job import LiveJob
from jobctl.store import attempts, calls, items, jobs, journal, leftovers, outcomes
from jobctl.store.database import Database
from jobctl.store.items import Budgeted, Settlement
from jobctl.store.outcomes import Section

#: The most characters of a cause in the journal.
_LONGEST_REASON = 500


class Settler:
    """Writes the outcomes of one job in the caller's transaction."""

    def __init__(self, database: Database, epoch: int, live: LiveJob, now: int, disks: Disks | None = None) -> None:
        """``disks`` decide if an attempt failed because a disk was full."""
        self._database = database
        self._epoch = epoch
        self._live = live
        self._now = now
        self._deltas: Counter[str] = Counter()
        self._causes = FailureCauses(database, live, now, disks)
        self._cut = False  # the job's stop took another attempt from an item
        self._outcomes: list[Section] = []
        self._last_failure = ""  # its cause in words

    def settle(self, batch: Batch) -> Counter[str]:
        """Write a batch and return how the counters move. Raises StaleAttempts if another engine took over."""
        live = self._live
        good = [f for f in batch.finished if f.ending == Ending.EXITED and f.code == 0]
        bad = [f for f in batch.finished if f.ending != Ending.EXITED or f.code != 0]
        items.succeed(self._database, live.id, self._epoch, good)
        self._outcomes.append(Section(ItemState.SUCCEEDED, [f.item for f in good], [f.attempt for f in good]))
        self._move("running", "succeeded", len(good))
        called = self._settle_calls(batch.calls)
        if bad:
            self._causes.find_full_disks(batch, bad)
            self._settle_failed(bad)
        if batch.returned:
            self._release(batch.returned)
        attempts.record_started(self._database, [(live.row.round, s) for s in batch.started.values()])
        attempts.record_finished(self._database, live.row.round, batch.finished, self._causes.by_attempt)
        leftovers.record(self._database, batch.finished)
        self._save()
        durations = batch.durations()
        settled = Settled(batch, durations, len(good) + called, self._deltas["failed"], self._causes.by_attempt)
        measure(self._database, live, settled, self._now)
        self._deltas["attempts"] += len(durations)
        return self._deltas

    def _settle_calls(self, made: Sequence[Calls]) -> int:
        """Write calls that succeeded; returns how many."""
        for each in made:
            self._outcomes.append(calls.succeed(self._database, self._epoch, each))
            calls.record(self._database, self._live.row.round, each)
        count = sum(len(each.records) for each in made)
        self._move("running", "succeeded", count)
        return count

    def _move(self, source: str, target: str, count: int) -> None:
        self._deltas[source] -= count
        self._deltas[target] += count

    def _settle_failed(self, bad: Sequence[Finished]) -> None:
        budgets = items.budgets(self._database, self._live.id, [f.item for f in bad])
        settlements = self._causes.current([self._judge(f, budgets[f.item]) for f in bad])
        items.settle(self._database, self._live.id, self._epoch, settlements)
        for state in dict.fromkeys(s.state for s in settlements):
            settled = [s for s in settlements if s.state is state]
            self._outcomes.append(Section(state, [s.item for s in settled], [s.attempt for s in settled]))

    def _judge(self, f: Finished, used: Budgeted) -> Settlement:
        live, policy = self._live, self._live.row.policy
        group = self._causes.group_of(f)
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
        self._last_failure = f"{group.code}: {self._causes.message_of(f)}"
        return Settlement(f.item, f.attempt, ItemState.FAILED, None, group.id, used.free, used.crashes)

    def _release(self, returned: Sequence[Returned]) -> None:
        live = self._live
        for item, begun in items.release(self._database, live.id, self._epoch, [(r.item, r.attempt) for r in returned]):
            live.cursor = min(live.cursor, item)
            if live.stop is None:
                self._move("running", "queued", 1)
            elif begun == 0:
                items.drop_queued(self._database, live.id, item, item)
                self._outcomes.append(Section(ItemState.UNPROCESSED, [item], 0))
                self._move("running", "unprocessed", 1)
            else:
                self.fail_waiting(item, item, came_from="running")

    def fail_waiting(self, first: int, last: int, came_from: str | None = None, batch: int | None = None) -> None:
        """Fail items that wait for another attempt and will not get one; they keep their last cause."""
        live = self._live
        waiting = items.fail_waiting(self._database, live.id, first, last, batch)
        self._outcomes.append(Section(ItemState.FAILED, [w.item for w in waiting], [w.attempt for w in waiting]))
        for item, state, failure, _ in waiting:
            self._move(came_from or ItemState(state).word, "failed", 1)
            self._cut = live.stop is not None
            group = live.groups.get(failure)
            if group is None:
                self._deltas["failures_ungrouped"] += 1
            else:
                group.add_item(item)
                self._causes.touch(group)
                self._last_failure = f"{group.code}: {group.message}"

    def drop(self, first: int, last: int, batch: int | None = None) -> Counter[str]:
        """The items were cancelled: those that never ran are unprocessed, those that wait for an attempt have failed.

        With a ``batch``, only the items of this set: see ``store.cancelled``.
        """
        dropped = items.drop_queued(self._database, self._live.id, first, last, batch)
        self._outcomes.append(Section(ItemState.UNPROCESSED, dropped, 0))
        self._move("queued", "unprocessed", len(dropped))
        self.fail_waiting(first, last, batch=batch)
        self._save()
        return self._deltas

    def _save(self) -> None:
        self._causes.save()
        outcomes.record(self._database, self._live.id, self._now, self._outcomes)
        self._note_failures()
        if self._cut:
            jobs.update(self._database, self._live.id, reason=self._live.row.stop_reason or str(self._live.stop))

    def _note_failures(self) -> None:
        """Note in the journal that the failed items of the round have reached 1, 10, 100 and so on."""
        live = self._live
        before = live.counts["failed"] - live.before[1]
        failed = before + self._deltas["failed"]
        if _digits(failed) > _digits(before):
            journal.note(
                *(self._database, live.id, journal.FAILURES),
                at=self._now,
                actor="engine",
                reason=self._last_failure[:_LONGEST_REASON],
                failed=failed,
                round=live.row.round,
            )


def _digits(count: int) -> int:
    return len(str(count)) if count > 0 else 0
