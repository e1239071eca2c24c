"""``Store.prune``: the jobs that a program removes."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from jobctl.domain.durations import option_duration
from jobctl.domain.job_filter_options import filter_from
from jobctl.errors import UsageError
from jobctl.library.given import text_of
from jobctl.library.selecting import job_conditions
from jobctl.process import moment
from jobctl.services.control.job_choice import PRUNE, jobs_selected, meanings
from jobctl.services.control.prune import prunable
from jobctl.services.control.prune import prune as prune_store
from jobctl.services.control.prune_choice import PruneOptions, age_as_set
from jobctl.services.settings.settings import load_settings

if TYPE_CHECKING:
    from jobctl import Store
    from jobctl.domain.documents.control import PruneDocument

#: The most jobs of one name that a message lists.
_NAMED = 10


def prune(
    store: Store,
    jobs: Sequence[object],
    older_than: Any,
    options: PruneOptions,
    conditions: dict[str, Any],
    *,
    everything: bool,
) -> PruneDocument:
    """Remove finished jobs; see ``Store.prune``. ``options`` has the switches."""
    given = [name for name, value in conditions.items() if value not in (None, (), [])]
    _refuse_contradictions(jobs, older_than, given, options, everything=everything)
    age_s = 0.0 if jobs or everything else _age_s(store, older_than)
    words = [text_of("jobs", job) for job in jobs]
    _refuse_unclear(store, words)
    numbers = prunable(store.place, words) if words else None
    among = _among(store, conditions) if given else None
    options = replace(options, older_than_s=age_s, jobs=numbers, among=among)
    return prune_store(store.place, options, now=moment.now()).document()


def _refuse_contradictions(
    jobs: Sequence[object], older_than: object, given: list[str], options: PruneOptions, *, everything: bool
) -> None:
    if jobs and (given or everything):
        name = given[0] if given else "all"
        raise UsageError(f"jobs and {name} at once: {name} selects jobs, and jobs names them", hint="give one of them")
    if older_than is not None and everything:
        raise UsageError("all and older_than at once", hint="give one of them: all removes jobs of every age")
    if options.keep_failed and options.include_failed:
        raise UsageError("keep_failed and include_failed at once", hint="give one of them")
    if jobs and older_than is not None:
        raise UsageError("jobs and older_than at once", hint="a job that is named is removed however young it is")


def _refuse_unclear(store: Store, words: Sequence[str]) -> None:
    """Raise UsageError for a name that several finished jobs have: a program must not remove one by chance."""
    for found in meanings(store.place, words, PRUNE):
        if len(found.jobs) > 1:
            numbers = ", ".join(str(job.id) for job in found.jobs[:_NAMED])
            raise UsageError(
                f"{len(found.jobs)} jobs that are {PRUNE.such} have the name {found.word!r}",
                hint=f"give the number ({numbers}), or all of them with name={found.word!r}",
            )


def _age_s(store: Store, older_than: Any) -> float:
    """The age in seconds: the argument, otherwise the setting, otherwise the default."""
    if older_than is not None:
        return option_duration("--older-than", text_of("older-than", older_than))
    age_s = age_as_set(load_settings(os.environ, store.folder))
    store.log_ignored("prune")
    return age_s


def _among(store: Store, conditions: dict[str, Any]) -> frozenset[int]:
    """The finished jobs that meet the conditions."""
    now = moment.now()
    wanted = filter_from(job_conditions(conditions), now, PRUNE.states, PRUNE.name)
    return frozenset(job.id for job in jobs_selected(store.place, wanted, PRUNE.states, now))
