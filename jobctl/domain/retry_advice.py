"""The command that retries a job with a chance of success: a job that was cut off needs more than another round.

This is decided here alone. The status, ``next``, ``explain``, the summary of a run, the report and notifications show
the same command.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple

from jobctl.domain.durations import MAX_DURATION_S, duration_text
from jobctl.domain.policy import MOST_LIMITS, Policy
from jobctl.domain.states import JobState

_MINUTE, _HOUR, _DAY = 60, 3_600, 86_400
#: Durations that people would give, in seconds, shortest first.
_ROUND = (
    *(1, 2, 3, 5, 10, 15, 20, 30),
    *(_MINUTE * count for count in (1, 2, 3, 5, 10, 15, 20, 30)),
    *(_HOUR * count for count in (1, 2, 3, 4, 6, 8, 12)),
    *(_DAY * count for count in (1, 2, 3, 5, 7, 10, 14, 20, 30)),
)
TIMEOUT, KILLED = "timeout", "sigkill"
#: The causes of items whose command does not exist or cannot be executed.
ABSENT = ("exit_126", "exit_127", "not_started")
ENV_MISSING = "env_missing"
#: The causes that change the command, or about which a person should know something before the retry.
CAUSES = (TIMEOUT, KILLED, ENV_MISSING, *ABSENT)


class Advice(NamedTuple):
    """The rules that a retry needs, and what a person should know before it."""

    options: tuple[str, ...] = ()  # words of the command
    note: str = ""


def retry_advice(policy: Policy, causes: Collection[str], state: str, now: int, undo_of: int | None = None) -> Advice:
    """The advice for items that failed for these causes in a job of this state; ``now`` is in microseconds UTC.

    ``undo_of`` is the job whose rows an undo job takes back.
    """
    options: list[str] = []
    notes: list[str] = []
    limits_s = [policy.limit_s(attempt) for attempt in range(1, min(policy.attempts, MOST_LIMITS) + 1)]
    if TIMEOUT in causes and (limit_s := max(limit or 0.0 for limit in limits_s)):
        options += ["--timeout", duration_text(longer(limit_s))]
        notes.append("with a longer time limit")
    if policy.deadline_at is not None and (policy.ends_at(now) or 0) <= now:
        from jobctl.domain.job_options import NO_LIMIT  # a large table, which no status needs

        options += ["--deadline", NO_LIMIT]
        notes.append("without its deadline, which has passed (--deadline TIME gives another one)")
    elif state == JobState.EXPIRED and policy.deadline_s:
        options += ["--deadline", duration_text(longer(policy.deadline_s))]
        notes.append("with a later deadline")
    if KILLED in causes and policy.slots and policy.slots > 1:
        options += ["--slots", str(policy.slots // 2)]
        notes.append("with fewer items at once, because items were killed, as if memory had run out")
    elif KILLED in causes and policy.slots is None:
        notes.append("items were killed, as if memory had run out: --slots N runs fewer at once")
    if any(code in causes for code in ABSENT):
        another = "--as-new -- COMMAND" if undo_of is None else f"jobctl undo {undo_of} -- COMMAND"
        notes.append(f"the command was not found or cannot be executed: repair it, or give another: {another}")
    if ENV_MISSING in causes:
        notes.append("a variable is missing in the environment of the daemon: --env NAME=VALUE gives it")
    return Advice(tuple(options), "; ".join(notes))


def longer(limit_s: float) -> float:
    """A round number of seconds that is at least twice as long."""
    found = next((each for each in _ROUND if each >= 2 * limit_s), 2 * limit_s)
    return float(min(found, MAX_DURATION_S))


def retry_command(
    program: str, job: int, advice: Advice, *, before: Sequence[tuple[int, Advice]] = (), more: Sequence[str] = ()
) -> str:
    """The command line for a retry of a job with the rules that it needs, after the jobs ``before`` it.

    Jobs that need rules get a command of their own, because the rules of a command count for all jobs that it names.
    """
    plain = [str(number) for number, each in before if not each.options]
    others = [(program, "retry", str(number), *each.options) for number, each in before if each.options]
    if not advice.options and not others:
        return " ".join((program, "retry", *plain, str(job), *more))
    first = [(program, "retry", *plain)] if plain else []
    return " && ".join(map(" ".join, (*first, *others, (program, "retry", str(job), *advice.options, *more))))
