"""Accepts a received upload as a job, by the submission of every other door, or shows what it would be."""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from jobctl.http.access import Caller, check_condition, check_rules
from jobctl.http.intake.receiving import Body, Bounds
from jobctl.http.intake.request_options import COMMAND, Allowed, merged, read_texts, read_values
from jobctl.http.problems import Refused
from jobctl.http.server import Server
from jobctl.process.this_process import acting_as
from jobctl.services.submit.documents import accepted_document, preview_document
from jobctl.services.submit.intake_request import nothing_given, request_of
from jobctl.services.submit.request import SubmitRequest
from jobctl.services.submit.submit import preview, submit
from jobctl.services.submit.submit_place import SubmitPlace
from jobctl.sources.problems import RowsRejected

if TYPE_CHECKING:
    from jobctl.domain.documents.status import StatusDocument
    from jobctl.domain.documents.submit import PreviewDocument
    from jobctl.sources.source import Source


#: The formats that have an encoding.
_TEXT = ("csv", "tsv", "jsonl", "lines")


class Wanted(NamedTuple):
    """What a request asks for, apart from its body."""

    caller: Caller
    allowed: Allowed
    recipe: str | None
    recipe_format: str | None  # that the recipe reads, whatever the content type says
    texts: list[tuple[str, str]]  # options of the query
    key: str | None  # of the header


def accept(server: Server, wanted: Wanted, body: Body, path: str, bounds: Bounds) -> StatusDocument:
    """Accept the file at ``path`` as a job; returns its status after a commit that survives a power cut.

    Raises UsageError, RowsRejected, KeyConflict, NoRoom and what else a submission raises; nothing was accepted then.
    """
    request = _request(server, wanted, body, path)
    with acting_as(wanted.caller.actor), _places_for(body):
        accepted = submit(server.home, request, now=server.now(), stdin=io.BytesIO(), watch=_bound(bounds))
    return accepted_document(server.home, accepted, server.now(), server.program)


def judge(server: Server, wanted: Wanted, body: Body, path: str, bounds: Bounds) -> PreviewDocument:
    """Return what the file would be as a job, and change nothing. Raises as ``accept``."""
    request = _request(server, wanted, body, path)
    with _places_for(body):
        return preview_document(preview(server.home, request, stdin=io.BytesIO(), watch=_bound(bounds)))


def _request(server: Server, wanted: Wanted, body: Body, path: str) -> SubmitRequest:
    """The request of a submission. A job of HTTP has the working directory and the environment of the server."""
    given = merged(
        read_texts(wanted.texts, wanted.allowed),
        read_texts(body.texts, wanted.allowed),
        read_values(body.values, wanted.allowed),
        {} if wanted.key is None else {"key": wanted.key},
    )
    words = given.pop(COMMAND, [])
    given = nothing_given() | given | _of_body(wanted, body, given)
    if wanted.recipe is not None:
        given["recipe"] = wanted.recipe
    _apply_token(wanted.caller, given)
    place = SubmitPlace(server.home, os.environ, os.getcwd(), server.now())
    request = request_of(given, words, path, place)
    return replace(request, input=replace(request.input, called=body.name), owner=wanted.caller.token)


def _of_body(wanted: Wanted, body: Body, given: Mapping[str, Any]) -> dict[str, Any]:
    """The options that the body and its content type give, where the request does not."""
    kind = "jsonl" if body.is_json else body.format
    found: dict[str, Any] = {"format": kind}
    if wanted.recipe_format not in (None, kind):
        if not (body.type.is_vague or "format" in given):
            raise Refused(
                415,
                f"the recipe {wanted.recipe!r} reads {wanted.recipe_format}, and the body is {kind}",
                hint=f"send {wanted.recipe_format}",
            )
        found["format"] = wanted.recipe_format
    if not body.type.header:
        found["no_header"] = True
    if body.type.charset is not None and "encoding" not in given and kind in _TEXT:
        found["encoding"] = body.type.charset
    return found


def _apply_token(caller: Caller, given: dict[str, Any]) -> None:
    """The limits of a token: its queue, that none of its jobs is ahead of those of others, and its conditions.

    Raises Refused, UsageError.
    """
    if caller.token is None:
        return
    if caller.queue is not None:
        if given["queue"] not in (None, caller.queue):
            raise Refused(403, f"the jobs of this token wait in the queue {caller.queue}", hint="leave queue out")
        given["queue"] = caller.queue
    check_rules(caller, given)
    check_condition(caller, given["where"])


def _bound(bounds: Bounds) -> Callable[[Source], None]:
    """Return a watch that raises Refused (413) when an input has more rows than it may have."""

    def watch(source: Source) -> None:
        if source.records > bounds.rows:
            raise Refused(413, f"the body has more than {bounds.rows:,} rows", hint="send it in parts as several jobs")

    return watch


@contextmanager
def _places_for(body: Body) -> Iterator[None]:
    """Leave out the lines of problems where the body had none: rows of JSON are written to lines of our own."""
    try:
        yield
    except RowsRejected as error:
        if body.is_json:
            error.leave_out_lines()
        raise
