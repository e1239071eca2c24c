"""Listening sockets: a private one at a path, those of the network, and those that a service manager passes on."""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import stat
import struct
from collections.abc import MutableMapping
from typing import NamedTuple

#: The first descriptor that a service manager passes on.
_FIRST_PASSED = 3
_MOST_PASSED = 64
_BACKLOG = 1024
#: The longest path of a Unix socket in bytes; the kernel allows 107, and a new one has a suffix until it is ready.
LONGEST_PATH = 100
_NEW = ".new"
_CREDENTIALS = struct.Struct("3i")  # pid, uid, gid


class InUseError(Exception):
    """Another program listens at a path or an address; ``pid`` is 0 if the system does not tell which."""

    def __init__(self, pid: int = 0) -> None:
        super().__init__(f"in use by process {pid}")
        self.pid = pid


class Peer(NamedTuple):
    """The process at the other end of a Unix socket, as the kernel knows it."""

    pid: int
    uid: int


def unix_listener(path: str) -> socket.socket:
    """Listen at a path that only this user can open (0600), in place of a socket whose program is gone.

    The socket gets its path only when it is ready, in one step, so nobody finds it with other rights, and nothing that
    is planted there is followed. Raises InUseError if a program listens there, OSError for anything else in its place
    and for a folder that others may write to.
    """
    _check_folder(os.path.dirname(path) or ".")
    _check_place(path)
    new = path + _NEW
    with contextlib.suppress(FileNotFoundError):
        os.unlink(new)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        if os.path.lexists("/proc"):
            os.fchmod(listener.fileno(), 0o600)  # Linux makes the file with the rights of the socket
        listener.bind(new)
        os.chmod(new, 0o600)
        listener.listen(_BACKLOG)
        os.rename(new, path)
    except BaseException:
        listener.close()
        with contextlib.suppress(OSError):
            os.unlink(new)
        raise
    listener.setblocking(False)
    return listener


def _check_folder(folder: str) -> None:
    """Refuse a folder in which another user could put something else in place of the socket."""
    found = os.stat(folder)
    is_shared = found.st_mode & 0o022 and not found.st_mode & stat.S_ISVTX
    if found.st_uid not in (0, os.geteuid()) or is_shared:
        raise PermissionError(errno.EPERM, "other users may write to its folder")


def _check_place(path: str) -> None:
    try:
        found = os.lstat(path)
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(found.st_mode) or found.st_uid != os.geteuid():
        raise OSError(errno.EEXIST, "something that is not a socket of this user is in its place")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.setblocking(False)
        try:
            probe.connect(path)
        except (ConnectionRefusedError, FileNotFoundError):
            return  # its program is gone
        except BlockingIOError:
            raise InUseError from None
        peer = peer_of(probe)
    raise InUseError(0 if peer is None else peer.pid)


def remove(path: str, known: os.stat_result) -> None:
    """Remove the file of a socket, unless another one is in its place by now."""
    with contextlib.suppress(OSError):
        if os.path.samestat(os.lstat(path), known):
            os.unlink(path)


def peer_of(connection: socket.socket) -> Peer | None:
    """The process at the other end of a Unix socket; None where the system does not tell."""
    option = getattr(socket, "SO_PEERCRED", None)
    if option is None:
        return None
    pid, uid, _ = _CREDENTIALS.unpack(connection.getsockopt(socket.SOL_SOCKET, option, _CREDENTIALS.size))
    return Peer(pid, uid)


def tcp_listener(host: str, port: int) -> socket.socket:
    """Listen at a numeric address. Raises InUseError if it is in use, OSError if this machine does not have it."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # connections that ended keep the port busy
        # Connections inherit it. asyncio sets it only where the protocol number is given; without it, an answer of two
        # packets waits 40 ms for the acknowledgement of the first one.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if family == socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        listener.bind((host, port))
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            raise InUseError from error
        raise
    listener.setblocking(False)
    return listener


def numeric(host: str) -> list[str]:
    """The addresses of a host name, each once; a numeric address is itself. Raises OSError for an unknown name."""
    found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


def passed_listeners(environ: MutableMapping[str, str]) -> list[socket.socket]:
    """The listening sockets that a service manager has opened for this process (LISTEN_FDS); none without one.

    Its variables are removed from the environment, because they mean nothing to child processes.
    """
    pid, count = environ.pop("LISTEN_PID", ""), environ.pop("LISTEN_FDS", "")
    environ.pop("LISTEN_FDNAMES", None)
    if pid != str(os.getpid()) or not count.isdecimal() or not 0 < int(count) <= _MOST_PASSED:
        return []
    return [_passed(descriptor) for descriptor in range(_FIRST_PASSED, _FIRST_PASSED + int(count))]


def _passed(descriptor: int) -> socket.socket:
    os.set_inheritable(descriptor, False)
    listener = socket.socket(fileno=descriptor)
    if listener.type != socket.SOCK_STREAM or not listener.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
        raise OSError(errno.EINVAL, "the service manager has passed on something that is not a listening socket")
    listener.setblocking(False)
    return listener
