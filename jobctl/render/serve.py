"""The lines with which a server says that it is ready."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from jobctl.domain.blocker_kinds import DAEMON_DOWN

if TYPE_CHECKING:
    from jobctl.domain.documents.tokens import ServeDocument


def serve_lines(document: ServeDocument, program: str, *, on_terminal: bool) -> Iterator[str]:
    """Say where a server listens, and what is missing. The link is a secret, so only a terminal shows it."""
    if document["socket"] is not None:
        yield f"listening at {document['socket']}, for this user"
    for url in document["urls"]:
        yield f"listening at {url}, for requests with a token"
    if document["urls"]:
        yield f"  a token for a program: {program} serve token add NAME --scope submit"
    if document["link"] is not None and on_terminal:
        yield f"  in a browser, once and within 10 minutes:\n  {document['link']}"
    elif document["link"] is not None:
        yield f"  for a browser: {program} serve link"
    if not document["daemon"]:
        yield f"{DAEMON_DOWN.sentence}: jobs are accepted and wait\n  start it with: {program} daemon start"
