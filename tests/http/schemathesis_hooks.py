"""What schemathesis needs to know: which jobs the store has, and how texts look that no pattern describes."""

from __future__ import annotations

import contextlib
from typing import Any

import schemathesis
from hypothesis import strategies as st

from jobctl.http.parameters import cursor_of
from jobctl.store.views.job_list import Place

_FORMATS = {
    "jobctl-past": st.sampled_from(["2h", "yesterday", "2026-01-01", "2026-12-01T18:00:00Z", "30m"]),
    "jobctl-cursor": st.integers(1, 1_000).map(lambda job: cursor_of(Place(None, job))),
    "jobctl-cause": st.sampled_from(["timeout", "exit_1", "exit_7:1", "timeout,exit_1"]),
    "jobctl-condition": st.sampled_from(["duration > 60", "attempt = 1", "id > 1"]),
    "jobctl-numbers": st.sampled_from(["1", "1-", "1-2,3"]),
}
for _name, _texts in _FORMATS.items():
    schemathesis.openapi.format(_name, _texts)

#: What the store of the tests has.
_HERE: dict[str, list[Any]] = {
    "job": ["1", "2", "3", "4", "5", "6", "last"],
    "item": [1, 2, 3],
    "recipe": ["load"],
    "file": ["succeeded.csv", "failed.csv"],
}
#: A request may wait a minute for a change; here it waits for at most this number of seconds.
_WAIT_S = 0.05


@schemathesis.hook
def before_load_schema(context: schemathesis.HookContext, raw_schema: dict[str, Any]) -> None:
    """Name what there is in the store, so that requests get as far as the routes."""
    for methods in raw_schema["paths"].values():
        for operation in methods.values():
            for parameter in operation.get("parameters", ()):
                if parameter["in"] == "path" and parameter["name"] in _HERE:
                    kind = parameter["schema"]["type"]
                    parameter["schema"] = {"type": kind, "enum": _HERE[parameter["name"]]}


@schemathesis.hook
def before_call(context: schemathesis.HookContext, case: schemathesis.Case, kwargs: dict[str, Any]) -> None:
    """Shorten the waits of requests."""
    with contextlib.suppress(KeyError, TypeError, ValueError):
        if float(case.query["wait"]) > _WAIT_S:
            case.query["wait"] = _WAIT_S
    if "wait" in str((case.headers or {}).get("Prefer", "")):
        case.headers["Prefer"] = "wait=0"


@schemathesis.serializer("application/x-ndjson", "application/jsonl")
def lines(context: schemathesis.SerializationContext, value: Any) -> bytes:
    """A body that is lines of JSON."""
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "replace")
