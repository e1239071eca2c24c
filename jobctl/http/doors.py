"""What a server knows about its doors: who may come in, under which names, and how often."""

from __future__ import annotations

import time
from collections.abc import Iterable

from jobctl.config import Home
from jobctl.http.limits import Rates
from jobctl.http.sessions import Sessions
from jobctl.http.token_table import TokenTable
from jobctl.process import this_process
from jobctl.services.serve.options import ServeLimits

#: Seconds for which the use of a token is not written down again.
_NOTED_S = 3_600.0
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


class Doors:
    """The state of access to one server."""

    def __init__(
        self,
        home: Home,
        limits: ServeLimits | None = None,
        hosts: Iterable[str] = _LOOPBACK,
        urls: tuple[str, ...] = (),
    ) -> None:
        """``hosts`` are the names of the server, ``urls`` the addresses at which it listens."""
        self.limits = limits or ServeLimits()
        self.hosts = frozenset(hosts)
        self.urls = urls
        #: The callers at the Unix socket and in a browser, as the journal names them.
        self.actor = this_process.actor()
        self.browser = f"{this_process.user()} (browser)"
        self.tokens = TokenTable(home)
        self.sessions = Sessions()
        self.rates = Rates(self.limits.rate)
        self._noted: dict[str, float] = {}

    def is_news(self, token: str) -> bool:
        """Return whether the use of a token is to be written down: once an hour, because nobody needs to know more."""
        now = time.monotonic()
        if now < self._noted.get(token, 0.0):
            return False
        self._noted[token] = now + _NOTED_S
        return True

    def close(self) -> None:
        """Release what is kept."""
        self.tokens.close()
