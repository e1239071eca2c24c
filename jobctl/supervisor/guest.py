"""A supervisor that works only for the process that started it, such as the guard of a cluster worker."""

from __future__ import annotations

import os
import socket
import subprocess
import uuid
from dataclasses import dataclass

from jobctl.process.start_options import part_word, python_argv


@dataclass(frozen=True, slots=True)
class GuestSupervisor:
    """A guest: the socket to it, the id that marks its items, and its process."""

    end: socket.socket
    store_id: str
    process: subprocess.Popen[bytes]


def start_guest(store_id: str = "", part: tuple[int, int] = (0, 1)) -> GuestSupervisor:
    """Start a guest in a session of its own. When ``end`` closes, for any reason, the guest kills all items and leaves.

    ``store_id`` marks its items; by default no other guest has the same. ``part`` is (number, count) of the supervisors
    that share the slots and folders of jobs. Raises OSError when the machine has no room.
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
