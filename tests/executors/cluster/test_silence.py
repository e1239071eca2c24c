"""When the other end was last heard of."""

from __future__ import annotations

import socket
import sys
import time

import pytest

from jobctl.executors.cluster.silence import silence_s
from tests.wait import wait_until


@pytest.mark.skipif(sys.platform != "linux", reason="Linux tells")
def test_silence_is_counted_from_the_last_acknowledgement() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as here:
        there, _ = server.accept()
        with there:
            began = time.monotonic()
            wait_until(lambda: silence_s(here) >= 0.2, 60, "the end of the output")
            assert silence_s(here) <= time.monotonic() - began + 0.1
            here.send(b"x")
            wait_until(lambda: silence_s(here) < 0.15, 60, "an acknowledgement")


def test_a_socket_that_does_not_tell_is_never_silent() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        assert silence_s(ours) == 0.0
