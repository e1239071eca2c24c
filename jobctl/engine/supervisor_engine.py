"""The supervisor's engine process: start it, talk to it, start the next one when it dies."""

from __future__ import annotations

import os
import signal
import socket
from typing import Any

from jobctl.process import wire
from jobctl.process.channel import Channel, Message
from jobctl.process.identity import ENGINE_SERIAL, Tagger

_BACKOFF_LONGEST_S = 60.0
_MAX_DEATHS = 10
_DEATHS_WITHIN_S = 300.0
_SIGNALS = (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGPIPE, signal.SIGTERM, signal.SIGCHLD)


class Engine:
    """One engine after the other; ``channel`` is None while there is none."""

    def __init__(self, argv: list[bytes], store_id: str, tagger: Tagger) -> None:
        self._argv = argv
        self._env = {**os.environb, b"JOBCTL_ENGINE": store_id.encode()}
        self._tagger = tagger
        self.channel: Channel | None = None
        self.pid = 0
        self.start_at: float | None = 0.0  # when the next one is due
        self.has_adopted = False  # at least once: it can work at all
        self._deaths: list[float] = []

    def start(self, *, fresh: bool) -> None:
        """Start a new engine; ``fresh`` says that no engine has handed over any attempt.

        Raises OSError when the machine has no room; then call ``postpone``.
        """
        ours, theirs = socket.socketpair()
        try:
            self._tagger.mark(ENGINE_SERIAL)
            self.pid = os.posix_spawn(
                self._argv[0],
                self._argv,
                {**self._env, b"JOBCTL_FRESH": b"%d" % fresh},
                file_actions=((os.POSIX_SPAWN_DUP2, theirs.fileno(), wire.ENGINE_FD),),
                setpgroup=0,  # Ctrl-C in a terminal is for the supervisor alone
                setsigmask=(),
                setsigdef=_SIGNALS,
            )
        except OSError:
            ours.close()
            raise
        finally:
            theirs.close()
        self.channel = Channel(ours)
        self.start_at = None

    def tell(self, kind: int, payload: Any) -> None:
        """Queue a message if there is an engine."""
        if self.channel is not None:
            self.channel.post(kind, payload)

    def receive(self) -> list[Message]:
        """What it said since the last call."""
        return [] if self.channel is None else self.channel.receive()

    def ended(self) -> list[Message]:
        """It was reaped: what it had said before, whole messages only."""
        last: list[Message] = []
        while self.channel is not None and not self.channel.closed and (more := self.channel.receive()):
            last += more
        self.hang_up()
        self.pid = 0
        return last

    def hang_up(self) -> None:
        """Close the channel."""
        if self.channel is not None:
            self.channel.close()
            self.channel = None

    def postpone(self, now: float) -> bool:
        """Plan the next start after a death; False when it died too often."""
        self._deaths = [death for death in self._deaths if death > now - _DEATHS_WITHIN_S] + [now]
        count = len(self._deaths)
        self.start_at = now + (0.0 if count == 1 else min(2.0 ** (count - 2), _BACKOFF_LONGEST_S))
        return count < _MAX_DEATHS

    def kill(self) -> None:
        """KILL the engine; it is reaped like any other end."""
        if self.pid:
            os.kill(self.pid, signal.SIGKILL)
