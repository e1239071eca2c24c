"""Runs the application in this process with a real uvicorn, in a thread, over a Unix socket or over TCP."""

from __future__ import annotations

import socket
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import uvicorn
from starlette.types import ASGIApp

from jobctl.config import Home
from jobctl.http.app import make_app
from jobctl.http.server import Server
from jobctl.process import moment
from tests.wait import wait_until

#: Seconds that a request may take on a busy machine.
PATIENCE_S = 60.0


@contextmanager
def serving(home: Home, *, tcp: bool = False, now: Callable[[], int] = moment.now) -> Iterator[httpx.Client]:
    """Serve a store for the block; yields a client whose addresses are paths: ``client.get("/v1/jobs")``."""
    server = Server(home, now=now)
    with serving_app(make_app(server), tcp=tcp, ending=server.end_waits) as client:
        yield client


@contextmanager
def serving_app(
    app: ASGIApp, *, tcp: bool = False, at: Path | None = None, ending: Callable[[], None] = lambda: None
) -> Iterator[httpx.Client]:
    """``serving`` for an application. ``at`` is where its Unix socket is, for those who speak to it themselves.

    ``ending`` is called in the loop before the server waits for its requests. Without ``at`` the socket is in a short
    folder of its own, because its path may have about a hundred characters.
    """
    with tempfile.TemporaryDirectory(prefix="jobctl-") as place:
        listener = _tcp() if tcp else _unix(at or Path(place) / "socket")
        server = _Server(uvicorn.Config(app, log_level="warning", http="h11"), ending)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        try:
            wait_until(lambda: server.started or not thread.is_alive(), what="the start of the server")
            with _client(listener) as client:
                yield client
        finally:
            server.should_exit = True
            thread.join(PATIENCE_S)
            listener.close()


class _Server(uvicorn.Server):
    """A server that ends requests which wait for something before it waits for them."""

    def __init__(self, config: uvicorn.Config, ending: Callable[[], None]) -> None:
        super().__init__(config)
        self._ending = ending

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._ending()
        await super().shutdown(sockets)


def _unix(path: Path) -> socket.socket:
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    listener.listen()
    return listener


def _tcp() -> socket.socket:
    listener = socket.socket(socket.AF_INET)
    listener.bind(("127.0.0.1", 0))
    listener.listen()
    return listener


def _client(listener: socket.socket) -> httpx.Client:
    where = listener.getsockname()
    if isinstance(where, str):
        return httpx.Client(
            transport=httpx.HTTPTransport(uds=where), base_url="http://jobctl", timeout=PATIENCE_S, trust_env=False
        )
    return httpx.Client(base_url=f"http://{where[0]}:{where[1]}", timeout=PATIENCE_S, trust_env=False)
