"""Telling a service manager (systemd, Type=notify) that we are ready, stopping, and alive."""

from __future__ import annotations

import contextlib
import os
import socket

TYPE_CHECKING = False  # as typing's own, which costs a tenth of the supervisor's start to import
if TYPE_CHECKING:
    from collections.abc import MutableMapping

_NEVER = float("inf")


class ServiceManager:
    """Whoever watches this process; everything is a no-op without one."""

    def __init__(self, environ: MutableMapping[str, str]) -> None:
        """Take what the manager left in the environment out of it: it is for this process alone."""
        address = environ.pop("NOTIFY_SOCKET", "")
        self._address = "\0" + address[1:] if address.startswith("@") else address
        watchdog_us = environ.pop("WATCHDOG_USEC", "")
        is_ours = environ.pop("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
        # Twice as often as it must be.
        self._every_s = int(watchdog_us) / 2e6 if self._address and is_ours and watchdog_us.isdigit() else _NEVER
        #: When ``beat`` is due; monotonic seconds.
        self.due = 0.0 if self._every_s < _NEVER else _NEVER

    def tell(self, state: str) -> None:
        """READY=1, STOPPING=1... A manager that does not listen is not our trouble."""
        if not self._address:
            return
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
            manager.setblocking(False)
            manager.sendto(state.encode(), self._address)

    def beat(self, now: float) -> None:
        """Say that we are alive."""
        self.due = now + self._every_s
        self.tell("WATCHDOG=1")
