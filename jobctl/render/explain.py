"""An explanation as lines of text."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from jobctl.render.clock import local
from jobctl.render.inert import inert


def explain_lines(document: dict[str, Any]) -> Iterator[str]:
    """The sections of a ``jobctl.explain/1`` document."""
    yield f"job {document['job']} ({inert(document['name'])}): {document['state']}: {inert(document['state_reason'])}"
    if document["resubmit_of"] is not None:
        yield _lineage(document)
    if document["item"] is not None:
        yield f"item {document['job']}.{document['item']}: {document['item_state']}: {inert(document['item_reason'])}"
        yield from _attempts(document["attempts"])
    yield from _holds(document)
    yield from _journal(document)
    yield ""
    yield "next:"
    yield from (f"  {command}" for command in document["next"])


def _lineage(document: dict[str, Any]) -> str:
    number = document["resubmit_of_job"]
    if number is None:
        return f"its rows come from a result file of a job that is gone ({inert(document['resubmit_of'])})"
    return f"its rows come from a result file of job {number}: jobctl explain {number}"


def _attempts(attempts: list[dict[str, Any]]) -> Iterator[str]:
    if not attempts:
        return
    yield ""
    yield "attempts:"
    for attempt in attempts:
        ended = attempt["outcome"] or "running"
        took = "" if attempt["duration_s"] is None else f" after {attempt['duration_s']} s"
        said = f": {inert(attempt['message'])}" if attempt["message"] else ""
        place = f"round {attempt['round']}, slot {attempt['slot']}"
        yield f"  {attempt['attempt']}  {local(attempt['started_at'])}  {place}  {ended}{took}{said}"


def _holds(document: dict[str, Any]) -> Iterator[str]:
    holds = document["holds"]
    known = {hold["code"] for hold in holds}
    notices = [found for found in document["attention"] if found["code"] not in known]
    if holds:
        yield ""
        yield "what holds it back:"
        yield from _notices(holds)
    if notices:
        yield ""
        yield "attention:"
        yield from _notices(notices)


def _notices(notices: list[dict[str, Any]]) -> Iterator[str]:
    for notice in notices:
        yield f"  {notice['code']}: {inert(notice['message'])}"
        if notice["action"]:
            yield f"    -> {notice['action']}"


def _journal(document: dict[str, Any]) -> Iterator[str]:
    yield ""
    yield "journal:"
    hidden = document["journal_total"] - len(document["journal"])
    if hidden:
        yield f"  ... {hidden} earlier lines"
    for entry in document["journal"]:
        why = f": {inert(entry['reason'])}" if entry["reason"] else ""
        item = "" if entry["item"] is None else f" item {entry['item']}"
        yield f"  {local(entry['at'])}  {inert(entry['actor'])}  {entry['event']}{item}{why}"
