"""A queue is named by hand, so a name that there is not yet may be a typing error: it is asked for, or refused."""

from __future__ import annotations

import sys

from jobctl.cli.session import Session
from jobctl.domain.nearest import nearest
from jobctl.domain.texts import MAX_NAME, check_printable
from jobctl.errors import UsageError
from jobctl.services.control.queues import known_queues


def allow_new_queue(shared: Session, name: str, *, may_ask: bool) -> None:
    """Ask on a terminal whether a queue that there is not is to be made. Raises UsageError where it is not."""
    check_printable("--queue", name, MAX_NAME)
    known = known_queues(shared.home)
    if name in known:
        return
    near = nearest(name, known)
    if may_ask and not shared.json and sys.stdin.isatty() and sys.stderr.isatty():
        from jobctl.render.inert import inert

        guess = f" (did you mean {inert(near)}?)" if near else ""
        sys.stderr.write(f"there is no queue {inert(name)!r}{guess}; make it? [y/N] ")
        sys.stderr.flush()
        if sys.stdin.readline().strip().lower() in ("y", "yes"):
            return
        raise UsageError(f"there is no queue {name!r}, and nothing was accepted", hint=_hint(near))
    raise UsageError(f"there is no queue {name!r}", hint=_hint(near))


def _hint(near: str | None) -> str:
    meant_one = f"did you mean {near}? " if near else ""
    return f"{meant_one}--new-queue makes it; jobctl queue list shows all queues"
