"""Why items on a cluster wait although slots may be free: nobody is there, or nobody who has what they need."""

from __future__ import annotations

from typing import NamedTuple

from jobctl.domain.crew import Amounts, Crew, needs_of, room_for, worded
from jobctl.domain.durations import format_span
from jobctl.domain.policy import Policy
from jobctl.domain.wording import plural
from jobctl.services.daemon.view import DaemonView


class Missing(NamedTuple):
    """What is not there: a code, a sentence, and the command to type."""

    code: str
    message: str
    action: str


def room(daemon: DaemonView, policy: Policy) -> int | None:
    """How many items of a job the workers have room for at once; None when slots alone decide."""
    needs = needs_of(policy.resources, policy.gpus)
    return None if daemon.crew is None or not needs else room_for(needs, daemon.crew.offers)


def missing(daemon: DaemonView, policy: Policy, now: int) -> Missing | None:
    """Why nothing of a job can run on the cluster as it is; None when something can, or there is no cluster."""
    crew = daemon.crew
    if crew is None or daemon.pressure or not daemon.is_working:
        return None
    if not crew.workers:
        return Missing("no_workers", f"no worker is there{_gone(crew, now)}{_unfit(crew)}", daemon.join)
    needs = needs_of(policy.resources, policy.gpus)
    if needs and not room_for(needs, crew.offers):
        wanted = f" --resources {worded(needs)}" if daemon.join.startswith("jobctl worker") else ""
        return Missing("resources_missing", _lacking(crew, needs), daemon.join + wanted)
    return None


def _gone(crew: Crew, now: int) -> str:
    if not crew.left:
        return ""
    when = format_span(crew.last_left_at, now)
    return f"; {plural(crew.left, 'has', 'have')} left, the last on {crew.last_host} {when} ago"


def _unfit(crew: Crew) -> str:
    return "".join(f"; {words}" for words in crew.unfit)


def _lacking(crew: Crew, needs: Amounts) -> str:
    there = plural(crew.workers, "worker")
    for need in needs:
        name = need[0]
        most = max(dict(offer.resources).get(name, 0.0) for offer in crew.offers)
        if most < need[1]:
            has = f"the most that one has is {worded([(name, most)])}" if most else f"none has any {name}"
            return f"an item needs {worded([need])}, and of {there} {has}"
    return f"an item needs {worded(needs)}, and of {there} none has all of it"
