"""The documents that only the HTTP server has."""

from __future__ import annotations

from typing import Annotated, Literal, NotRequired, TypedDict

from jobctl.domain.documents.daemon import DaemonStateName
from jobctl.domain.documents.event import EventDocument
from jobctl.domain.documents.keywords import Keywords
from jobctl.domain.documents.values import Count

HttpStatus = Annotated[int, Keywords(minimum=400, maximum=599)]


class HealthDocument(TypedDict):
    """The server lives, as /healthz says."""

    schema: Literal["jobctl.health/1"]
    ok: bool


class ReadyDocument(TypedDict):
    """The server can work, as /readyz says."""

    schema: Literal["jobctl.ready/1"]
    ok: Annotated[bool, "whether the store can be read"]
    daemon: Annotated[DaemonStateName, "down: jobs are accepted and wait for a daemon"]


class EventsDocument(TypedDict):
    """Events after an id, in their order."""

    schema: Literal["jobctl.events/1"]
    events: list[EventDocument]
    next: Annotated[int, Keywords(minimum=0), "since of the request that continues; nothing is lost or repeated"]
    removed: Annotated[
        int, Keywords(minimum=0), "the highest id of an event that went with a pruned job; 0 if none did"
    ]


class InvalidPartBlock(TypedDict):
    """One part of a request that is not as it must be."""

    location: Annotated[str, "query, path, header or body"]
    name: Annotated[str, "of the parameter or the column"]
    message: str
    code: NotRequired[Annotated[str, "the kind of fault of a row"]]
    line: NotRequired[Annotated[int | None, "of the body, where the row begins"]]
    record: NotRequired[Annotated[int | None, "the number of the row; the header is not counted"]]
    column: NotRequired[str | None]


class ProblemDocument(TypedDict):
    """A problem (RFC 9457), as every route of the HTTP server answers an error."""

    type: Annotated[str, "urn:jobctl:error: and the code"]
    title: Annotated[str, "the status in words"]
    status: HttpStatus
    detail: Annotated[str, "what is wrong"]
    code: Annotated[str, "the kind of error, for programs; the same as on the command line"]
    hint: Annotated[str | None, "the command to type, or another advice"]
    details: list[str]
    errors: NotRequired[
        Annotated[list[InvalidPartBlock], "the parts of the request that are wrong, at least the first 20"]
    ]
    errors_total: NotRequired[Annotated[Count, "the rows that are wrong"]]


#: A document with a key ``schema``, which has a schema of its own.
HttpDocument = EventsDocument | HealthDocument | ReadyDocument
