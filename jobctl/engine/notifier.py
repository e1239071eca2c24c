"""Delivers the notifications of the outbox: threads make the attempts, and the loop writes their results.

Each attempt is noted in a commit before it begins, and settled in a later commit. The threads touch no database: they
put a reply into a queue and wake the loop.
"""

from __future__ import annotations

import queue
import random
import threading
from collections.abc import Callable

from jobctl.config import Home
from jobctl.domain.notify import DeliveryState, Reply
from jobctl.store import journal, outbox
from jobctl.store.database import Database
from jobctl.store.outbox import Sending

#: The number of attempts that run at once. A receiver that does not answer takes 15 s, a command up to a minute.
MAX_UNDER_WAY = 4

Deliver = Callable[[Sending, int, str], Reply]


def _deliver(sending: Sending, timestamp: int, home: str) -> Reply:
    from jobctl.notify.channels import deliver  # few jobs notify anybody

    return deliver(sending, timestamp, home)


class Notifier:
    """Begins and settles the attempts of the outbox."""

    def __init__(self, database: Database, home: Home, wake: Callable[[], None], deliver: Deliver = _deliver) -> None:
        self._database = database
        self._home = str(home.root)
        self._wake = wake
        self._deliver = deliver
        self._random = random.Random()  # noqa: S311 - jitter
        self._replies: queue.SimpleQueue[tuple[Sending, Reply]] = queue.SimpleQueue()
        self._arrived: list[tuple[Sending, Reply]] = []
        self._begun: list[tuple[Sending, int]] = []
        self._under_way = 0
        self._stopped = False

    def recover(self, now: int) -> None:
        """Repeat the attempts of an earlier engine that did not end. Call it first and once, in a transaction."""
        outbox.recover(self._database, now)

    def due_at(self) -> int | None:
        """The time when there is something to write: 0 if a reply has arrived, None if nothing is expected."""
        self._collect()
        if self._arrived:
            return 0
        if self._stopped or self._under_way >= MAX_UNDER_WAY:
            return None
        return outbox.next_due(self._database)

    def is_due(self, now: int) -> bool:
        """True if ``write`` would write anything."""
        due_at = self.due_at()
        return due_at is not None and due_at <= now

    def stop(self) -> None:
        """Begin no more attempts; the replies of those under way still arrive."""
        self._stopped = True

    def is_sending(self) -> bool:
        """True if an attempt is under way, or its reply is not written yet."""
        return bool(self._under_way or self._arrived)

    def is_busy(self, now: int, job: int | None = None) -> bool:
        """True if an attempt is under way or due, for a job or at all: the engine must not end now."""
        if self.is_sending():
            return True
        due_at = outbox.next_due(self._database, job)
        return due_at is not None and due_at <= now

    def write(self, now: int) -> None:
        """Settle the replies that have arrived and begin the attempts that are due, in the caller's transaction.

        Call ``send`` after the commit. If the transaction fails, the replies are kept and the next call starts over.
        """
        self._collect()
        for sending, reply in self._arrived:
            self._settle(sending, reply, now)
        free = MAX_UNDER_WAY - self._under_way + len(self._arrived)
        due = outbox.begin_due(self._database, now, free) if free and not self._stopped else []
        self._begun = [(sending, now // 1_000_000) for sending in due]

    def send(self) -> None:
        """Start the attempts that were begun in the transaction. Call it after the commit."""
        self._under_way += len(self._begun) - len(self._arrived)
        self._arrived.clear()
        for sending, timestamp in self._begun:
            name = f"notify-{sending.job}"
            threading.Thread(target=self._try, args=(sending, timestamp), name=name, daemon=True).start()
        self._begun = []

    def _collect(self) -> None:
        while not self._replies.empty():
            self._arrived.append(self._replies.get())

    def _try(self, sending: Sending, timestamp: int) -> None:
        self._replies.put((sending, self._deliver(sending, timestamp, self._home)))
        self._wake()

    def _settle(self, sending: Sending, reply: Reply, now: int) -> None:
        from jobctl.notify.channels import judge, shown_target

        verdict = judge(sending.kind, reply, sending.counted_attempts, now, self._random.random)
        if not outbox.settle(self._database, sending, reply, verdict, now):
            return
        if verdict.state is not DeliveryState.PENDING:
            journal.note(
                self._database,
                sending.job,
                f"notify_{verdict.state}",
                at=now,
                actor="engine",
                reason=f"{shown_target(sending.kind, sending.target)}: {verdict.result}",
                delivery=sending.delivery,
                attempts=sending.attempt,
            )
