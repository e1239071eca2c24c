"""A supervisor that works for the process that started it, and for nobody after it: the guard of a cluster worker."""

from __future__ import annotations

import os
import socket
import subprocess
import uuid
from dataclasses import dataclass

from jobctl.process.daemon import part_word, python_argv


@dataclass(frozen=True, slots=True)
class GuestSupervisor:
    """The other end of the socket pair, and what names the items of this one alone."""

    end: socket.socket
    store_id: str
    process: subprocess.Popen[bytes]


def start_guest(store_id: str = "", part: tuple[int, int] = (0, 1)) -> GuestSupervisor:
    """Start one in a session of its own. When ``end`` closes, however that comes, it kills all items and leaves.

    ``store_id`` names its items, by default those of this guest alone; ``part`` is its number of how many that share
    the slots and folders of jobs. Raises OSError when the machine has no room.
    """
    ours, theirs = socket.socketpair()
    store_id = store_id or f"guest-{uuid.uuid4().hex}"
    fd = theirs.fileno()
    try:
        process = subprocess.Popen(
            python_argv("jobctl.supervisor.main", f"guest={fd}", f"store={store_id}", part_word(*part)),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            cwd="/",
            env={name: value for name, value in os.environ.items() if name != "NOTIFY_SOCKET"},
            start_new_session=True,
            pass_fds=(fd,),
        )
    except OSError:
        ours.close()
        raise
    finally:
        theirs.close()
    return GuestSupervisor(ours, store_id, process)
