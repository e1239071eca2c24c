"""The jobs that a verb acts on: those that a filter selects, and those that a name can mean."""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import closing
from typing import NamedTuple

from jobctl.config import Home
from jobctl.domain.job_filter import LIVE_JOB_STATES, JobFilter
from jobctl.domain.states import TERMINAL_JOB_STATES, JobState
from jobctl.domain.texts import LAST, NUMBERS, is_text
from jobctl.store import clock
from jobctl.store.database import Database
from jobctl.store.opening.open import open_database
from jobctl.store.views import job_list
from jobctl.store.views.job_list import ListedJob

_NUMBERS = re.compile(rf"{NUMBERS}\Z")
_ITEMS = re.compile(rf"(?P<job>.+)(?P<items>\.{NUMBERS})\Z", re.DOTALL)
_LONGEST_NAME = 1_000


class JobVerb(NamedTuple):
    """A command that acts on jobs."""

    name: str
    states: tuple[str, ...]  # of the jobs on which it has an effect
    such: str  # these jobs, in words


CANCEL = JobVerb("cancel", LIVE_JOB_STATES, "not done")
PAUSE = JobVerb("pause", (JobState.QUEUED, JobState.RUNNING), "queued or running")
RESUME = JobVerb("resume", (JobState.PAUSED,), "paused")
PRUNE = JobVerb("prune", tuple(state for state in JobState if state in TERMINAL_JOB_STATES), "done")
#: A wait for jobs that are named or selected counts the results of those that are done already.
WAIT = JobVerb("wait", tuple(JobState), "known")
WAIT_FOR_ALL = JobVerb("wait", LIVE_JOB_STATES, "not done")


class Meaning(NamedTuple):
    """A word of a command line, and the jobs of this name on which the verb has an effect, the newest first."""

    word: str
    items: str  # the part of the word that names items: ".17", or empty
    jobs: list[ListedJob]


def jobs_selected(home: Home, wanted: JobFilter, states: Sequence[str], now: int) -> list[ListedJob]:
    """The jobs in one of these states that a filter selects, in the order of their numbers.

    ``now`` is in microseconds UTC. Raises NotFound for a home without a store.
    """
    with closing(open_database(home)) as database, database.snapshot():
        found = job_list.numbers(database, wanted.within(states), clock.in_store(database, now))
        return job_list.listed(database, found)


def meanings(home: Home, words: Sequence[str], verb: JobVerb) -> list[Meaning]:
    """The jobs that each word can mean, if it is a name; other words have no jobs here. Raises NotFound."""
    with closing(open_database(home)) as database:
        return [_meaning(database, word, verb) for word in words]


def _meaning(database: Database, word: str, verb: JobVerb) -> Meaning:
    if not _is_name(word):
        return Meaning(word, "", [])
    found = _jobs_called(database, word)
    match = None if found else _ITEMS.match(word)
    if match is not None and _is_name(match["job"]):
        found = _jobs_called(database, match["job"])
    items = "" if match is None else match["items"]
    return Meaning(word, items, [job for job in found if job.state in verb.states])


def _jobs_called(database: Database, name: str) -> list[ListedJob]:
    return job_list.listed(database, job_list.of_name(database, name))


def _is_name(word: str) -> bool:
    """Whether a word can be the name of a job: it is neither a number nor the word for the newest job."""
    bad = not word or len(word) > _LONGEST_NAME or "\0" in word or not is_text(word)
    return not (bad or word == LAST or _NUMBERS.match(word))
