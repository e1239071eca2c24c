"""What a server knows about its doors: who may come in, under which names, and how often."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from jobctl.config import Home
from jobctl.http.limits import Rates
from jobctl.http.sessions import Sessions
from jobctl.http.token_table import TokenTable
from jobctl.services.serve.options import ServeLimits

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
        self.tokens = TokenTable(home)
        self.sessions = Sessions()
        self.rates = Rates(self.limits.rate)
        #: Set when the server stops: streams and long polls end then.
        self.stopping = asyncio.Event()

    @property
    def is_secure(self) -> bool:
        """Whether browsers come through TLS."""
        return any(url.startswith("https:") for url in self.urls)

    def close(self) -> None:
        """Release what is kept."""
        self.stopping.set()
        self.tokens.close()
