"""The selection of jobs: the conditions that a list or a verb puts on jobs, and the orders of a list.

One filter means the same jobs for every command. ``store/views/job_list.py`` turns it into SQL.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from jobctl.domain.nearest import did_you_mean
from jobctl.domain.states import TERMINAL_JOB_STATES, JobState
from jobctl.errors import UsageError

#: The orders of a list, each with the job that comes first in it.
SORTS = {
    "submitted": "newest first",
    "finished": "last one first",
    "name": "A first",
    "queue": "A first",
    "state": "running ones first",
    "items": "most first",
    "failed": "most first",
    "progress": "most first",
    "eta": "soonest first",
    "priority": "highest first",
}
DEFAULT_SORT = "submitted"
#: The states that are not terminal, in the order of a job's life.
LIVE_JOB_STATES = tuple(state for state in JobState if state not in TERMINAL_JOB_STATES)
#: The highest limit of a list: a larger number does not fit into a statement of SQL.
MOST_LISTED = 1_000_000_000
_REVERSE = "-"
_MAX_PATTERN = 1_000


class JobFilter(NamedTuple):
    """Conditions that all have to be met; without any, it selects every job."""

    states: tuple[str, ...] = ()
    name: str | None = None  # a shell pattern
    labels: tuple[tuple[str, str], ...] = ()
    queue: str | None = None
    since_us: int | None = None  # submitted at most this many microseconds ago
    since_text: str = ""  # as the user wrote it
    owner: str | None = None  # the token that submitted it; no option of a command has it

    def __bool__(self) -> bool:
        """Whether it has a condition."""
        return self != JobFilter()

    @property
    def words(self) -> tuple[str, ...]:
        """The options that make this filter, as a command line has them."""
        return (
            *(("--state", ",".join(self.states)) if self.states else ()),
            *(() if self.name is None else ("--name", self.name)),
            *(word for key, value in self.labels for word in ("--label", f"{key}={value}")),
            *(() if self.queue is None else ("--queue", self.queue)),
            *(("--since", self.since_text) if self.since_text else ()),
        )

    def within(self, states: Iterable[str]) -> JobFilter:
        """The same filter for a verb that has an effect in these states alone."""
        possible = tuple(str(state) for state in states)
        return self._replace(states=tuple(state for state in possible if not self.states or state in self.states))


class JobList(NamedTuple):
    """The jobs of a list, their order, and the place where it is cut."""

    filter: JobFilter = JobFilter()
    sort: str = DEFAULT_SORT
    reverse: bool = False
    limit: int | None = None  # None: the jobs that are not done, and the first of the others
    everything: bool = False  # do not cut

    @property
    def has_order(self) -> bool:
        """Whether its order is another one than that of a list without options."""
        return (self.sort, self.reverse) != (DEFAULT_SORT, False)

    @property
    def words(self) -> tuple[str, ...]:
        """The options of this list without those that cut it."""
        order = f"{_REVERSE if self.reverse else ''}{self.sort}"
        return (*self.filter.words, *(() if order == DEFAULT_SORT else (f"--sort={order}",)))


def command_words(words: Iterable[str]) -> str:
    """Options as text that a shell reads as these words."""
    return " ".join(map(shlex.quote, words))


def parse_states(texts: Sequence[str], allowed: Iterable[str] = (), verb: str = "") -> tuple[str, ...]:
    """Read the states of ``--state failed,partial --state expired``.

    ``allowed``: the states in which the command ``verb`` has an effect; without them, all. Raises UsageError for a word
    that is not one of them.
    """
    known = [str(state) for state in allowed or JobState]
    found = [word.strip() for text in texts for word in text.lower().split(",")]
    for word in found:
        if word not in known:
            if word in tuple(JobState):
                among = f"it acts on jobs that are {', '.join(known)}"
                raise UsageError(f"--state: {verb} has no effect on a job that is {word}", hint=among)
            among = f"the states are {', '.join(known)}"
            raise UsageError(f"--state: {word!r} is not the state of a job", hint=did_you_mean(word, known, among))
    return tuple(dict.fromkeys(found))


def parse_sort(text: str) -> tuple[str, bool]:
    """Read ``failed``, or ``-failed`` for the reverse order; returns the order, and whether it is reversed.

    Raises UsageError for an unknown order, with all of them.
    """
    word = text.lower().strip()
    key = word.removeprefix(_REVERSE)
    if key not in SORTS:
        among = f"it is one of {', '.join(SORTS)}; with {_REVERSE} before it, the other way round"
        raise UsageError(f"--sort: jobs are not sorted by {text!r}", hint=did_you_mean(key, SORTS, among))
    return key, word != key


def exactly(name: str) -> str:
    """The pattern that fits this name alone."""
    return "".join(f"[{letter}]" if letter in "*?[" else letter for letter in name)


def parse_pattern(text: str) -> str:
    """Read a shell pattern for names. Raises UsageError for one that is too long, or that cannot fit any name."""
    if len(text) > _MAX_PATTERN or not text.isprintable():
        raise UsageError(
            f"--name: a pattern has at most {_MAX_PATTERN} printable characters",
            hint="for example --name 'nightly*'; * is any text, ? any character, [ab] one of these",
        )
    return text
