"""Network addresses as people write them: ``127.0.0.1:8421``, ``[::1]:8421``, ``localhost:8421``."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from jobctl.errors import UsageError

_FORMS = "for example 127.0.0.1:8421, [::1]:8421 or 0.0.0.0:8421"
#: A name or an IPv4 address; an IPv6 address is written in brackets.
_NAME = r"(?!-)[A-Za-z0-9-]{1,63}(?<!-)(?:\.(?!-)[A-Za-z0-9-]{1,63}(?<!-))*\.?"
_ADDRESS = re.compile(rf"(?:({_NAME})|\[([0-9A-Fa-f:.]{{2,45}})\]):([0-9]{{1,5}})", re.ASCII)
_HOST = re.compile(rf"({_NAME})|\[?([0-9A-Fa-f:.]{{2,45}})\]?", re.ASCII)
_MAX_PORT = 65_535
_MAX_NAME = 253


class Address(NamedTuple):
    """A host, without brackets, and a port; 0 is any free port."""

    host: str
    port: int

    def __str__(self) -> str:
        """The address as it was written."""
        return f"{bracketed(self.host)}:{self.port}"


def parse_address(text: str) -> Address:
    """Read ``HOST:PORT``. Raises UsageError for anything else."""
    found = _ADDRESS.fullmatch(text.strip()) if len(text) <= _MAX_NAME + 10 else None
    if found is None or int(found[3]) > _MAX_PORT:
        raise UsageError(f"{text[:_MAX_NAME]!r} is not HOST:PORT", hint=_FORMS)
    return Address((found[1] or found[2]).lower(), int(found[3]))


def parse_host(text: str) -> str:
    """Read the name of a host, as the ``Host`` of a request names it without its port. Raises UsageError."""
    bare = text.strip()
    found = _HOST.fullmatch(bare) if len(bare) <= _MAX_NAME else None
    if found is None:
        raise UsageError(f"{text[:_MAX_NAME]!r} is not the name of a host", hint="for example jobs.example.org")
    return (found[1] or found[2]).lower().rstrip(".")


def bracketed(host: str) -> str:
    """A host as it is written before a port."""
    return f"[{host}]" if ":" in host else host


@lru_cache(maxsize=256)
def host_of(header: str) -> str | None:
    """The host of a ``Host`` or an authority, in small letters and without its port; None for one that is malformed."""
    name, colon, port = header.rpartition(":")
    if not colon or header.endswith("]"):
        name, port = header, ""
    if port and not (port.isascii() and port.isdigit() and int(port[:6]) <= _MAX_PORT):
        return None
    try:
        return parse_host(name)
    except UsageError:
        return None


def is_loopback(host: str) -> bool:
    """Return whether only this machine reaches an address."""
    return host == "localhost" or host.startswith("127.") or host == "::1"
