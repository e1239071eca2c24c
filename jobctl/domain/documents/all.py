"""The type of all documents that a command may print with ``--json``."""

from __future__ import annotations

from jobctl.domain.documents.causes import CausesDocument
from jobctl.domain.documents.checks import DoctorDocument, RestoredDocument, VerifyDocument
from jobctl.domain.documents.control import (
    CancelDocument,
    PauseDocument,
    PruneDocument,
    ResentDocument,
    ResumeDocument,
    RetryDocument,
    SetDocument,
    UndoDocument,
)
from jobctl.domain.documents.daemon import DaemonDocument, DaemonLogDocument, DaemonLogLineDocument, UnitDocument
from jobctl.domain.documents.error import ErrorDocument
from jobctl.domain.documents.event import EventDocument
from jobctl.domain.documents.explain import ExplainDocument
from jobctl.domain.documents.export import ExportDocument, ExportFileDocument, ExportHead
from jobctl.domain.documents.items import ItemsDocument
from jobctl.domain.documents.metrics import MetricsDocument, MetricsFileDocument
from jobctl.domain.documents.notify import DeliveriesDocument
from jobctl.domain.documents.output import LogsDocument, LogsHead, OutputDocument, OutputPieceDocument
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
from jobctl.domain.documents.results import ResultsDocument
from jobctl.domain.documents.settings import (
    ConfigChangeDocument,
    ConfigDocument,
    ConfigEditDocument,
    ConfigPathDocument,
    ConfigTrustDocument,
    OfferedRecipeDocument,
    OfferedRecipesDocument,
    RecipeDocument,
    RecipesDocument,
)
from jobctl.domain.documents.status import StatusDocument, StatusListDocument
from jobctl.domain.documents.submit import PreviewDocument
from jobctl.domain.documents.tokens import (
    LinkDocument,
    NewTokenDocument,
    RevokedTokenDocument,
    ServeDocument,
    TokensDocument,
)

#: A document that a command prints.
Document = (
    CancelDocument
    | CausesDocument
    | CompletionDocument
    | ConfigChangeDocument
    | ConfigDocument
    | ConfigEditDocument
    | ConfigPathDocument
    | ConfigTrustDocument
    | DaemonDocument
    | DaemonLogDocument
    | DaemonLogLineDocument
    | DaemonRunDocument
    | DeliveriesDocument
    | DoctorDocument
    | ErrorDocument
    | EventDocument
    | ExplainDocument
    | ExportDocument
    | ExportFileDocument
    | HelpDocument
    | ItemsDocument
    | LinkDocument
    | LogsDocument
    | ManualPageDocument
    | ManualListDocument
    | ManualPathDocument
    | MetricsDocument
    | MetricsFileDocument
    | NewTokenDocument
    | OutputDocument
    | OutputPieceDocument
    | PauseDocument
    | PreviewDocument
    | PruneDocument
    | QueuesDocument
    | RecipeDocument
    | RecipesDocument
    | OfferedRecipeDocument
    | OfferedRecipesDocument
    | ReportDocument
    | ReportFileDocument
    | ResentDocument
    | RestoredDocument
    | ResultsDocument
    | ResumeDocument
    | RetryDocument
    | RevokedTokenDocument
    | ServeDocument
    | SetDocument
    | StatusDocument
    | StatusListDocument
    | TokensDocument
    | UndoDocument
    | UnitDocument
    | VerifyDocument
    | VersionDocument
    | WorkerDocument
)
#: A document without its last key, whose list is printed entry by entry.
ListHead = ExportHead | LogsHead | ResultsDocument
