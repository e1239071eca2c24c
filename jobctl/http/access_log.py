"""One line for each request, for ``jobctl serve --verbose``. No query, no header and no body appears in it."""

from __future__ import annotations

import contextlib
import sys
import time
from typing import TextIO

from starlette.types import Scope

from jobctl.http.access import Caller
from jobctl.render.inert import inert

#: The longest path that is written out.
_LONGEST = 200


class AccessLog:
    """Writes to a stream."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stderr

    def note(self, scope: Scope, caller: Caller | None, status: int, size: int, seconds: float) -> None:
        """Write the line of a request that is over; status 0 is one that got no answer."""
        moment = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        who = "-" if caller is None else caller.actor.replace(" ", "_")
        path = inert(str(scope["path"])[:_LONGEST]).replace(" ", "%20")
        line = f"{moment} {who} {scope['method']} {path} {status or '-'} {size} {seconds * 1000:.0f}ms"
        with contextlib.suppress(OSError):  # nobody reads it any more, or its disk is full
            self._stream.write(line + "\n")
            self._stream.flush()
