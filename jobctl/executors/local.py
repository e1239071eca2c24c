"""The local executor: the engine's end of the socket to its supervisor, behind the executor port."""

from __future__ import annotations

import dataclasses
import os
import selectors
import signal
import socket
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain
from operator import itemgetter
from types import FrameType
from typing import TYPE_CHECKING, Any

from jobctl.domain.endings import Ending
from jobctl.domain.ports import (
    AttemptId,
    Barred,
    Calls,
    Dispatch,
    Event,
    Finished,
    JobSpec,
    Lost,
    Pressure,
    Returned,
    Started,
    raised_of,
)
from jobctl.supervisor.protocol import wire
from jobctl.supervisor.protocol.channel import MessageChannel
from jobctl.supervisor.protocol.page import unpack

if TYPE_CHECKING:
    from jobctl.supervisor.protocol.channel import Message

#: Bytes of arguments in one message. With several messages, the supervisor can start before it has read all of them.
_MESSAGE_BYTES = 1 << 20
_MESSAGE_ITEMS = 512
_CLOSE_EXTRA_S = 10.0
_ARGV = itemgetter(Dispatch._fields.index("argv"))


def _finished(fields: Any) -> Finished:
    finished = Finished(*fields)
    return finished if finished.raised is None else finished._replace(raised=raised_of(finished.raised))


def _calls(fields: Any) -> Calls:
    return Calls._make((*fields[:-1], unpack(*fields[-1])))


_MAKE: dict[int, Callable[[Iterable[Any]], Event]] = {
    wire.STARTED: lambda fields: Started(*fields),
    wire.FINISHED: _finished,
    wire.CALLS: _calls,
    wire.RETURNED: Returned._make,
    wire.LOST: Lost._make,
    wire.BARRED: lambda ids: Barred(tuple(AttemptId._make(id_) for id_ in ids)),
    wire.PRESSURE: Pressure._make,
}


def _ignore_signal(_number: int, _frame: FrameType | None) -> None:
    """Do nothing: the supervisor got the signal too, and sends a message about it."""


class LocalExecutor:
    """Runs attempts as processes of this machine, through the supervisor that is this process's parent."""

    @classmethod
    def from_fd(cls, fd: int = wire.ENGINE_FD) -> LocalExecutor:
        """The executor of an engine that a supervisor started. Only the supervisor handles stop signals from now on."""
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, _ignore_signal)
        end = socket.socket(fileno=fd)
        end.set_inheritable(False)
        return cls(end, fresh=os.environ.get("JOBCTL_FRESH") == "1", up=os.environ.get("JOBCTL_UP") == "1")

    identity = ""

    def __init__(self, end: socket.socket, *, fresh: bool, up: bool = False) -> None:
        #: The supervisor has never got an attempt: everything that ran before it started is lost.
        self.fresh = fresh
        #: An engine has worked with this supervisor, so the command that started the daemon has its answer.
        self.up = up
        self._channel = MessageChannel(end)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._channel, selectors.EVENT_READ)
        self._events: list[Event] = []
        self._held: list[AttemptId] | None = None
        self._stop = 0
        self._is_closed = False
        self._stop_is_new = False  # a stop was requested since ``collect`` last returned

    def fileno(self) -> int:
        """Readable when ``collect(0)`` has something to do."""
        return self._selector.fileno()

    def define(self, spec: JobSpec) -> None:
        """Describe a job, or change its description."""
        call = None if spec.call is None else tuple(spec.call)
        spec = dataclasses.replace(spec, call=call)  # type: ignore[arg-type]  # plain values for the wire
        self._send(wire.DEFINE, tuple(getattr(spec, field.name) for field in dataclasses.fields(spec)))

    def forget(self, job: int) -> None:
        """Drop everything that is kept for a job."""
        self._send(wire.FORGET, job)

    def resize(self, slots: int) -> None:
        """Set how many attempts may run at once."""
        self._send(wire.RESIZE, slots)

    def start(self, batch: Sequence[Dispatch]) -> None:
        """Hand attempts to the supervisor."""
        for part in _portions(batch):
            self._send(wire.START, part)

    def collect(self, timeout_s: float | None = 0) -> list[Event]:
        """Events since the last call. Raises EOFError when the supervisor is gone."""
        deadline = None if timeout_s is None else time.monotonic() + timeout_s
        self._exchange()
        while not (self._events or self._stop_is_new or self._channel.closed):
            left = None if deadline is None else deadline - time.monotonic()
            if (left is not None and left <= 0) or not self._wait(left):
                break
            self._exchange()
        self._stop_is_new = False
        return self._take_events()

    def acknowledge(self, attempts: Sequence[AttemptId], calls: Sequence[int] = ()) -> None:
        """The outcomes of these attempts, and the ``Calls`` with these numbers, are recorded."""
        if calls:
            self._channel.post(wire.ACKNOWLEDGE_CALLS, list(calls))
        self._send(wire.ACKNOWLEDGE, [tuple(attempt) for attempt in attempts])

    def recall(self, job: int | None = None) -> None:
        """Give back attempts that have not started."""
        self._send(wire.RECALL, job)

    def cancel(self, attempts: Sequence[AttemptId], grace_s: float, ending: Ending = Ending.CANCELLED) -> None:
        """End these attempts; each outcome comes when the last process of the attempt is gone."""
        self._send(wire.CANCEL, ([tuple(attempt) for attempt in attempts], grace_s, int(ending)))

    def follow(self, job: int, item: int | None) -> None:
        """Do nothing: the output of items is on this machine."""

    def adopt(self) -> list[AttemptId]:
        """The attempts that the supervisor holds from earlier engines; it reports their outcomes again.

        This tells the supervisor that the engine works. Raises EOFError when the supervisor is gone.
        """
        self._held = None
        self.up = True
        self._send(wire.ADOPT, None)
        while self._held is None:
            if self._channel.closed:
                raise EOFError("the supervisor is gone")
            self._wait(None)
            self._exchange()
        return self._held

    def close(self, grace_s: float) -> None:
        """End everything that runs and wait, a little longer than ``grace_s`` at most; ``collect(0)`` has the events.

        A closed supervisor does not answer again, so a second call does nothing.
        """
        if self._is_closed:
            return
        self._held = None
        self._send(wire.CLOSE, grace_s)
        until = time.monotonic() + grace_s + _CLOSE_EXTRA_S
        while self._held != [] and not self._channel.closed and time.monotonic() < until:
            self._wait(until - time.monotonic())
            self._exchange()
        self._is_closed = self._held == []

    def stop_requested(self) -> int:
        """0 = continue, 1 = stop politely, 2 = stop now."""
        return self._stop

    def beat(self, lease_s: float) -> None:
        """Tell a guest that its host lives; without another beat within the lease, the guest ends everything."""
        self._send(wire.BEAT, (lease_s, time.monotonic()))

    def refuse(self, reason: str) -> None:
        """Tell the command that started the daemon why this engine cannot work; the supervisor then ends."""
        self._send(wire.REFUSE, reason)
        while self._channel.waiting and not self._channel.closed:
            self._wait(None)
            self._exchange()

    def _send(self, kind: int, payload: Any) -> None:
        self._channel.post(kind, payload)
        self._flush()

    def _flush(self) -> None:
        wanted = selectors.EVENT_READ if self._channel.flush() else selectors.EVENT_READ | selectors.EVENT_WRITE
        self._selector.modify(self._channel, wanted)

    def _wait(self, timeout_s: float | None) -> bool:
        return bool(self._selector.select(timeout_s))

    def _exchange(self) -> None:
        if self._channel.waiting:
            self._flush()
        for message in self._channel.receive():
            self._note(message)

    def _note(self, message: Message) -> None:
        kind, payload = message
        make = _MAKE.get(kind)
        if make is not None:
            self._events.append(make(payload))
        elif kind == wire.HELD:
            self._held = [AttemptId._make(id_) for id_ in payload]
        elif kind == wire.STOP:
            self._stop = payload
            self._stop_is_new = True

    def _take_events(self) -> list[Event]:
        if not self._events and self._channel.closed:
            raise EOFError("the supervisor is gone")
        events = self._events
        self._events = []
        return events


def _portions(batch: Sequence[Dispatch]) -> Iterator[list[tuple[Any, ...]]]:
    """Messages of bounded size, as plain tuples."""
    for start in range(0, len(batch), _MESSAGE_ITEMS):
        yield from _halved(list(map(tuple, batch[start : start + _MESSAGE_ITEMS])))


def _halved(part: list[tuple[Any, ...]]) -> Iterator[list[tuple[Any, ...]]]:
    if len(part) > 1 and sum(map(len, chain.from_iterable(map(_ARGV, part)))) > _MESSAGE_BYTES:
        middle = len(part) // 2
        yield from _halved(part[:middle])
        yield from _halved(part[middle:])
    else:
        yield part
