"""Tells a service manager (systemd, Type=notify) that this process is ready, stopping, or alive."""

from __future__ import annotations

import contextlib
import os
import socket

TYPE_CHECKING = False  # as typing's own, which costs a tenth of the supervisor's start to import
if TYPE_CHECKING:
    from collections.abc import MutableMapping

_NEVER = float("inf")


class ServiceManager:
    """The service manager that watches this process; without one, every method does nothing."""

    def __init__(self, environ: MutableMapping[str, str]) -> None:
        """Remove the manager's variables from the environment: child processes must not use them."""
        address = environ.pop("NOTIFY_SOCKET", "")
        self._address = "\0" + address[1:] if address.startswith("@") else address
        watchdog_us = environ.pop("WATCHDOG_USEC", "")
        is_ours = environ.pop("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
        # Twice as often as the manager demands.
        self._every_s = int(watchdog_us) / 2e6 if self._address and is_ours and watchdog_us.isdigit() else _NEVER
        #: When ``beat`` is due; monotonic seconds.
        self.due = 0.0 if self._every_s < _NEVER else _NEVER

    def tell(self, state: str) -> None:
        """Send a state such as READY=1 or STOPPING=1. It is not an error if the manager does not listen."""
        if not self._address:
            return
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
            manager.setblocking(False)
            manager.sendto(state.encode(), self._address)

    def beat(self, now: float) -> None:
        """Report that this process is alive."""
        self.due = now + self._every_s
        self.tell("WATCHDOG=1")
