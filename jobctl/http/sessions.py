"""Links that open a browser once, and the sessions of browsers. They live in the memory of the server alone."""

from __future__ import annotations

import hashlib
import secrets
import time
from collections.abc import Callable
from typing import NamedTuple

#: Seconds for which a link can be used, and for which a browser stays signed in.
LINK_S = 600.0
SESSION_S = 12 * 3600.0
_MOST_LINKS = 100
_MOST_SESSIONS = 100
_BYTES = 32
#: The longest text that is looked at as a key.
_LONGEST = 100


class Session(NamedTuple):
    """A browser that is signed in."""

    id: bytes  # a digest of its key
    ends_at: float  # monotonic seconds


class Sessions:
    """The links and sessions of one server. Their keys are random and kept as digests."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._links: dict[bytes, float] = {}
        self._sessions: dict[bytes, float] = {}

    def new_link(self) -> str:
        """Return the key of a new link, which is valid once and for ``LINK_S`` seconds."""
        self._forget()
        return _add(self._links, self._clock() + LINK_S, _MOST_LINKS)

    def open(self, link: str) -> str | None:
        """Use up a link; returns the key of a new session, None for a link that is unknown, used or too old."""
        self._forget()
        ends_at = self._links.pop(_digest(link), 0.0)
        return _add(self._sessions, self._clock() + SESSION_S, _MOST_SESSIONS) if ends_at else None

    def find(self, key: str) -> Session | None:
        """The session of a key; None for one that is unknown or over."""
        digest = _digest(key)
        ends_at = self._sessions.get(digest, 0.0)
        return Session(digest, ends_at) if ends_at > self._clock() else None

    def is_valid(self, session: Session) -> bool:
        """Return whether a session is neither over nor closed."""
        return self._sessions.get(session.id, 0.0) > self._clock()

    def close(self, session: Session) -> None:
        """Sign a browser out."""
        self._sessions.pop(session.id, None)

    def _forget(self) -> None:
        now = self._clock()
        for kept in (self._links, self._sessions):
            for digest in [digest for digest, ends_at in kept.items() if ends_at <= now]:
                del kept[digest]


def _add(kept: dict[bytes, float], ends_at: float, most: int) -> str:
    """Keep a new key; the oldest goes when there are too many."""
    while len(kept) >= most:
        del kept[next(iter(kept))]
    key = secrets.token_urlsafe(_BYTES)
    kept[_digest(key)] = ends_at
    return key


def _digest(key: str) -> bytes:
    return hashlib.sha256(key[:_LONGEST].encode("utf-8", "replace")).digest()
