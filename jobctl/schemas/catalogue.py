"""The documents that have a schema, by the name of its file, and the rules that their types cannot state."""

from __future__ import annotations

from typing import Any, get_args, get_type_hints

from jobctl.domain.documents.all import Document
from jobctl.domain.documents.http import HttpDocument, ProblemDocument
from jobctl.domain.documents.results import ManifestDocument
from jobctl.domain.documents.values import EndedJobState, LiveJobState

Rule = dict[str, Any]


def _name(document: type) -> str:
    """``status-1`` for a document whose key ``schema`` is ``jobctl.status/1``."""
    (schema,) = get_args(get_type_hints(document)["schema"])
    return str(schema).removeprefix("jobctl.").replace("/", "-")


#: Problems have no key ``schema``: their type is in ``type``, as their receivers expect.
DOCUMENTS: dict[str, type] = {
    **{_name(document): document for document in (*get_args(Document), *get_args(HttpDocument), ManifestDocument)},
    "problem-1": ProblemDocument,
}


def _having(**properties: Any) -> Rule:
    return {"properties": properties}


_DONE: Rule = {
    "if": _having(done={"const": True}),
    "then": _having(
        state={"enum": list(get_args(EndedJobState))},
        ok={"type": "boolean"},
        time=_having(finished_at={"type": "string"}),
    ),
    "else": _having(
        state={"enum": list(get_args(LiveJobState))},
        ok={"type": "null"},
        retry=_having(available={"const": False}),
    ),
}
_RETRY: Rule = {
    "if": _having(retry=_having(available={"const": True})),
    "then": _having(retry=_having(command={"type": "string"}, why_not={"type": "null"})),
    "else": _having(retry=_having(command={"type": "null"}, why_not={"type": "string"})),
}
#: The keys that events about the end of a round have had from the beginning.
_OF_ENDS = ("state", "state_reason", "round", "counts", "time", "failures", "retry", "results")
_END: Rule = {
    # An end from before there were events may be known by its state alone; no notification is one of those.
    "if": _having(type={"enum": [f"job.{state}" for state in get_args(EndedJobState)]}, data={"required": ["counts"]}),
    "then": _having(
        data={
            "required": list(_OF_ENDS),
            "properties": {
                "id": {"type": "integer"},
                **{name: {"type": "string"} for name in ("uid", "name", "queue")},
            },
        }
    ),
}

RULES: dict[str, list[Rule]] = {"status-1": [_DONE, _RETRY], "event-1": [_END]}
