"""How long ago the machine at the other end of a connection was last heard of.

A connection to a machine that cannot be reached any more looks open until its keep-alive gives up, on both ends about
at the same time. What runs on a worker must have ended by then, for it may begin elsewhere at once. So the lease counts
from the last packet that was acknowledged, which is the kernel's doing: a scheduler that is busy or stopped for a while
ends nothing.
"""

from __future__ import annotations

import socket
import sys

#: Offset of ``tcpi_last_ack_recv``, milliseconds, in Linux's ``struct tcp_info``.
_LAST_ACK_AT = 56
_LENGTH = 60


def silence_s(connection: socket.socket) -> float:
    """Seconds since the peer's last acknowledgement; 0 where the system or the kind of socket does not tell."""
    if sys.platform != "linux":
        return 0.0
    try:
        info = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _LENGTH)
    except OSError:
        return 0.0
    return int.from_bytes(info[_LAST_ACK_AT:_LENGTH], sys.byteorder) / 1000
