"""The engine process of a supervisor: start it, talk to it, start the next one when it dies."""

from __future__ import annotations

import os
import select
import signal
import socket
import time

from jobctl.process.identity import ENGINE_SERIAL, Tagger
from jobctl.supervisor.pressure import NEVER
from jobctl.supervisor.protocol import fields, wire
from jobctl.supervisor.protocol.channel import MessageChannel
from jobctl.supervisor.protocol.fields import id_of

TYPE_CHECKING = False  # as typing's own, which costs a tenth of the supervisor's start to import
if TYPE_CHECKING:
    from typing import Any

    from jobctl.supervisor.protocol.channel import Message

#: Events wait this long for further events, so that the engine wakes once for many.
COALESCE_S = 0.06
#: One event of calls covers many calls already, and workers run out of work if the engine learns of it late.
_COALESCE_CALLS_S = 0.01
_LONGEST_BACKOFF_S = 60.0
#: The death of an engine that lived this long is not a failed start.
_STABLE_AFTER_S = 10.0
_MAX_DEATHS = 10
_DEATHS_WITHIN_S = 300.0
_NO_ROOM_PAUSE_S = 2.0
#: After this time, the supervisor kills an engine that closed its socket and does not end.
_DISCONNECTED_S = 10.0
_SIGNALS = (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGPIPE, signal.SIGTERM, signal.SIGCHLD)


class EngineProcess:
    """One engine after the other. Events are dropped while no engine runs: the next one asks for them with ADOPT."""

    def __init__(self, argv: list[bytes], store_id: str, tagger: Tagger, poll: select.poll) -> None:
        self.pid = 0
        self.fd = -1
        self.start_at = 0.0  # when the next engine is due
        self.kill_at = NEVER
        self.flush_at = NEVER
        self.gone_at = NEVER  # when a guest gives up the process that started it
        self.has_adopted = False  # some engine asked with ADOPT, so engines can work here
        self._argv = argv
        self._env = {
            **os.environb,
            b"JOBCTL_ENGINE": store_id.encode(),
            b"JOBCTL_WIRE": b"%d" % wire.VERSION,
        }
        self._tagger = tagger
        self._poll = poll
        self._channel: MessageChannel | None = None
        self._unsent_starts: dict[Any, Any] = {}  # STARTED events, by attempt
        self._began = 0.0
        self._deaths: list[float] = []
        self._early_deaths = 0

    def attach(self, end: socket.socket) -> None:
        """Exchange messages over this socket: with a new engine, or from a guest with the process that started it."""
        self._channel = MessageChannel(end)
        self.fd = end.fileno()
        self._poll.register(self.fd, select.POLLIN)
        self.start_at = NEVER

    def start(self, *, fresh: bool) -> None:
        """Start a new engine; ``fresh``: no engine before it has handed over any attempt.

        Raises OSError when the machine has no room; the next try is due at ``start_at``.
        """
        self._began = time.monotonic()
        self.start_at = self._began + _NO_ROOM_PAUSE_S
        ours, theirs = socket.socketpair()
        try:
            self._tagger.mark(ENGINE_SERIAL)
            self.pid = self._spawn(theirs.fileno(), fresh)
        except OSError:
            ours.close()
            raise
        finally:
            self._tagger.unmark()
            theirs.close()
        self.attach(ours)

    def _spawn(self, fd: int, fresh: bool) -> int:
        return os.posix_spawn(
            self._argv[0],
            self._argv,
            {**self._env, b"JOBCTL_FRESH": b"%d" % fresh, b"JOBCTL_UP": b"%d" % self.has_adopted},
            file_actions=((os.POSIX_SPAWN_DUP2, fd, wire.ENGINE_FD),),
            setpgroup=0,  # Ctrl-C in a terminal must reach only the supervisor
            setsigmask=(),
            setsigdef=_SIGNALS,
        )

    def tell(self, kind: int, payload: Any) -> None:
        """Queue an event. The start of an attempt is dropped when its end goes into the same message."""
        if self._channel is None:
            return
        if kind == wire.STARTED:
            self._unsent_starts[id_of(payload)] = payload
        else:
            if kind == wire.FINISHED:
                self._unsent_starts.pop(id_of(payload), None)
            elif kind == wire.CALLS and self._unsent_starts:
                self._drop_starts(payload)
            self._channel.post(kind, payload)
        wait_s = _COALESCE_CALLS_S if kind == wire.CALLS else COALESCE_S
        self.flush_at = min(self.flush_at, time.monotonic() + wait_s)

    def _drop_starts(self, calls: tuple[Any, ...]) -> None:
        from jobctl.supervisor.protocol.page import unpack  # most supervisors never need it

        for record in unpack(*calls[fields.CALLS_RECORDS]):
            self._unsent_starts.pop((calls[fields.CALLS_JOB], *record[fields.RECORD_ID]), None)

    def flush(self) -> None:
        """Send queued events as far as the socket takes them; the rest follows when it is writable."""
        self.flush_at = NEVER
        if self._channel is None:
            return
        for started in self._unsent_starts.values():
            self._channel.post(wire.STARTED, started)
        self._unsent_starts.clear()
        done = self._channel.flush()
        self._poll.modify(self.fd, select.POLLIN if done else select.POLLIN | select.POLLOUT)

    def socket_ready(self, now: float) -> list[Message]:
        """The socket is readable or writable: continue to send, and return the messages that arrived."""
        if self._channel is None:
            return []
        if self._channel.waiting:
            self.flush()
        messages = self._channel.receive()
        if self._channel.closed:
            self._disconnect()
            if self.pid:
                self.kill_at = now + _DISCONNECTED_S
            else:
                self.gone_at = now
        return messages

    def ended(self) -> list[Message]:
        """The engine was reaped: disconnect from it, and return its last whole messages."""
        last = [] if self._channel is None else self._channel.receive_all()
        self._disconnect()
        self.pid = 0
        self.kill_at = NEVER
        return last

    def _disconnect(self) -> None:
        if self._channel is not None:
            self._poll.unregister(self.fd)
            self._channel.close()
            self._channel = None
            self.fd = -1
        self._unsent_starts.clear()
        self.flush_at = NEVER

    def replace(self, now: float) -> bool:
        """Plan the start of the next engine after a death; False when engines die too often.

        After the first death, or the death of an engine that had worked for a while, the next one starts at once.
        Otherwise the pause grows.
        """
        self._deaths = [death for death in self._deaths if death > now - _DEATHS_WITHIN_S] + [now]
        self._early_deaths = 1 if now - self._began > _STABLE_AFTER_S else self._early_deaths + 1
        pause_s = 0.0 if self._early_deaths == 1 else min(2.0 ** (self._early_deaths - 2), _LONGEST_BACKOFF_S)
        self.start_at = now + pause_s
        return len(self._deaths) < _MAX_DEATHS

    def kill(self) -> None:
        """Send KILL to the engine; it is then reaped as usual."""
        self.kill_at = NEVER
        if self.pid:
            os.kill(self.pid, signal.SIGKILL)
