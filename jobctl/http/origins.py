"""Checks where a request comes from: its Host, and for changes the page that sends it.

A page of another site can make a browser send requests to this machine, also under a name that it lets point to it
(DNS rebinding). It can change neither Host nor Origin.
"""

from __future__ import annotations

from collections.abc import Collection
from urllib.parse import urlsplit

from starlette.datastructures import Headers

from jobctl.domain.addresses import host_of
from jobctl.http.problems import Refused

#: Methods that change nothing.
SAFE = ("GET", "HEAD", "OPTIONS")
_OWN = ("same-origin", "none")


def check_host(headers: Headers, known: Collection[str], local: str | None) -> None:
    """Raise Refused unless ``Host`` is one of the names of the server, or the address at which the request came."""
    given = headers.getlist("host")
    if len(given) != 1:
        raise Refused(400, "a request has one Host", code="wrong_host")
    host = host_of(given[0])
    if host is None:
        raise Refused(400, "the Host of the request is malformed", code="wrong_host")
    if host not in known and host != local:
        raise Refused(
            421, f"this server is not {host}", code="wrong_host", hint=f"if it is: jobctl serve --host {host}"
        )


def check_origin(headers: Headers, method: str, *, by_cookie: bool) -> None:
    """Raise Refused (403) for a request that a page of another origin sends.

    Requests without a cookie that change nothing need no check: another page cannot read the answer. A request with a
    cookie that changes something must say where it comes from.
    """
    if method in SAFE and not by_cookie:
        return
    site, origin = headers.get("sec-fetch-site"), headers.get("origin")
    is_foreign = (site is not None and site not in _OWN) or (origin is not None and not _is_own(headers, origin))
    if is_foreign or (by_cookie and method not in SAFE and site is None and origin is None):
        raise Refused(403, "the request comes from a page of another origin", code="wrong_origin")


def _is_own(headers: Headers, origin: str) -> bool:
    """Return whether a page of this origin was loaded from where the request goes."""
    try:
        found = urlsplit(origin)
    except ValueError:
        return False
    return found.scheme in ("http", "https") and found.netloc.lower() == headers.get("host", "").lower()
