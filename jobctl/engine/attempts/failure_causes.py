"""Finds the cause of each failed attempt in its message or its ending, and the failure group for it."""

from __future__ import annotations

from collections.abc import Sequence

from jobctl.domain import cause, outcome
from jobctl.domain.endings import Ending
from jobctl.domain.likeness import cells
from jobctl.domain.ports import AttemptId, Finished, OutputFlag
from jobctl.domain.states import Stop
from jobctl.engine.attempts.batch import Batch
from jobctl.engine.attempts.disks import Disks
from jobctl.engine.jobs.live_job import LiveJob
from jobctl.store import items, leftovers
from jobctl.store.attempts import Causes
from jobctl.store.database import Database
from jobctl.store.group import FailureGroup, Message
from jobctl.store.items import Settlement


class FailureCauses:
    """Finds the cause of each failed attempt of a batch."""

    def __init__(self, database: Database, live: LiveJob, now: int, disks: Disks | None) -> None:
        """``disks`` decide if an attempt failed because a disk was full."""
        self._database = database
        self._live = live
        self._now = now
        self._disks = disks
        self._full_disks: dict[tuple[int, int], str] = {}  # the disk, if an attempt failed for lack of room
        self._messages: dict[tuple[int, int], cause.AttemptMessage] = {}
        self._touched: set[int] = set()  # groups to save
        #: The number of the group and the message of each failed attempt.
        self.by_attempt: Causes = {}

    def find_full_disks(self, batch: Batch, bad: Sequence[Finished]) -> None:
        """Mark the attempts that failed because a disk was full."""
        if self._disks is None:
            return
        for f in bad:
            message = self._message_in_output(f).text if f.raised is None else f.raised.message
            if full := self._disks.full_at_failure(f, message, self._live.row.cwd):
                self._full_disks[f.item, f.attempt] = full
        if self._full_disks:
            batch.finished = [
                f._replace(flags=f.flags | outcome.DISK_FULL) if (f.item, f.attempt) in self._full_disks else f
                for f in batch.finished
            ]

    def group_of(self, f: Finished) -> FailureGroup:
        """The group of a failed attempt, with the attempt counted in it."""
        live = self._live
        full_disk = self._full_disks.get((f.item, f.attempt), "")
        code = outcome.failure_code(f.ending, f.code, outcome.DISK_FULL if full_disk else 0)
        known = "known" if outcome.is_known(f.ending) else "unknown"
        group_message, message = self._message(f, full_disk)
        group = live.groups.find(
            group_message._replace(code=code, outcome=known),
            retryable=outcome.is_retryable(f.ending, f.code, live.row.policy),
            now=self._now,
        )
        group.add_attempt(f.item)
        self.touch(group)
        self.by_attempt[AttemptId(f.job, f.item, f.attempt)] = (group.id, message)
        return group

    def message_of(self, f: Finished) -> str:
        """The message of a failed attempt whose group was found."""
        return self.by_attempt[AttemptId(f.job, f.item, f.attempt)][1]

    def touch(self, group: FailureGroup) -> None:
        """Note that a group has changed and must be saved."""
        self._touched.add(group.id)

    def current(self, settlements: Sequence[Settlement]) -> Sequence[Settlement]:
        """The settlements with the present groups, because groups may have merged since."""
        if not self._live.groups.has_merged:
            return settlements
        current = self._live.groups.current
        causes = self.by_attempt.items()
        self.by_attempt = {name: (number and current(number), text) for name, (number, text) in causes}
        return [s._replace(failure=s.failure and current(s.failure)) for s in settlements]

    def save(self) -> None:
        """Write the groups that have changed."""
        if self._touched:
            self._live.groups.save(self._touched, self._now)

    def _message(self, f: Finished, full_disk: str) -> tuple[Message, str]:
        """The message of a failed attempt for the groups, and the one that is kept with the attempt."""
        live = self._live
        if f.raised is not None:
            own = cause.message_of_call(f.raised, in_setup=bool(f.flags & OutputFlag.SETUP))
        else:
            own = cause.AttemptMessage("") if f.ending == Ending.LEFT else self._message_in_output(f)
        message = live.mask(own.text) or self._description(f, full_disk)
        group_message = Message(message, live.mask(own.head), f.item, cells=self._cells)
        if own.text or full_disk or f.ending == Ending.TIMED_OUT:
            return group_message, message
        text = outcome.describe(f.ending, f.code, f.duration_us) if f.ending == Ending.LEFT else message
        return group_message._replace(text=text, is_fixed=True), message

    def _message_in_output(self, f: Finished) -> cause.AttemptMessage:
        """The message of an attempt of a command; its output is searched once."""
        message = self._messages.get((f.item, f.attempt))
        if message is None:
            message = self._messages[f.item, f.attempt] = cause.message_in_output(f.err_tail, f.out_tail)
        return message

    def _cells(self, item: int) -> frozenset[str]:
        """The values of the row of an item: a message that differs in such a value alone is not another cause."""
        payload = items.payload(self._database, self._live.id, item) or b""
        return cells(self._live.row.input_format, payload) | {str(item)}

    def _description(self, f: Finished, full_disk: str) -> str:
        """The message for an attempt that wrote none; if its job was stopped, the rule that stopped it."""
        stop, why = self._live.stop, self._live.row.stop_reason
        if f.ending == Ending.CANCELLED and stop not in (None, Stop.CANCEL) and why:
            return f"killed because its job stopped: {why}"
        if f.ending == Ending.LEFT and f.left:
            return leftovers.sentence(f)
        return outcome.describe(f.ending, f.code, f.duration_us, full_disk)
