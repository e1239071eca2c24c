"""``jobctl metrics``: the metrics of a store as OpenMetrics text or JSON, for Prometheus."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

from jobctl.config import Home
from jobctl.domain.durations import format_time
from jobctl.domain.states import ItemState, JobState
from jobctl.domain.texts import shown
from jobctl.errors import NotFound
from jobctl.services.control.queues import queue_documents
from jobctl.services.daemon.view import DOWN, DaemonView, daemon_view
from jobctl.services.output.write_file import write_whole
from jobctl.store import clock
from jobctl.store.database import Database
from jobctl.store.opening.open import open_database
from jobctl.store.views import jobs as job_views
from jobctl.store.views import metrics

if TYPE_CHECKING:
    from jobctl.domain.documents.metrics import MetricsDocument, MetricsFileDocument

Labels = Mapping[str, str]


class Sample(NamedTuple):
    """One value of a family."""

    value: float
    labels: Labels


class Family(NamedTuple):
    """Samples that mean the same thing. All are gauges: they count jobs that are kept, and pruning removes some."""

    name: str
    help: str
    samples: list[Sample]


class Metrics(NamedTuple):
    """Every family at one moment, in microseconds UTC."""

    at: int
    families: list[Family]

    def text(self) -> str:
        """Return the metrics as OpenMetrics text."""
        return "\n".join([*(line for family in self.families for line in _lines(family)), "# EOF", ""])

    def document(self) -> MetricsDocument:
        """Return ``jobctl.metrics/1``, with the same names, labels and values."""
        return {
            "schema": "jobctl.metrics/1",
            "at": format_time(self.at),
            "metrics": [
                {
                    "name": family.name,
                    "type": "gauge",
                    "unit": "seconds" if family.name.endswith("_seconds") else None,
                    "help": family.help,
                    "samples": [
                        {"labels": dict(sample.labels), "value": sample.value if math.isfinite(sample.value) else None}
                        for sample in family.samples
                    ],
                }
                for family in self.families
            ],
        }


def metrics_of(home: Home, now: int) -> Metrics:
    """Return the metrics of a home, which may not have a store yet; ``now`` is in microseconds UTC."""
    try:
        database = open_database(home)
    except NotFound:
        return read_metrics(None, home, now)
    try:
        return read_metrics(database, home, now)
    finally:
        database.close()


def read_metrics(database: Database | None, home: Home, now: int) -> Metrics:
    """Return the metrics at one moment (``now`` in microseconds UTC); without a store, only those of the daemon."""
    if database is None:
        return Metrics(now, [*_daemon(DOWN, now)])
    with database.snapshot():
        now = clock.in_store(database, now)
        return Metrics(now, [*_daemon(daemon_view(database, home, now), now), *_work(database, now)])


def _daemon(view: DaemonView, now: int) -> Iterator[Family]:
    states = ("up", "down", "recovering", "draining", "not_responding")
    up = [Sample(float(view.state == state), {"state": state}) for state in states]
    yield Family("jobctl_daemon_state", "1 for the state that the daemon is in.", up)
    if view.slots is not None:
        yield _gauge("jobctl_daemon_slots", "Items that can run at once.", view.slots)
    if view.started_at is not None:
        yield _gauge("jobctl_daemon_start_time_seconds", "When the daemon started, since 1970.", view.started_at / 1e6)
    if view.heartbeat_at is not None:
        age_s = max(0, now - view.heartbeat_at) / 1e6
        yield _gauge("jobctl_daemon_heartbeat_age_seconds", "Since the last heartbeat of the daemon.", age_s)
    pressure = float(bool(view.pressure))
    yield _gauge("jobctl_daemon_pressure", "1 while the machine refuses to start processes.", pressure)


def _work(database: Database, now: int) -> Iterator[Family]:
    states = metrics.jobs_by_state(database)
    jobs = [Sample(states.get(state.value, 0), {"state": state.value}) for state in JobState]
    yield Family("jobctl_jobs", "Jobs by state.", jobs)
    live, kept = metrics.items_by_state(database)
    for name, help_, counts in (
        ("jobctl_items", "Items of all jobs that are kept, by state.", kept),
        ("jobctl_live_items", "Items of jobs that are not done, by state.", live),
    ):
        samples = [Sample(count, {"state": state.word}) for state, count in zip(ItemState, counts, strict=True)]
        yield Family(name, help_, samples)
    yield _gauge("jobctl_attempts", "Attempts that ended, of jobs that are kept.", metrics.attempts(database))
    failures = [Sample(count, {"code": code}) for code, count in metrics.failures_by_code(database)]
    yield Family("jobctl_failed_attempts", "Failed attempts of jobs that are kept, by cause.", failures)
    yield from _ages(database, now)
    yield from _queues(database)
    rate = job_views.total_rate(database)
    yield _gauge("jobctl_items_per_second", "Items processed per second, the latest smoothed value.", rate or 0.0)


def _ages(database: Database, now: int) -> Iterator[Family]:
    oldest = metrics.oldest(database)
    for name, help_, at in (
        (
            "jobctl_oldest_live_job_age_seconds",
            "Since the oldest job that is not done was submitted.",
            oldest.submitted,
        ),
        ("jobctl_oldest_progress_age_seconds", "Longest time in which a running job made no progress.", oldest.updated),
    ):
        yield _gauge(name, help_, 0.0 if at is None else max(0, now - at) / 1e6)
    if oldest.finished is not None:
        yield _gauge("jobctl_last_finished_time_seconds", "When a job last ended, since 1970.", oldest.finished / 1e6)


def _queues(database: Database) -> Iterator[Family]:
    queues = queue_documents(database)
    loads: tuple[tuple[Literal["queued", "running"], str], ...] = (
        ("queued", "Items that wait, by queue."),
        ("running", "Items that run, by queue."),
    )
    for field, help_ in loads:
        samples = [Sample(queue[field], {"queue": queue["name"]}) for queue in queues]
        yield Family(f"jobctl_queue_{field}_items", help_, samples)
    paused = [Sample(float(queue["paused_at"] is not None), {"queue": queue["name"]}) for queue in queues]
    yield Family("jobctl_queue_paused", "1 for a queue that is paused.", paused)


def _gauge(name: str, help_: str, value: float) -> Family:
    return Family(name, help_, [Sample(value, {})])


def _lines(family: Family) -> Iterator[str]:
    yield f"# TYPE {family.name} gauge"
    if family.name.endswith("_seconds"):
        yield f"# UNIT {family.name} seconds"
    yield f"# HELP {family.name} {family.help}"
    for sample in family.samples:
        yield f"{family.name}{_labels(sample.labels.items())} {_number(sample.value)}"


def _labels(labels: Iterable[tuple[str, str]]) -> str:
    written = ",".join(f'{name}="{_escaped(value)}"' for name, value in labels)
    return f"{{{written}}}" if written else ""


def _escaped(value: str) -> str:
    return shown(value).replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _number(value: float) -> str:
    if not math.isfinite(value):
        return "NaN"
    return str(int(value)) if value == int(value) else repr(round(value, 6))


def write_metrics(path: str, text: str) -> MetricsFileDocument:
    """Write the text to a file in one step, readable by all users; returns ``jobctl.metrics_file/1``.

    Raises UsageError for a directory, HomeError if the file cannot be written.
    """
    data = text.encode()
    with write_whole(Path(path), 0o644) as file:
        file.write(data)
    return {"schema": "jobctl.metrics_file/1", "path": os.path.abspath(path), "bytes": len(data)}
