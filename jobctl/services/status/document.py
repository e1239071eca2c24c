"""The status document (``jobctl.status/1``): everything about a job, with and without a daemon.

All keys are always present, and unknown values are null; changes within /1 only add keys. Its cost does not depend on
the size of the job: the counters come from the row of the job, causes of failure from a table of their own, and running
items through an index that has no other items.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import closing
from typing import TYPE_CHECKING, Final, cast

from jobctl.config import Home
from jobctl.domain.durations import format_time
from jobctl.domain.handler_kinds import kind_of
from jobctl.domain.job_filter import JobList, command_words
from jobctl.errors import NotFound
from jobctl.services.daemon.view import DOWN
from jobctl.services.status.blocks import (
    counters,
    durations_block,
    input_block,
    results_block,
    running_block,
    throughput_block,
)
from jobctl.services.status.failures import all_causes, failures_block, retry_block, unsuccessful_before
from jobctl.services.status.progress import progress_of
from jobctl.services.status.undo import undo_block
from jobctl.services.why.attention import Attention, attention
from jobctl.services.why.blockers import Blocker, blockers_of, situation_with_blockers
from jobctl.services.why.reason import next_commands, state_reason
from jobctl.services.why.situation import Situation, StoreFacts, situation_of, store_facts
from jobctl.store.database import Database
from jobctl.store.opening.open import open_database
from jobctl.store.views import failures as failure_views
from jobctl.store.views import job_list
from jobctl.store.views import jobs as job_views
from jobctl.store.views import outbox as outbox_views

if TYPE_CHECKING:
    from jobctl.domain.documents.daemon import DaemonBlock
    from jobctl.domain.documents.failures import FailuresBlock, RetryBlock
    from jobctl.domain.documents.notify import NotifyBlock
    from jobctl.domain.documents.status import (
        ExecutionPart,
        HandlerName,
        MoreJobsBlock,
        StatePart,
        StatusDocument,
        StatusListDocument,
    )
    from jobctl.domain.documents.values import JobStateName
    from jobctl.store.views.job_list import Place
    from jobctl.store.views.jobs import JobView

SCHEMA: Final = "jobctl.status/1"
LIST_SCHEMA: Final = "jobctl.status_list/1"
#: The most causes of failure in the document of one job, and in a list of jobs.
GROUPS = 10
GROUPS_IN_LIST = 3
#: Finished jobs in a list unless all are asked for.
FINISHED_IN_LIST = 20
_PLAIN_LIST = JobList()


def job_document(database: Database, home: Home, job_id: int, now: int, *, program: str = "jobctl") -> StatusDocument:
    """Return the document of one job at this moment (``now`` in microseconds UTC).

    ``program`` is the command line of jobctl in the commands of the document. Raises NotFound.
    """
    return job_documents(database, home, [job_id], now, program=program)[0]


def job_documents(
    database: Database, home: Home, job_ids: Sequence[int], now: int, *, program: str = "jobctl"
) -> list[StatusDocument]:
    """Return the documents of several jobs at the same moment. Raises NotFound."""
    with database.snapshot():
        store = store_facts(database, home, now, program)
        return [document_of(store, *situation_with_blockers(store, number)) for number in job_ids]


def bundle(database: Database, documents: list[StatusDocument], now: int) -> StatusListDocument:
    """Return several documents as ``jobctl.status_list/1``."""
    daemon = documents[0]["daemon"] if documents else DOWN.document()
    return _list(documents, daemon, job_views.job_total(database), now, len(documents), None)


def status_of(home: Home, texts: Sequence[str], now: int, *, program: str = "jobctl") -> list[StatusDocument]:
    """Return the documents of the jobs that these words name. Raises NotFound, UsageError."""
    from jobctl.services.control.targets import resolve_jobs  # a list of jobs does not need it

    with closing(open_database(home)) as database:
        return job_documents(database, home, resolve_jobs(database, texts), now, program=program)


def status_list_of(
    home: Home, now: int, listing: JobList = _PLAIN_LIST, *, program: str = "jobctl"
) -> StatusListDocument:
    """Return ``jobctl.status_list/1`` of a home, which may not have a store yet."""
    try:
        database = open_database(home)
    except NotFound:
        return empty_list_document(now)
    try:
        return list_document(database, home, now, listing, program=program)
    finally:
        database.close()


def bundle_of(home: Home, documents: list[StatusDocument], now: int) -> StatusDocument | StatusListDocument:
    """Return one document unchanged, and several documents as ``jobctl.status_list/1``."""
    if len(documents) == 1:
        return documents[0]
    with closing(open_database(home)) as database:
        return bundle(database, documents, now)


def _list(
    documents: list[StatusDocument],
    daemon: DaemonBlock,
    total: int,
    now: int,
    selected: int,
    more: MoreJobsBlock | None,
) -> StatusListDocument:
    return {
        "schema": LIST_SCHEMA,
        "at": format_time(now),
        "daemon": daemon,
        "jobs": documents,
        "jobs_total": total,
        "jobs_selected": selected,
        "more": more,
    }


def list_document(
    database: Database, home: Home, now: int, listing: JobList = _PLAIN_LIST, *, program: str = "jobctl"
) -> StatusListDocument:
    """Return the jobs of a list in its order, with few causes of failure each.

    Without a limit, these are the live jobs and the first FINISHED_IN_LIST others.
    """
    with database.snapshot():
        store = store_facts(database, home, now, program)
        jobs = job_list.select(database, listing, store.now, finished=FINISHED_IN_LIST)
        total = job_views.job_total(database)
        selected = job_list.count(database, listing.filter, store.now) if listing.filter else total
        cases = (situation_of(store, job) for job in jobs)
        documents = [document_of(store, case, blockers_of(case), in_list=True) for case in cases]
    more = _more(selected - len(documents), listing, program)
    return _list(documents, store.daemon.document(), total, store.now, selected, more)


def page_document(
    database: Database, home: Home, now: int, listing: JobList, after: Place | None = None, *, program: str = "jobctl"
) -> tuple[StatusListDocument, Place | None]:
    """Return one page of a list of jobs as ``jobctl.status_list/1``, and the place after which the next one begins.

    The place is None on the last page.
    """
    with database.snapshot():
        store = store_facts(database, home, now, program)
        jobs, last = job_list.page(database, listing, store.now, after)
        total = job_views.job_total(database)
        selected = job_list.count(database, listing.filter, store.now) if listing.filter else total
        cases = (situation_of(store, job) for job in jobs)
        documents = [document_of(store, case, blockers_of(case), in_list=True) for case in cases]
    return _list(documents, store.daemon.document(), total, store.now, selected, None), last


def _more(jobs: int, listing: JobList, program: str) -> MoreJobsBlock | None:
    """The jobs that were left out of a list, and the command that shows them."""
    if jobs <= 0:
        return None
    return {"jobs": jobs, "command": f"{program} status {command_words((*listing.words, '--all'))}"}


def empty_list_document(now: int) -> StatusListDocument:
    """Return the list of a home without a store."""
    return _list([], DOWN.document(), 0, now, 0, None)


def document_of(
    store: StoreFacts, case: Situation, blockers: Sequence[Blocker], *, in_list: bool = False
) -> StatusDocument:
    """Return the document of a job with these blockers; in a list, it is shorter."""
    job, waiting_rows = case.job, sum(each["rows"] for each in case.follows)
    progress = progress_of(case, is_halted=any(each.kind.halts for each in blockers))
    failures, retry = _failures(store, case, GROUPS_IN_LIST if in_list else GROUPS)
    notify, undelivered = _notifications(store.database, job.id, store.program)
    notices = attention(case, blockers, undelivered)
    undo = undo_block(store.database, job, store.program)
    return {
        **_state_part(job, state_reason(case, blockers, progress)),
        "attention": [{"code": each.code, "message": each.message, "action": each.action} for each in notices],
        **counters(case, progress, waiting_rows),
        "failures": failures,
        "retry": retry,
        "results": results_block(job, store.home),
        "input": input_block(store.database, job, waiting_rows, in_list=in_list),
        "command": kind_of(job.handler).shown_command(json.loads(job.command)),
        "idempotency": {"key": job.key, "replayed": False},
        "policy": case.policy.to_json(),
        "daemon": case.daemon.document(),
        "notify": notify,
        "next": next_commands(case, blockers, retry["command"], all_causes(failures), undo and undo["command"]),
        "undo": undo,
        # No part has ``links``, which only the HTTP server adds.
        **_execution_part(store.database, case, in_list=in_list),  # type: ignore[typeddict-item]
    }


def _state_part(job: JobView, reason: str) -> StatePart:
    """The keys that name a job and say in which state it is."""
    return {
        "schema": SCHEMA,
        "job": job.id,
        "uid": job.uid,
        "name": job.name,
        "queue": job.queue,
        "priority": job.priority,
        "labels": json.loads(job.labels),
        # The store has no other words in this column: a damaged row is repaired when it is read.
        "state": cast("JobStateName", job.state),
        "state_reason": reason,
        "done": job.is_done,
        "ok": job.state == "succeeded" if job.is_done else None,
        "round": job.round,
        "revision": job.revision,
    }


def _execution_part(database: Database, case: Situation, *, in_list: bool) -> ExecutionPart:
    """The keys about the attempts of a job, and about the other jobs for which it waits."""
    job, now = case.job, case.now
    return {
        "handler": cast("HandlerName", job.handler),
        "cwd": job.cwd,
        "attempts": job.attempts,
        "running": [running_block(view, job.input_format, now) for view in case.running],
        "durations": durations_block(database, job),
        # Some hundred numbers, which a list of jobs does not need.
        "throughput": None if in_list or job.started_at is None else throughput_block(database, job, now),
        "call": kind_of(job.handler).call_block(json.loads(job.command), case.policy.recycle),
        "after": case.after,
        "item_key": job.item_key,
        "follows": case.follows,
    }


def _failures(store: StoreFacts, case: Situation, limit: int) -> tuple[FailuresBlock, RetryBlock]:
    """The blocks ``failures``, with at most ``limit`` causes, and ``retry``."""
    database, job = store.database, case.job
    causes = failure_views.failures(database, job.id) if job.attempts or job.failed else []
    before = unsuccessful_before(database, job, case.now) if job.state == "cancelled" else []
    retry = retry_block(case, causes, before)
    if retry["available"] and job.item_key is not None:
        retry["less_others"] = job_views.has_others_of_name(database, job)
    return failures_block(database, job, causes, limit, store.program), retry


def _notifications(database: Database, job: int, program: str) -> tuple[list[NotifyBlock], Attention | None]:
    """The ``notify`` block, and the notice about notifications that were given up."""
    targets = outbox_views.targets(database, job)
    if not targets:
        return [], None
    # Few jobs have targets to notify, and this import is most of the cost of a status.
    from jobctl.services.notify import dead_notice, notify_block

    dead = dead_notice(database, job, program) if any(target.delivery for target in targets) else None
    return notify_block(database, job), None if dead is None else Attention(*dead)
