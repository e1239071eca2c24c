"""The documents that have a schema, by the name of its file, and the rules that their types cannot say."""

from __future__ import annotations

from typing import Any, get_args

from jobctl.domain.documents.event import EventDocument
from jobctl.domain.documents.explain import ExplainDocument
from jobctl.domain.documents.results import ManifestDocument
from jobctl.domain.documents.status import StatusDocument, StatusListDocument
from jobctl.domain.documents.values import EndedJobState, LiveJobState

Rule = dict[str, Any]

DOCUMENTS: dict[str, type] = {
    "status-1": StatusDocument,
    "status_list-1": StatusListDocument,
    "explain-1": ExplainDocument,
    "manifest-1": ManifestDocument,
    "event-1": EventDocument,
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

RULES: dict[str, list[Rule]] = {"status-1": [_DONE, _RETRY]}
