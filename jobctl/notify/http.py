"""One POST with one deadline for all of it: connecting, TLS, sending, and every byte of the response.

It uses the standard library, because a webhook does not need the pools, redirects and retries of an HTTP client. It
needs a limit for the whole exchange, which HTTP clients do not offer: their limits are for each read.
"""

from __future__ import annotations

import contextlib
import http.client
import io
import socket
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from jobctl.domain.notify import EXCERPT_BYTES
from jobctl.domain.webhook import Address, is_loopback

#: The longest time for the body of a response, which only helps a person: the status decides.
_BODY_TIMEOUT_S = 2.0


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """The response of a server."""

    status: int
    retry_after: str | None
    body: bytes  # the beginning of it
    cut_short: bool


class DeliveryError(Exception):
    """There is no response; the text says why."""


def post(
    address: Address, headers: Mapping[str, str], body: bytes, timeout_s: float, *, loopback_only: bool = False
) -> HttpResponse:
    """Send a request and read the response; a redirect is a response like any other.

    ``loopback_only`` refuses a peer that is not this machine, whatever its name is. Raises DeliveryError.
    """
    deadline = time.monotonic() + timeout_s
    try:
        sock = _connect(address, deadline)
    except (OSError, UnicodeError) as error:
        raise DeliveryError(_connect_error(error, address, timeout_s)) from error
    try:
        if loopback_only and not is_loopback(str(sock.getpeername()[0])):
            raise DeliveryError(f"{address.host} is not this machine: plain http is refused")
        return _exchange(address, _TimedSocket(sock, deadline), headers, body)
    except (OSError, http.client.HTTPException) as error:
        raise DeliveryError(_exchange_error(error, timeout_s)) from error
    finally:
        sock.close()


def _connect(address: Address, deadline: float) -> socket.socket:
    """Connect to the first address that accepts. Each gets a share of the time, so that none uses up all of it."""
    found = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)
    problem: OSError = TimeoutError()
    for number, (family, kind, protocol, _, peer) in enumerate(found):
        share = _left(deadline) / (len(found) - number)
        try:
            return _open(address, socket.socket(family, kind, protocol), peer, share)
        except OSError as error:
            problem = error
    raise problem


def _open(address: Address, sock: socket.socket, peer: Any, timeout_s: float) -> socket.socket:
    deadline = time.monotonic() + timeout_s
    try:
        sock.settimeout(timeout_s)
        sock.connect(peer)
        if not address.secure:
            return sock
        sock.settimeout(_left(deadline))
        return ssl.create_default_context().wrap_socket(sock, server_hostname=address.host)
    except BaseException:
        sock.close()
        raise


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


class _TimedSocket(io.RawIOBase):
    """A socket for http.client. Each step gets the time that is left."""

    def __init__(self, sock: socket.socket, deadline: float) -> None:
        super().__init__()
        self._sock = sock
        self.deadline = deadline

    def sendall(self, data: Any) -> None:
        unsent = memoryview(data)
        while unsent:
            self._sock.settimeout(_left(self.deadline))
            unsent = unsent[self._sock.send(unsent) :]

    def makefile(self, *_args: Any, **_options: Any) -> io.BufferedReader:
        return io.BufferedReader(self)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._sock.settimeout(_left(self.deadline))
        return self._sock.recv_into(buffer)

    def close(self) -> None:
        """Do nothing: http.client closes its socket before the response is read, and ``post`` closes it afterwards."""


def _exchange(address: Address, timed: _TimedSocket, headers: Mapping[str, str], body: bytes) -> HttpResponse:
    connection = http.client.HTTPConnection(address.host, address.port)
    connection.sock = timed
    connection.auto_open = 0
    all_headers = {"Host": address.host_header, "Connection": "close", "Accept-Encoding": "identity", **headers}
    # A server may respond and close the connection before it has read everything: the response is still valid.
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        connection.request("POST", address.path, body, all_headers)
    response = http.client.HTTPResponse(timed, method="POST")  # type: ignore[arg-type]
    response.begin()
    retry_after = response.getheader("Retry-After")
    timed.deadline = min(timed.deadline, time.monotonic() + _BODY_TIMEOUT_S)
    excerpt, cut_short = _excerpt(response)
    return HttpResponse(response.status, retry_after, excerpt, cut_short)


def _excerpt(response: http.client.HTTPResponse) -> tuple[bytes, bool]:
    """The first bytes of the body, and True if it ended too early."""
    data = b""
    try:
        while len(data) < EXCERPT_BYTES:
            part = response.read1(EXCERPT_BYTES - len(data))
            if not part:
                return data, bool(response.length)
            data += part
    except (OSError, http.client.HTTPException):
        return data, True
    return data, False


def _connect_error(error: OSError | UnicodeError, address: Address, timeout_s: float) -> str:
    where = f"{address.host}:{address.port}"
    if isinstance(error, UnicodeError):
        return f"cannot resolve {address.host}: that is not a host name"
    if isinstance(error, socket.gaierror):
        return f"cannot resolve {address.host}: {error.strerror}"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the certificate of {where} is not accepted: {error.verify_message}"
    if isinstance(error, ssl.SSLError):
        return f"no TLS with {where}: {error.reason or error.strerror or error}"
    if isinstance(error, TimeoutError):
        return f"no connection to {where} within {timeout_s:g} s"
    return f"no connection to {where}: {error.strerror or error}"


def _exchange_error(error: Exception, timeout_s: float) -> str:
    if isinstance(error, TimeoutError):
        return f"no answer within {timeout_s:g} s"
    if isinstance(error, http.client.RemoteDisconnected | ConnectionResetError | BrokenPipeError):
        return "the connection was closed before an answer"
    if isinstance(error, http.client.HTTPException):
        return f"the answer is not HTTP ({type(error).__name__})"
    return f"the connection broke: {getattr(error, 'strerror', None) or error}"
