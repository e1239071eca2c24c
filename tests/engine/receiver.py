"""A web server on loopback that answers as it is told, by path, and remembers what it got."""

from __future__ import annotations

import contextlib
import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import NamedTuple


class Got(NamedTuple):
    """A request as it came."""

    path: str
    headers: dict[str, str]
    body: bytes


class Receiver:
    """Serves until it is closed; ``/503`` answers 503, and there are paths for every bad habit of servers."""

    def __init__(self, certificate: Path | None = None) -> None:
        """With a certificate (and its key, in one file) it speaks TLS."""
        self.requests: list[Got] = []
        self.gone = threading.Event()
        self.arrived = threading.Semaphore(0)
        receiver = self

        class Handler(_Handler):
            owner = receiver

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._scheme = "http"
        if certificate is not None:
            self._scheme = "https"
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            # The handshake happens in the thread of its connection, not where the next one is awaited.
            self._server.socket = context.wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def url(self, path: str) -> str:
        """The address of a path."""
        return f"{self._scheme}://127.0.0.1:{self.port}{path}"

    def close(self) -> None:
        """End, and release the requests that were kept waiting."""
        self.gone.set()
        self._server.shutdown()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    owner: Receiver

    def handle(self) -> None:
        """A client that hangs up in the middle is nothing to report."""
        with contextlib.suppress(OSError):
            super().handle()

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.owner.requests.append(Got(self.path, dict(self.headers), body))
        self.owner.arrived.release()
        word = self.path.strip("/").partition("?")[0]
        if word.isdigit():
            self._answer(int(word))
        else:
            getattr(self, f"_{word}")()

    def _answer(self, status: int, body: bytes = b"thanks", **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _busy(self) -> None:
        self._answer(503, Retry_After="120")

    def _redirect(self) -> None:
        self._answer(302, Location=self.owner.url("/200"))

    def _rude(self) -> None:
        self._answer(400, b"\x1b]0;owned\x07" + b"no " * 1_000)

    def _hang(self) -> None:
        self.owner.gone.wait(60)
        self.close_connection = True

    def _drop(self) -> None:
        self.close_connection = True

    def _garbage(self) -> None:
        self.wfile.write(b"SSH-2.0-OpenSSH_9.2\r\n")
        self.close_connection = True

    def _cut(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "1000")
        self.end_headers()
        self.wfile.write(b"the beginning")
        self.close_connection = True

    def _trickle(self) -> None:
        """Never stops sending headers, one byte at a time: no single read takes long."""
        self.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
        while not self.owner.gone.wait(0.02):
            try:
                self.wfile.write(b"x")
            except OSError:
                return

    def _dribble(self) -> None:
        """An answer whose body never ends."""
        self.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while not self.owner.gone.wait(0.02):
            try:
                self.wfile.write(b"x")
            except OSError:
                return

    def log_message(self, *_: object) -> None:
        """Quiet."""
