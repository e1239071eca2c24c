"""Measures the time since the machine at the other end of a connection last answered.

A connection to an unreachable machine looks open until its keep-alive gives up, on both ends at about the same time.
The items of a worker must have ended by then, because they may start elsewhere at once. So the lease counts from the
last packet that the other machine acknowledged. The kernel acknowledges packets: a scheduler that is busy or stopped
for a while does not end the items.
"""

from __future__ import annotations

import socket
import sys

#: Offset of ``tcpi_last_ack_recv``, milliseconds, in Linux's ``struct tcp_info``.
_LAST_ACK_AT = 56
_LENGTH = 60


def silence_s(connection: socket.socket) -> float:
    """Seconds since the other machine's last acknowledgement; 0 where the system or the socket does not tell."""
    if sys.platform != "linux":
        return 0.0
    try:
        info = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _LENGTH)
    except OSError:
        return 0.0
    return int.from_bytes(info[_LAST_ACK_AT:_LENGTH], sys.byteorder) / 1000
