"""The addresses in an answer about a job."""

from __future__ import annotations

import math
from pathlib import PurePath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jobctl.domain.documents.status import JobLinksBlock, StatusDocument

#: Seconds after which a client should ask again: at most, and where no end can be estimated.
LONGEST_S = 60
_UNKNOWN_S = 5


def links_of(document: StatusDocument) -> JobLinksBlock:
    """Return the addresses that belong to a job. Those of results exist when their files do."""
    root = f"/v1/jobs/{document['job']}"
    results, files = document["results"], dict[str, str]()
    for kind, file in results["files"].items():
        path = file["path"]  # type: ignore[index]
        if results["available"] and path is not None:
            files[kind] = f"{root}/results/{kind}{PurePath(path).suffix}"
    if results["rejected"] is not None:
        files["rejected"] = f"{root}/results/rejected{PurePath(results['rejected']['path']).suffix}"
    return {
        "self": root,
        "items": f"{root}/items",
        "causes": f"{root}/causes",
        "explain": f"{root}/explain",
        "events": f"{root}/events",
        "report": f"{root}/report",
        "results": files,
    }


def retry_after(document: StatusDocument) -> int | None:
    """Return the seconds after which asking again makes sense; None for a job that is done."""
    if document["done"]:
        return None
    eta_s = document["progress"]["eta_s"]
    return _UNKNOWN_S if eta_s is None else max(1, min(LONGEST_S, math.ceil(eta_s)))
