"""Queues, their limits and their loads."""

from __future__ import annotations

from typing import Literal, TypedDict

from jobctl.domain.documents.values import Count, Number, Time


class QueueDocument(TypedDict):
    """One queue."""

    name: str
    slots: Number | None
    rate: str | None
    paused_at: Time | None
    pause_reason: str
    jobs: Count
    queued: Count
    running: Count


class QueuesDocument(TypedDict):
    """Queues, as ``jobctl queue list --json`` shows them."""

    schema: Literal["jobctl.queues/1"]
    queues: list[QueueDocument]
