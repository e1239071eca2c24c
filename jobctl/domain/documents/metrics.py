"""Metrics: the names, labels and values of the OpenMetrics text."""

from __future__ import annotations

from typing import Annotated, Literal, TypedDict

from jobctl.domain.documents.values import Count, Time


class SampleBlock(TypedDict):
    """One value."""

    labels: dict[str, str]
    value: Annotated[float | None, "null where OpenMetrics says NaN or an infinity"]


class MetricBlock(TypedDict):
    """One metric."""

    name: str
    type: Literal["gauge"]
    unit: str | None
    help: str
    samples: list[SampleBlock]


class MetricsDocument(TypedDict):
    """Metrics of a store, as ``jobctl metrics --json`` shows them."""

    schema: Literal["jobctl.metrics/1"]
    at: Time
    metrics: list[MetricBlock]


class MetricsFileDocument(TypedDict):
    """The file that ``jobctl metrics --output FILE --json`` wrote."""

    schema: Literal["jobctl.metrics_file/1"]
    path: str
    bytes: Count
