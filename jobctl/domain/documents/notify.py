"""Notifications: the targets in the status of a job, and the deliveries that ``jobctl notify`` lists."""

from __future__ import annotations

from typing import Literal, TypedDict

from jobctl.domain.documents.values import Count, Number, Seconds, Time

ChannelName = Literal["webhook", "command"]
DeliveryStateName = Literal["pending", "delivered", "dead"]
TargetStateName = Literal["armed", "disabled"] | DeliveryStateName


class NotifyBlock(TypedDict):
    """One target, and the delivery of the last round."""

    id: Number
    kind: ChannelName
    target: str
    state: TargetStateName
    attempts: Count
    next_attempt_at: Time | None
    last_result: str | None
    delivery: str | None
    round: Number | None


class DeliveryAttemptBlock(TypedDict):
    """One attempt of a delivery."""

    attempt: Number
    started_at: Time
    duration_s: Seconds | None
    status: int | None
    error: str | None
    response: str | None


class DeliveryBlock(TypedDict):
    """One delivery with its attempts."""

    id: str
    job: Number
    round: Number
    event: str
    kind: ChannelName
    target: str
    state: DeliveryStateName
    attempts: Count
    next_attempt_at: Time | None
    created_at: Time
    settled_at: Time | None
    last_result: str | None
    history: list[DeliveryAttemptBlock]


class DeliveriesDocument(TypedDict):
    """Deliveries of notifications, as ``jobctl notify list --json`` shows them."""

    schema: Literal["jobctl.deliveries/1"]
    deliveries: list[DeliveryBlock]
