"""The sockets of a server: those that a service manager passes on, or those that its options name."""

from __future__ import annotations

import contextlib
import errno
import os
import socket
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from jobctl.config import Home
from jobctl.domain.addresses import Address, is_loopback
from jobctl.errors import Busy, HomeError, UsageError
from jobctl.process import listening, number_locks
from jobctl.services.serve.options import ServeOptions

#: The number of the lock file that the server of a store has.
_SERVER = 1


@dataclass(slots=True)
class Sockets:
    """The listening sockets of a server."""

    unix: list[socket.socket] = field(default_factory=list)
    tcp: list[socket.socket] = field(default_factory=list)
    path: str | None = None  # of the Unix socket

    def urls(self, scheme: str) -> tuple[str, ...]:
        """The addresses at which it can be reached over TCP."""
        return tuple(f"{scheme}://{Address(*_reachable(each))}" for each in self.tcp)

    def close(self) -> None:
        """Close all of them."""
        for each in (*self.unix, *self.tcp):
            each.close()


def _reachable(listener: socket.socket) -> tuple[str, int]:
    """An address that a browser on this machine can open."""
    host, port = listener.getsockname()[:2]
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host), port  # noqa: S104


@contextmanager
def server_lock(home: Home) -> Iterator[None]:
    """Be the server of a store for the block. Raises Busy with the process id of the one that is; HomeError."""
    path = str(home.serve_lock)
    try:
        file = number_locks.take(path, _SERVER)
    except OSError as error:
        pid = _holder(path)
        if pid is None:
            raise HomeError(f"{path}: {error.strerror}", hint="see what it is and move it away") from error
        raise Busy(
            f"the store has a server already (process {pid})",
            hint="a link for a browser: jobctl serve link; to stop the server: kill "
            f"{pid}; for another store: jobctl --home DIR serve",
        ) from None
    try:
        yield
    finally:
        number_locks.release(file, _SERVER)


def _holder(path: str) -> int | None:
    try:
        return number_locks.writer(path, _SERVER)
    except OSError:
        return None


@contextmanager
def listening_at(options: ServeOptions, environ: MutableMapping[str, str]) -> Iterator[Sockets]:
    """Listen for the block. Sockets of a service manager count in place of those that the options name.

    Raises Busy if another program listens there, HomeError, UsageError.
    """
    passed = _passed(environ)
    if passed.unix or passed.tcp:
        _check_passed(passed, options)
        with contextlib.closing(passed):
            yield passed
        return
    sockets = Sockets(path=options.socket)
    with contextlib.closing(sockets):
        sockets.unix.append(_unix(options.socket))
        known = os.lstat(options.socket)
        try:
            for address in options.addresses:
                sockets.tcp.append(_tcp(address))
            yield sockets
        finally:
            listening.remove(options.socket, known)


def _passed(environ: MutableMapping[str, str]) -> Sockets:
    sockets = Sockets()
    try:
        found = listening.passed_listeners(environ)
    except OSError as error:
        raise UsageError(f"LISTEN_FDS: {error.strerror}", hint="see ListenStream= in systemd.socket(5)") from error
    for each in found:
        if each.family == socket.AF_UNIX:
            sockets.unix.append(each)
            sockets.path = sockets.path or os.fsdecode(each.getsockname())
        else:
            sockets.tcp.append(each)
    return sockets


def _check_passed(sockets: Sockets, options: ServeOptions) -> None:
    """Hold the rule about TLS for addresses that a service manager has opened as well."""
    for each in sockets.tcp:
        host = str(each.getsockname()[0])
        if options.tls is None and not options.insecure and not is_loopback(host):
            raise UsageError(
                f"the service manager listens at {host}, which other machines reach, without TLS",
                hint="give jobctl serve --tls-cert FILE --tls-key FILE, or --insecure",
            )


def _unix(path: str) -> socket.socket:
    if len(os.fsencode(path)) > listening.LONGEST_PATH:
        raise UsageError(
            f"--socket: the path has more than {listening.LONGEST_PATH} bytes: {path}",
            hint="give a shorter one with --socket PATH",
        )
    try:
        return listening.unix_listener(path)
    except listening.InUseError as taken:
        owner = f" (process {taken.pid})" if taken.pid else ""
        raise Busy(f"another program listens at {path}{owner}", hint="give another path with --socket PATH") from None
    except OSError as error:
        where = "" if error.filename in (None, path) else f" ({error.filename})"
        is_planted = error.errno in (errno.EEXIST, errno.EISDIR)
        move = "see what it is and move it away, or give --socket PATH"
        raise HomeError(
            f"cannot listen at {path}: {error.strerror}{where}",
            hint=move if is_planted else "give a path in a folder that exists and belongs to you: --socket PATH",
        ) from error


def _tcp(address: Address) -> socket.socket:
    try:
        return listening.tcp_listener(*address)
    except listening.InUseError:
        raise Busy(
            f"another program listens at {address}",
            hint=f"give another address: --listen {Address(address.host, 0)} takes any free port; or --no-tcp",
        ) from None
    except OSError as error:
        raise UsageError(
            f"--listen {address}: {error.strerror}", hint="for example 127.0.0.1:8421, or --no-tcp"
        ) from error
