"""Listening sockets of the server."""

from __future__ import annotations

import socket

from jobctl.process.listening import tcp_listener


def test_an_answer_of_two_packets_does_not_wait_for_an_acknowledgement() -> None:
    with tcp_listener("127.0.0.1", 0) as listener:
        listener.setblocking(True)
        with socket.create_connection(listener.getsockname()), listener.accept()[0] as accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
