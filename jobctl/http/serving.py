"""Runs the server: two doors of uvicorn in one loop, the Unix socket without TLS and the addresses with it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import resource
import signal
import socket
import ssl
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import TYPE_CHECKING, Any

import uvicorn

from jobctl.config import Home
from jobctl.errors import Exit, UsageError
from jobctl.http.access_log import AccessLog
from jobctl.http.app import make_app
from jobctl.http.doors import Doors
from jobctl.http.protocol import MAX_HEADER, protocol_of
from jobctl.http.routes.sessions import new_link
from jobctl.http.server import Server
from jobctl.process import lock, moment
from jobctl.services.serve.options import ServeLimits, ServeOptions
from jobctl.services.serve.sockets import Sockets, listening_at, server_lock
from jobctl.store.opening.open import open_database
from jobctl.supervisor.service_manager import ServiceManager

if TYPE_CHECKING:
    from collections.abc import MutableMapping

    from jobctl.domain.documents.tokens import ServeDocument

#: Seconds that running requests have to finish when the server stops; an upload is the longest of them.
STOP_S = 20
_SIGNALS = (signal.SIGTERM, signal.SIGINT)
#: Descriptors for everything but connections.
_OTHER_FILES = 200
_LAST_TICK_S = 1.0


class Door(uvicorn.Server):
    """A server of uvicorn that leaves signals to us, and that waits for its end instead of looking every 0.1 s."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._end = asyncio.Event()
        self.is_open = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to accept connections."""
        await super().startup(sockets)
        self.is_open.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals alone."""
        yield

    async def main_loop(self) -> None:
        """Work until ``stop``; the date in answers changes every second."""
        while not await self.on_tick(0):
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_LAST_TICK_S):
                    await self._end.wait()

    def stop(self) -> None:
        """Accept no further connection, finish the running requests, and end; the second time, end at once."""
        self.force_exit = self.should_exit
        self.should_exit = True
        self._end.set()


def serve(
    home: Home,
    options: ServeOptions,
    environ: MutableMapping[str, str],
    ready: Callable[[ServeDocument], None],
    *,
    program: str = "jobctl",
    verbose: bool = False,
) -> int:
    """Serve a store until SIGTERM or Ctrl-C; returns the exit code.

    ``ready`` is called with ``jobctl.serve/1`` when requests are accepted. ``verbose`` writes a line for each request
    to standard error. Raises Busy for a second server and for an address in use, UsageError, HomeError.
    """
    context = None if options.tls is None else _tls(options.tls)
    manager = ServiceManager(environ)
    with closing(open_database(home, create=True)):
        pass
    _raise_file_limit(options.limits)
    _log_errors()
    with server_lock(home), listening_at(options, environ) as sockets:
        doors = Doors(home, options.limits, options.hosts, sockets.urls(options.scheme))
        server = Server(home, program=program, now=moment.now, doors=doors)
        running = _Running(server, sockets, options.limits, context, AccessLog() if verbose else None)
        asyncio.run(running.until_signal(manager, ready))
    return Exit.OK


class _Running:
    """A server at work."""

    def __init__(
        self,
        server: Server,
        sockets: Sockets,
        limits: ServeLimits,
        context: ssl.SSLContext | None,
        log: AccessLog | None,
    ) -> None:
        self._server = server
        self._sockets = sockets
        self._app = make_app(server, log)
        self._config = {
            "lifespan": "off",
            "http": protocol_of(limits.client_timeout_s, limits.max_connections),
            "ws": "none",
            "log_config": None,
            "access_log": False,
            "proxy_headers": False,
            "server_header": False,
            "h11_max_incomplete_event_size": MAX_HEADER,
            "timeout_keep_alive": max(1, int(limits.client_timeout_s)),
            "timeout_graceful_shutdown": STOP_S,
        }
        self._context = context

    async def until_signal(self, manager: ServiceManager, ready: Callable[[ServeDocument], None]) -> None:
        """Serve until a signal arrives."""
        doors = [Door(self._uvicorn(None))]
        work = [doors[0].serve(self._sockets.unix)]
        if self._sockets.tcp:
            doors.append(Door(self._uvicorn(self._context)))
            work.append(doors[1].serve(self._sockets.tcp))
        stop = _Stop(self._server, doors, manager)
        loop = asyncio.get_running_loop()
        for number in _SIGNALS:
            loop.add_signal_handler(number, stop)
        async with self._app.router.lifespan_context(self._app):
            tasks = [asyncio.ensure_future(each) for each in work]
            for door in doors:
                await door.is_open.wait()
            manager.tell("READY=1")
            ready(self._document())
            await asyncio.gather(*tasks)

    def _uvicorn(self, context: ssl.SSLContext | None) -> uvicorn.Config:
        options: dict[str, Any] = dict(self._config)
        if context is not None:
            options["ssl_context_factory"] = lambda _config, _default: context
        return uvicorn.Config(self._app, **options)

    def _document(self) -> ServeDocument:
        link = new_link(self._server)
        return {
            "schema": "jobctl.serve/1",
            "pid": os.getpid(),
            "socket": self._sockets.path,
            "urls": list(self._server.doors.urls),
            "link": None if link is None else link["url"],
            "link_expires_at": None if link is None else link["expires_at"],
            "daemon": lock.holder(str(self._server.home.lock)) is not None,
        }


class _Stop:
    """Handles a signal: the first one stops in an orderly way, the second one at once."""

    def __init__(self, server: Server, doors: list[Door], manager: ServiceManager) -> None:
        self._server = server
        self._doors = doors
        self._manager = manager

    def __call__(self) -> None:
        self._manager.tell("STOPPING=1")
        self._server.end_waits()
        for door in self._doors:
            door.stop()


def _tls(files: tuple[str, str]) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(*files)
    except (OSError, ssl.SSLError) as error:
        raise UsageError(
            f"--tls-cert and --tls-key: {getattr(error, 'reason', None) or error}",
            hint="give a certificate chain and its private key in the form PEM, without a password",
        ) from None
    return context


def _raise_file_limit(limits: ServeLimits) -> None:
    """Let this process have a descriptor for each connection, as far as the system allows."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = limits.max_connections + _OTHER_FILES
    if hard != resource.RLIM_INFINITY:
        wanted = min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _log_errors() -> None:
    """Write what uvicorn reports about faults of ours to standard error, and nothing about mistakes of clients."""
    logger = logging.getLogger("uvicorn")
    logger.setLevel(logging.ERROR)
    logger.propagate = False
    if not logger.handlers:
        logger.addHandler(logging.StreamHandler(sys.stderr))
