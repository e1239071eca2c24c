"""``jobctl serve link``: asks the running server for a link that signs a browser in once."""

from __future__ import annotations

import http.client
import json
import socket
from typing import TYPE_CHECKING, Any, cast

from jobctl.config import Home
from jobctl.errors import Busy, JobctlError, UsageError
from jobctl.store.opening.folder import check_home

if TYPE_CHECKING:
    from jobctl.domain.documents.tokens import LinkDocument

_TIMEOUT_S = 30.0
#: The longest answer that is read.
_LONGEST = 1 << 16


class _Connection(http.client.HTTPConnection):
    """A connection through a Unix socket."""

    def __init__(self, path: str) -> None:
        super().__init__("jobctl", timeout=_TIMEOUT_S)
        self._path = path

    def connect(self) -> None:
        """Open it."""
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(_TIMEOUT_S)
        self.sock.connect(self._path)


def new_link(home: Home, path: str) -> LinkDocument:
    """Return ``jobctl.serve_link/1`` from the server of a store, which listens at a Unix socket.

    Raises Busy if no server listens there, UsageError if it has no address for browsers, HomeError for the store of
    another user, NotFound without a store.
    """
    check_home(home)
    connection = _Connection(path)
    try:
        connection.request("POST", "/v1/links")
        response = connection.getresponse()
        status, answer = response.status, _read(response.read(_LONGEST))
    except (OSError, http.client.HTTPException) as error:
        raise Busy(f"no server answers at {path}", hint="start it with: jobctl serve") from error
    finally:
        connection.close()
    if status == 409:
        raise UsageError(str(answer.get("detail")), hint="start it without --no-tcp")
    if status != 201:
        raise JobctlError(f"the server at {path} answers with status {status}", hint="see its standard error")
    return cast("LinkDocument", answer)


def _read(text: bytes) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
