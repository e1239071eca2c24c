"""Facts about the process of a command that jobctl stores: its user, for the journal; its umask, for the items."""

from __future__ import annotations

import os
import pwd
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_acting_as: ContextVar[str] = ContextVar("acting_as", default="")


@contextmanager
def acting_as(name: str) -> Iterator[None]:
    """What happens inside is written down as the doing of this name, for example of ``token ci``.

    It counts for the current context: other threads and tasks keep their own actor. A thread that gets a copy of the
    context, as those of asyncio and anyio do, has the name as well.
    """
    before = _acting_as.set(name)
    try:
        yield
    finally:
        _acting_as.reset(before)


def actor() -> str:
    """The name of ``acting_as``, else the user and process that run this command."""
    named = _acting_as.get()
    if named:
        return named
    return f"{user()} (pid {os.getpid()})"


def user() -> str:
    """The name of the user of this process."""
    uid = os.geteuid()
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:  # a container with a number only
        return f"uid {uid}"


def umask() -> int:
    """The umask of this process. It is read without being changed, which another thread would notice."""
    with open("/proc/self/status", "rb") as file:
        for line in file:
            if line.startswith(b"Umask:"):
                return int(line.split()[1], 8)
    mask = os.umask(0o077)  # Linux before 4.7
    os.umask(mask)
    return mask
