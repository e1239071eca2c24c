"""The options that select jobs: one table for the commands that list jobs, and for those that act on several."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from typer import Context

from jobctl.cli.command import Command
from jobctl.cli.kept_options import KeptOption, declared, insert, values_of
from jobctl.domain.job_options import is_given
from jobctl.errors import UsageError

if TYPE_CHECKING:
    from jobctl.domain.job_filter import JobFilter, JobList

PANEL = "Which jobs"
_VALUES = "jobctl.job_conditions"


def _option(name: str, metavar: str, text: str, *, multiple: bool = False) -> KeptOption:
    return KeptOption((name,), metavar, text, multiple, is_main=True)


STATE = _option("--state", "STATE[,STATE...]", "Only jobs in one of these states; may be repeated.", multiple=True)
NAME = _option("--name", "PATTERN", "Only jobs with a name that fits this shell pattern: 'nightly*'.")
LABEL = _option(
    "--label", "NAME=VALUE", "Only jobs with this label; may be repeated, then all must fit.", multiple=True
)
QUEUE = _option("--queue", "NAME", "Only jobs of this queue.")
SINCE = _option("--since", "WHEN", "Only jobs that were submitted since then: 2h, 22:00, yesterday or 2026-12-01.")
SORT = _option(
    "--sort", "ORDER", "Sort by failed, finished, eta, name or another order; default: submitted; -ORDER reverses it."
)
LIMIT = KeptOption(
    ("--limit",),
    "N",
    "List at most N jobs; default: jobs that are not done, and 20 others.",
    number=True,
    is_main=True,
)
ALL = _option("--all", "", "All jobs on which the command has an effect.")
YES = KeptOption(("--yes", "-y"), "", "Do it without a question.", is_main=True)
CONDITIONS = (STATE, NAME, LABEL, QUEUE, SINCE)


class _ConditionsCommand(Command):
    """A command with options from the table; they come after its own."""

    conditions: tuple[KeptOption, ...] = ()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        insert(self, [declared(option, _VALUES, PANEL) for option in self.conditions])


class EndCommand(_ConditionsCommand):
    """A command that ends or removes jobs."""

    conditions = (*CONDITIONS, ALL, YES)


class ChangeCommand(_ConditionsCommand):
    """A command that changes jobs or queues; it has an option --queue of its own."""

    conditions = (STATE, NAME, LABEL, SINCE, ALL, YES)


class WaitCommand(_ConditionsCommand):
    """A command that waits for jobs."""

    conditions = (*CONDITIONS, ALL)


class EventsCommand(_ConditionsCommand):
    """A command about the events of jobs; it has an option --since of its own."""

    conditions = (NAME, LABEL, QUEUE)


class ListCommand(_ConditionsCommand):
    """A command that lists jobs."""

    conditions = (*CONDITIONS, SORT, LIMIT)


def value_of(ctx: Context, option: KeptOption) -> Any:
    """The value of an option of this table; None, False or an empty list if it was not given."""
    return values_of(ctx, _VALUES).get(option.key)


def names_given(ctx: Context, options: Iterable[KeptOption] = CONDITIONS) -> list[str]:
    """The options of the table that were given, as they are typed."""
    return [option.names[0] for option in options if is_given(value_of(ctx, option))]


def filter_of(ctx: Context, now: int, states: Iterable[str] = (), verb: str = "") -> JobFilter:
    """The filter that a command line means; ``now`` in microseconds UTC.

    ``states``: those in which the command ``verb`` has an effect on a job; without them, all. Raises UsageError.
    """
    from jobctl.domain.job_filter_options import filter_from

    return filter_from(values_of(ctx, _VALUES), now, states, verb)


def list_of(ctx: Context, now: int, *, everything: bool) -> JobList:
    """The list that a command line means; ``now`` in microseconds UTC. Raises UsageError."""
    from jobctl.domain.job_filter_options import list_from

    return list_from(values_of(ctx, _VALUES), now, everything=everything)


def refuse_with_jobs(ctx: Context, options: Iterable[KeptOption] = (*CONDITIONS, SORT, LIMIT)) -> None:
    """Raises UsageError if options that select jobs were given in addition to jobs."""
    given = names_given(ctx, options)
    if given:
        raise UsageError(
            f"JOB and {given[0]} at once: {given[0]} selects jobs, and JOB names them",
            hint=f"{ctx.command_path} JOB..., or {ctx.command_path} {given[0]} ...",
        )
