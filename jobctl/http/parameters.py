"""Parameters of requests: words of a command line with their bounds, and the refusal of unknown ones."""

from __future__ import annotations

import base64
import binascii
import json
from typing import Annotated, Any, Final
from urllib.parse import quote, urlencode

from fastapi import Path, Query, Request
from pydantic import Field

from jobctl.domain.job_filter import SORTS
from jobctl.domain.nearest import did_you_mean
from jobctl.domain.states import ItemState, JobState
from jobctl.domain.texts import restored
from jobctl.http.problems import Refused
from jobctl.store.views.job_list import Place

#: The highest number in a request: a larger one does not fit into the database.
LARGEST = (1 << 63) - 1
_ITEM_STATES = "|".join(state.word for state in ItemState)
_JOB_STATES = "|".join(JobState)
_ORDER = "|".join(SORTS)
_CAUSE = r"[A-Za-z][A-Za-z0-9_+]{0,20}(:[0-9]{1,18})?"
_SPAN = r"[1-9][0-9]{0,17}(-([1-9][0-9]{0,17})?)?"


def _form(pattern: str, name: str = "") -> Any:
    """The form of a word, for the document alone: a service refuses another word, and says which one was meant."""
    extra: dict[str, Any] = {"pattern": pattern} | ({"format": name} if name else {})
    return Field(max_length=2_000, json_schema_extra=extra)


#: One cause of failure, and numbers of items, as a pattern of JSON Schema.
CAUSE_PATTERN = f"^{_CAUSE}$"
ITEMS_PATTERN = f"^{_SPAN}(,{_SPAN})*$"
#: The default of a parameter that may be repeated. FastAPI copies it for each request.
NOTHING: Final[list[str]] = []
#: A job in a path.
JobPath = Annotated[
    str,
    Path(
        description="The job: its number, its name, or last for the newest one.",
        min_length=1,
        max_length=200,
        pattern=r"^[^/\x00-\x1f\x7f]+$",
        examples=["42"],
    ),
]
#: An item in a path.
ItemPath = Annotated[int, Path(description="The number of the item.", ge=1, le=LARGEST, examples=[17])]

JobStates = Annotated[
    list[Annotated[str, _form(f"^({_JOB_STATES})(,({_JOB_STATES}))*$")]],
    Query(description="Only jobs in one of these states; may be repeated.", max_length=20),
]
JobName = Annotated[
    str | None,
    Query(description="Only jobs with a name that fits this shell pattern: nightly*.", min_length=1, max_length=200),
]
Labels = Annotated[
    list[Annotated[str, Query(pattern=r"^[A-Za-z0-9_.-]{1,60}=[A-Za-z0-9_.-]{1,60}$")]],
    Query(description="Only jobs with this label, as NAME=VALUE; may be repeated, then all must fit.", max_length=20),
]
QueueName = Annotated[
    str | None, Query(description="Only jobs of this queue.", min_length=1, max_length=200, pattern="^[!-~]+$")
]
Since = Annotated[
    str | None,
    Query(
        description="Only jobs that were submitted since then: 2h, yesterday, or 2026-12-01T18:00:00Z.",
        max_length=64,
        json_schema_extra={"format": "jobctl-past"},
        examples=["2h"],
    ),
]
Wait = Annotated[
    float,
    Query(description="Seconds for which the answer may wait until the job is done, or has changed.", ge=0, le=60),
]
Sort = Annotated[
    str | None,
    Query(
        description="The order; default: submitted. A - before it reverses it.",
        max_length=30,
        json_schema_extra={"pattern": f"^-?({_ORDER})$"},
    ),
]
JobLimit = Annotated[int, Query(description="The most jobs of one page.", ge=1, le=500)]
Cursor = Annotated[
    str | None,
    Query(
        description="The place after which the page begins, from the link to the next page.",
        max_length=2_000,
        pattern="^[A-Za-z0-9_-]+$",
        json_schema_extra={"format": "jobctl-cursor"},
    ),
]

ItemStates = Annotated[
    list[Annotated[str, _form(f"^({_ITEM_STATES})(,({_ITEM_STATES}))*$")]],
    Query(description="Only items in these states; may be repeated.", max_length=20),
]
Causes = Annotated[
    list[Annotated[str, _form(f"^{_CAUSE}(,{_CAUSE})*$", "jobctl-cause")]],
    Query(description="Only items with these causes of failure: timeout, exit_7; may be repeated.", max_length=20),
]
Where = Annotated[
    str | None,
    Query(
        description="Only items for which this is true: size > 100 and duration > 60.",
        min_length=1,
        max_length=10_000,
        json_schema_extra={"format": "jobctl-condition"},
        examples=["duration > 60"],
    ),
]
Items = Annotated[
    str | None,
    Query(
        description="Only items with these numbers: 1-100,500,1000-.",
        max_length=10_000,
        pattern=ITEMS_PATTERN,
        json_schema_extra={"format": "jobctl-numbers"},
        examples=["1-100"],
    ),
]
Failed = Annotated[bool, Query(description="Only items that failed, as state=failed.")]
After = Annotated[int, Query(description="Only items after this number.", ge=0, le=LARGEST)]
ItemLimit = Annotated[int, Query(description="The most items of one page.", ge=1, le=1_000)]


async def refuse_unknown(request: Request) -> None:
    """Raise Refused for a query parameter that the route does not have: a mistake in it must not select everything."""
    known = _known(request.scope["route"])
    for name in request.query_params:
        if name not in known:
            among = f"the parameters are {', '.join(known)}" if known else "this address has no parameters"
            raise Refused(
                422, f"there is no parameter {name[:100]!r}", code="usage", hint=did_you_mean(name[:100], known, among)
            )


def _known(route: Any) -> tuple[str, ...]:
    """The names of the query parameters of a route; they are found once for each route."""
    found: tuple[str, ...] | None = getattr(route, "jobctl_parameters", None)
    if found is None:
        found = tuple(field.alias for field in _fields(route.dependant))
        route.jobctl_parameters = found
    return found


def _fields(dependant: Any) -> list[Any]:
    return [*dependant.query_params, *(field for inner in dependant.dependencies for field in _fields(inner))]


def cursor_of(place: Place) -> str:
    """Return a place in a list as a parameter."""
    value = restored(place.value) if isinstance(place.value, bytes) else place.value
    return base64.urlsafe_b64encode(json.dumps([value, place.job]).encode()).decode().rstrip("=")


def place_of(cursor: str) -> Place:
    """Return the place that a parameter names. Raises Refused for one that ``cursor_of`` did not make."""
    try:
        value, job = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        is_value = value is None or type(value) in (str, float) or _fits(value)
        if is_value and _fits(job):
            return Place(value, job)
    except (ValueError, TypeError, binascii.Error):
        pass
    raise Refused(422, "after is not a place in this list", code="usage", hint="follow the link to the next page")


def _fits(number: object) -> bool:
    """Return whether a value is a whole number that fits into the database."""
    return type(number) is int and abs(number) <= LARGEST


def next_link(request: Request, after: object, parameter: str = "after") -> str:
    """Return the address of the next page: this one with another value of the parameter that says where it begins."""
    pairs = [(name, value) for name, value in request.query_params.multi_items() if name != parameter]
    return f"{quote(request.url.path)}?{urlencode([*pairs, (parameter, after)])}"
