"""The daemon in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from jobctl.domain.durations import format_duration
from jobctl.domain.wording import plural, size
from jobctl.render.inert import inert

Document = Mapping[str, Any]


def lines(document: Document, program: str) -> Iterator[str]:
    """What ``jobctl daemon status`` says."""
    state = document["state"].replace("_", " ")
    facts = [f"the daemon is {state}"]
    if document["pid"]:
        facts.append(f"process {document['pid']}")
    if document["uptime_s"] is not None:
        facts.append(f"for {format_duration(document['uptime_s'])}")
    yield ", ".join(facts)
    if document["state"] == "down":
        yield f"  start it with: {program} daemon start"
    if document["scope"] not in (None, "all"):
        yield f"  it works on job {document['scope']} alone (jobctl run)"
    if document["pressure"]:
        why = inert(document["pressure"])
        paused = why.startswith("paused: ")
        yield f"  nothing new starts: {why}" if paused else f"  the machine refuses to start processes: {why}"
    if document["slots"] is not None:
        yield f"  slots   {document['running']} of {document['slots']} in use"
    yield f"  work    {plural(document['jobs'], 'job')} not done, {plural(document['queued'], 'item')} waiting"
    yield f"  store   {inert(document['home'])}, database {size(document['database_bytes'])}"
    if document["version"]:
        yield f"  version {document['version']}"
