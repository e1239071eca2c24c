"""Count the items that really run.

The engine gives attempts to the supervisor before slots are free, and the counters of jobs include these attempts. They
have not started, and a pause or a stop takes them back, so a message must not promise that they finish.
"""

from __future__ import annotations

import json

from jobctl.config import Home
from jobctl.domain.policy import Policy
from jobctl.domain.slots import count_running
from jobctl.services.daemon.view import DaemonView, daemon_view
from jobctl.services.status.progress import usable_slots
from jobctl.store.database import Database
from jobctl.store.views import jobs as job_views
from jobctl.store.views import queues as queue_views
from jobctl.store.views import running as running_views


def running_of(database: Database, home: Home, number: int, now: int) -> int:
    """Return the number of running items of a job; 0 while no daemon is running."""
    daemon = daemon_view(database, home, now)
    job = job_views.job(database, number)
    if job is None or daemon.state == "down" or not job.running:
        return 0
    started = running_views.started_by_job(database)
    slots = usable_slots(Policy.from_json(json.loads(job.policy)), queue_views.queue(database, job.queue), daemon)
    own = started.pop(number, 0)
    return count_running(job.running, own, [slots, _free(daemon, sum(started.values()))])


def running_in(database: Database, home: Home, now: int, queue: str | None = None) -> int:
    """Return the number of running items of a queue, or of all queues."""
    daemon = daemon_view(database, home, now)
    if daemon.state == "down":
        return 0
    in_hand = {job: count for name, job, count in running_views.running_by_job(database) if queue in (None, name)}
    started = running_views.started_by_job(database)
    own = sum(count for job, count in started.items() if job in in_hand)
    slots = None if queue is None else queue_views.queue(database, queue).slots
    return count_running(sum(in_hand.values()), own, [slots, _free(daemon, sum(started.values()) - own)])


def _free(daemon: DaemonView, taken: int) -> int | None:
    return None if daemon.slots is None else daemon.slots - taken
