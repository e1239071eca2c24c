"""The jobs that a command line means for a verb: its words, or the conditions in place of them, after a question."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from typer import Context

from jobctl.cli.job_conditions import ALL, CONDITIONS, YES, filter_of, names_given, refuse_with_jobs, value_of
from jobctl.cli.session import now_us, session
from jobctl.errors import UsageError

if TYPE_CHECKING:
    from jobctl.domain.job_filter import JobFilter
    from jobctl.services.control.job_choice import JobVerb, Meaning
    from jobctl.store.views.job_list import ListedJob

#: Up to this number of jobs, a change that can be taken back needs no question.
FEW = 10


def selects(ctx: Context) -> bool:
    """Whether a command line selects jobs by conditions or with --all."""
    return bool(names_given(ctx, (*CONDITIONS, ALL)))


def check_words(ctx: Context, words: Sequence[str] | None) -> None:
    """Raises UsageError unless either words or conditions say which jobs are meant."""
    if words:
        refuse_with_jobs(ctx, (*CONDITIONS, ALL))
    elif not selects(ctx):
        raise UsageError(
            f"{ctx.info_name} needs a JOB, or a condition on jobs",
            hint=f"{ctx.command_path} JOB..., or {ctx.command_path} --name 'nightly*'; {ctx.command_path} --help",
        )


def condition_of(ctx: Context, verb: JobVerb, *, queue: str | None = None) -> JobFilter:
    """The filter of a command line for a verb. Raises UsageError."""
    found = filter_of(ctx, now_us(), verb.states, verb.name)
    return found if queue is None else found._replace(queue=queue)


def selected(ctx: Context, verb: JobVerb, *, queue: str | None = None) -> list[ListedJob]:
    """The jobs that the conditions of a command line select and on which the verb has an effect."""
    from jobctl.services.control.job_choice import jobs_selected

    shared = session(ctx)
    found = jobs_selected(shared.home, condition_of(ctx, verb, queue=queue), verb.states, now_us())
    if not found:
        shared.note(f"no job that is {verb.such} is selected: nothing was changed")
    return found


def selected_to_end(ctx: Context, verb: JobVerb, deed: str) -> list[int]:
    """The jobs that the conditions select for a verb that ends them, once a person or ``--yes`` has permitted it."""
    from jobctl.cli.asking import permit
    from jobctl.domain.wording import plural

    jobs = selected(ctx, verb)
    if jobs:
        left = sum(job.left for job in jobs)
        items = f" with {plural(left, 'item')} left" if left else ""
        permit(session(ctx), f"{deed} {plural(len(jobs), 'job')}{items}", _lines(ctx, jobs), yes=_is_permitted(ctx))
    return [job.id for job in jobs]


def selected_to_change(ctx: Context, verb: JobVerb, *, queue: str | None = None) -> list[int]:
    """The jobs that the conditions select for a verb that can be taken back.

    A person is asked if there are more than FEW, because a pattern that fits a long list may be a mistake, which takes
    long to take back. A script is not: nothing is lost.
    """
    from jobctl.cli.asking import permit
    from jobctl.domain.wording import plural

    jobs = selected(ctx, verb, queue=queue)
    yes = _is_permitted(ctx) or len(jobs) <= FEW or session(ctx).json
    permit(session(ctx), f"{verb.name} {plural(len(jobs), 'job')}", _lines(ctx, jobs), yes=yes, needs_yes=False)
    return [job.id for job in jobs]


def clear_words(ctx: Context, words: Sequence[str], verb: JobVerb, *, may_ask: bool = True) -> list[str]:
    """The words of a command line, with numbers in place of names; for a name that several jobs have, a person chooses.

    Only jobs on which the verb has an effect count. Raises UsageError where nobody can be asked.
    """
    from jobctl.services.control.job_choice import meanings

    found = meanings(session(ctx).home, words, verb)
    return [word for each in found for word in _words_of(ctx, each, verb, may_ask=may_ask)]


def _words_of(ctx: Context, meaning: Meaning, verb: JobVerb, *, may_ask: bool) -> list[str]:
    if not meaning.jobs:
        return [meaning.word]
    numbers = [job.id for job in meaning.jobs]
    if len(numbers) > 1:
        numbers = _chosen(ctx, meaning, verb, numbers, may_ask=may_ask)
    return [f"{number}{meaning.items}" for number in numbers]


def _chosen(ctx: Context, meaning: Meaning, verb: JobVerb, numbers: list[int], *, may_ask: bool) -> list[int]:
    import shlex

    from jobctl.cli.asking import is_attended, pick
    from jobctl.domain.job_filter import exactly
    from jobctl.domain.wording import plural

    name = meaning.word.removesuffix(meaning.items)
    heading = f"{plural(len(numbers), 'job')} that are {verb.such} have the name {name!r}"
    if may_ask and is_attended(session(ctx)) and not _is_permitted(ctx):
        return pick(f"{heading}:", _lines(ctx, meaning.jobs), numbers)
    one = f"{ctx.command_path} {numbers[0]}{meaning.items}"
    several = ",".join(map(str, sorted(numbers))) if len(numbers) <= FEW else f"--name {shlex.quote(exactly(name))}"
    raise UsageError(
        f"{heading}, and it is not clear which one is meant",
        details=_lines(ctx, meaning.jobs),
        hint=one if meaning.items else f"{one}, or all of them: {ctx.command_path} {several}",
    )


def _lines(ctx: Context, jobs: Sequence[ListedJob]) -> list[str]:
    from jobctl.render.choice import job_lines

    return job_lines(jobs, now_us(), session(ctx).colorless_look(sys.stderr))


def _is_permitted(ctx: Context) -> bool:
    return bool(value_of(ctx, YES))
