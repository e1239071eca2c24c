"""Reads streams of server-sent events as a browser does."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx


@dataclass
class Event:
    """One event of a stream."""

    id: str
    name: str
    data: Any


def events_of(response: httpx.Response) -> Iterator[Event]:
    """Yield the events of a stream, whose data is JSON, until it ends; comments are left out."""
    fields: dict[str, str] = {}
    for line in response.iter_lines():
        name, _, value = line.partition(": ")
        if line and name:
            fields[name] = value
        elif not line and "data" in fields:
            yield Event(fields.get("id", ""), fields.get("event", "message"), json.loads(fields["data"]))
            fields = {}
