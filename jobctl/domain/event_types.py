"""The types of events: one table of their names, their meanings and the words that say what happened.

An event is a line of the journal or the outcome of an item. The journal stores short words, some of which are older
than the types; ``event_type`` translates them. ``jobctl events``, ``jobctl explain``, notifications and streams all use
the words of this table.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from jobctl.domain.durations import format_duration
from jobctl.domain.states import TERMINAL_JOB_STATES
from jobctl.domain.wording import plural

#: What the journal says about each event, the values in ``data`` included.
Facts = Mapping[str, Any]


class EventType(NamedTuple):
    """A type of events."""

    name: str
    meaning: str  # for the manual
    words: str | Callable[[Facts], str]  # what happened


def _count(facts: Facts, key: str) -> int:
    found = facts.get(key)
    return found if type(found) is int and found >= 0 else 0


def _round(facts: Facts, words: str) -> str:
    number = _count(facts, "round")
    return f"round {number} {words}" if number > 1 else words


def _cancelled(facts: Facts) -> str:
    return (
        f"item {facts['item']} cancelled"
        if facts.get("item")
        else f"{plural(_count(facts, 'items'), 'item')} cancelled"
    )


def _tried(facts: Facts, words: str, then: str = "") -> str:
    outcome = facts["outcome"]
    took = outcome["duration_s"]
    after = "" if took is None else f" after {format_duration(took)}"
    return f"{words} at attempt {outcome['attempt']}{after}{then}"


def _queue(facts: Facts) -> str:
    return f"queue {facts.get('queue')}"


_ALL = (
    EventType("job.submitted", "A job was accepted.", "submitted"),
    EventType("job.held", "The job was submitted with --hold, so it is paused from the beginning.", "held"),
    EventType("job.started", "The first item of a round has started.", lambda facts: _round(facts, "started")),
    EventType("job.queued", "The job waits for its first item again.", "waits to start"),
    EventType("job.paused", "No more items of the job start.", "paused"),
    EventType("job.resumed", "A paused job continues.", "resumed"),
    EventType("job.cancel_requested", "Somebody asked to cancel the job.", "cancel requested"),
    EventType("job.cancelling", "No more items of the job start, and running items end.", "cancelling"),
    EventType("job.stopping", "A rule stops the job before its end; the reason names it.", "stopping"),
    EventType(
        "job.retried",
        "A new round was begun.",
        lambda facts: f"round {_count(facts, 'round')} begun with {plural(_count(facts, 'items'), 'item')}",
    ),
    EventType("job.rules_changed", "Rules of the job were changed.", "rules changed"),
    EventType("job.undo", "An undo job takes back rows of the job, or could not be made.", "undo"),
    EventType(
        "job.recovered",
        "Items were interrupted, because the daemon or the machine went down.",
        lambda facts: f"{plural(_count(facts, 'items'), 'item')} interrupted",
    ),
    EventType(
        "job.rows_decided", "Rows that were open in other jobs run here or are done.", "rows of other jobs decided"
    ),
    EventType(
        "job.failures",
        "The failed items of the round have reached 1, 10, 100, 1000 and so on.",
        lambda facts: f"{plural(_count(facts, 'failed'), 'item')} failed",
    ),
    EventType("job.succeeded", "The round ended: every item succeeded.", "succeeded"),
    EventType("job.partial", "The round ended: some items succeeded.", "partial"),
    EventType("job.failed", "The round ended: no item succeeded, or a rule stopped the job.", "failed"),
    EventType("job.cancelled", "The round ended because the job was cancelled.", "cancelled"),
    EventType("job.expired", "The round ended at the deadline of the job.", "expired"),
    EventType(
        "job.noted", "Something else; a newer jobctl has written it.", lambda facts: str(facts.get("word") or "")
    ),
    EventType("item.cancelled", "Somebody asked to cancel one item, or several.", _cancelled),
    EventType("item.succeeded", "An item succeeded.", lambda facts: _tried(facts, "succeeded")),
    EventType(
        "item.failed", "An item failed and will not run again in this round.", lambda facts: _tried(facts, "failed")
    ),
    EventType(
        "item.retrying",
        "An attempt failed, and another one follows.",
        lambda facts: _tried(facts, "failed", ", runs again"),
    ),
    EventType("item.unprocessed", "An item will not run in this round.", "will not run"),
    EventType("delivery.delivered", "A notification was delivered.", "notification delivered"),
    EventType("delivery.dead", "A notification was given up.", "notification given up"),
    EventType("delivery.disabled", "A receiver of notifications is gone and gets no more.", "notification disabled"),
    EventType("delivery.resent", "Somebody sent a notification again.", "notification sent again"),
    EventType("queue.paused", "No more items of a queue start.", lambda facts: f"{_queue(facts)} paused"),
    EventType("queue.resumed", "A paused queue continues.", lambda facts: f"{_queue(facts)} resumed"),
    EventType("queue.set", "The limits of a queue were changed.", lambda facts: f"{_queue(facts)} changed"),
    EventType("store.restored", "The database was replaced by a copy; what came after the copy is lost.", "restored"),
)
TYPES = {each.name: each for each in _ALL}
#: The words of the journal. The others depend on the line.
_BY_WORD = {
    **{word: f"job.{word}" for word in ("submitted", "held", "queued", "paused", "resumed", "cancelling", "retried")},
    **{word: f"job.{word}" for word in ("rules_changed", "undo", "failures")},
    "running": "job.started",
    "interrupted": "job.recovered",
    "followed": "job.rows_decided",
    "cancelled": "item.cancelled",
    "items_cancelled": "item.cancelled",
    **{f"notify_{state}": f"delivery.{state}" for state in ("delivered", "dead", "disabled", "resent")},
    **{f"queue_{verb}": f"queue.{verb}" for verb in ("paused", "resumed", "set")},
    "restored": "store.restored",
}
#: The types of the ends of rounds, which notifications carry as well.
ENDS = frozenset(f"job.{state.value}" for state in TERMINAL_JOB_STATES)
#: The actor of what nobody has asked for.
ENGINE = "engine"


def event_type(word: str, reason: str, data: Facts) -> str:
    """The type of a line of the journal with this word, reason and data."""
    if word == "finished" and f"job.{reason}" in ENDS:
        return f"job.{reason}"
    if word in ("stop", "stop_now"):
        return "job.cancel_requested" if data.get("rule") == "cancel" else "job.stopping"
    return _BY_WORD.get(word, "job.noted")


def sentence(name: str, actor: str, reason: str, facts: Facts) -> str:
    """What happened, by whom and why: ``paused by alice: too slow``. The engine is not named."""
    words = TYPES[name].words
    happened = words if isinstance(words, str) else words(facts)
    by = "" if actor in ("", ENGINE) else f" by {actor}"
    return f"{happened}{by}" + (f": {reason}" if reason else "")
