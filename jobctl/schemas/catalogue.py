"""The documents that have a schema, by the name of its file, and the rules that their types cannot say."""

from __future__ import annotations

from typing import Any, get_args

from jobctl.domain.documents.checks import DoctorDocument, RestoredDocument, VerifyDocument
from jobctl.domain.documents.control import (
    CancelDocument,
    PauseDocument,
    PruneDocument,
    ResentDocument,
    ResumeDocument,
    RetryDocument,
    SetDocument,
)
from jobctl.domain.documents.daemon import DaemonDocument, DaemonLogDocument, DaemonLogLineDocument, UnitDocument
from jobctl.domain.documents.error import ErrorDocument
from jobctl.domain.documents.event import EventDocument
from jobctl.domain.documents.explain import ExplainDocument
from jobctl.domain.documents.export import ExportDocument, ExportFileDocument
from jobctl.domain.documents.items import ItemsDocument
from jobctl.domain.documents.metrics import MetricsDocument, MetricsFileDocument
from jobctl.domain.documents.notify import DeliveriesDocument
from jobctl.domain.documents.output import LogsDocument, OutputDocument, OutputPieceDocument
from jobctl.domain.documents.program import (
    CompletionDocument,
    DaemonRunDocument,
    HelpDocument,
    ManualListDocument,
    ManualPageDocument,
    ManualPathDocument,
    VersionDocument,
    WorkerDocument,
)
from jobctl.domain.documents.queues import QueuesDocument
from jobctl.domain.documents.report import ReportDocument, ReportFileDocument
from jobctl.domain.documents.results import ManifestDocument, ResultsDocument
from jobctl.domain.documents.settings import (
    ConfigDocument,
    ConfigPathDocument,
    ConfigTrustDocument,
    RecipeDocument,
    RecipesDocument,
)
from jobctl.domain.documents.status import StatusDocument, StatusListDocument
from jobctl.domain.documents.submit import PreviewDocument
from jobctl.domain.documents.values import EndedJobState, LiveJobState

Rule = dict[str, Any]

DOCUMENTS: dict[str, type] = {
    "cancel-1": CancelDocument,
    "completion-1": CompletionDocument,
    "config-1": ConfigDocument,
    "config_path-1": ConfigPathDocument,
    "config_trust-1": ConfigTrustDocument,
    "daemon-1": DaemonDocument,
    "daemon_log-1": DaemonLogDocument,
    "daemon_log_line-1": DaemonLogLineDocument,
    "daemon_run-1": DaemonRunDocument,
    "deliveries-1": DeliveriesDocument,
    "doctor-1": DoctorDocument,
    "error-1": ErrorDocument,
    "event-1": EventDocument,
    "explain-1": ExplainDocument,
    "export-1": ExportDocument,
    "export_file-1": ExportFileDocument,
    "help-1": HelpDocument,
    "items-1": ItemsDocument,
    "logs-1": LogsDocument,
    "man-1": ManualPageDocument,
    "man_list-1": ManualListDocument,
    "man_path-1": ManualPathDocument,
    "manifest-1": ManifestDocument,
    "metrics-1": MetricsDocument,
    "metrics_file-1": MetricsFileDocument,
    "output-1": OutputDocument,
    "output_piece-1": OutputPieceDocument,
    "pause-1": PauseDocument,
    "preview-1": PreviewDocument,
    "prune-1": PruneDocument,
    "queues-1": QueuesDocument,
    "recipe-1": RecipeDocument,
    "recipes-1": RecipesDocument,
    "report-1": ReportDocument,
    "report_file-1": ReportFileDocument,
    "resent-1": ResentDocument,
    "restored-1": RestoredDocument,
    "results-1": ResultsDocument,
    "resume-1": ResumeDocument,
    "retry-1": RetryDocument,
    "set-1": SetDocument,
    "status-1": StatusDocument,
    "status_list-1": StatusListDocument,
    "unit-1": UnitDocument,
    "verify-1": VerifyDocument,
    "version-1": VersionDocument,
    "worker-1": WorkerDocument,
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
