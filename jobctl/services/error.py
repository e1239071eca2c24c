"""The JSON document of an error. It imports nothing that can be missing or broken."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jobctl.domain.documents.error import ErrorDocument


def error_document(
    code: str, exit_code: int, message: str, hint: str | None = None, details: Sequence[str] = ()
) -> ErrorDocument:
    """Return ``jobctl.error/1``; ``code`` is the kind of the error, ``hint`` is what to type or to do next."""
    return {
        "schema": "jobctl.error/1",
        "error": {"code": code, "message": message, "hint": hint, "details": list(details)},
        "exit_code": exit_code,
    }
