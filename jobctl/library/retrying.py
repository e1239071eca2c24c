"""Another round of a job, a new job of its rows, and a job that takes its rows back, for ``Job``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from jobctl.domain.selection import Selection
from jobctl.domain.states import ItemState
from jobctl.library.records import wrap
from jobctl.process import moment

if TYPE_CHECKING:
    from jobctl import Job
    from jobctl.library.documents import PreviewDocument, RetriedBlock


def next_round(job: Job, chosen: Selection, given: Mapping[str, Any], words: tuple[str, ...]) -> RetriedBlock:
    """Begin another round of the job. Raises UsageError for an option of a new job, NotFound."""
    from jobctl.library.documents import RetryDocument
    from jobctl.services.control.retry import retry_all, retry_document, selections
    from jobctl.services.control.round_rules import rules_of_round
    from jobctl.services.control.targets import targets_of
    from jobctl.services.submit.copy_options import refuse_without_as_new

    refuse_without_as_new(given, words)
    home = job.store.place
    wanted = selections(targets_of(home, [str(job.id)]), chosen)
    answers = retry_all(home, wanted, rules_of_round(given), now=moment.now())
    return wrap(retry_document(answers), RetryDocument).retried[0]


def as_new_job(
    job: Job, chosen: Selection, given: Mapping[str, Any], words: tuple[str, ...], *, dry_run: bool
) -> Job | PreviewDocument:
    """Make a new job of rows of this one, or only say what it would be. Raises UsageError, NotFound."""
    from jobctl.library.documents import PreviewDocument
    from jobctl.library.submitting import place_of
    from jobctl.services.control.retry import selections
    from jobctl.services.control.targets import targets_of
    from jobctl.services.submit.copied_job import CopiedJob
    from jobctl.services.submit.copy_options import check_copy, copy_request
    from jobctl.services.submit.documents import preview_document

    store = job.store
    place, notes = place_of(store)
    wanted = selections(targets_of(store.place, [str(job.id)]), chosen, tuple(ItemState))[job.id]
    copied = CopiedJob(store.place, copy_request(job.id, wanted, given, words, place), now=place.now)
    check_copy(given, words, copied, place)
    if dry_run:
        return wrap(preview_document(copied.preview()), PreviewDocument)
    accepted = copied.accept()
    notices = (*notes, *accepted.notices)
    return type(job)(store, accepted.job, uid=accepted.uid, replayed=accepted.replayed, notices=notices)


def undo_job(
    job: Job,
    chosen: Selection,
    work: tuple[tuple[str, ...], str | None, str | None],
    rules: Mapping[str, Any],
) -> Job:
    """Make a job that takes rows back. Raises UsageError, NotFound."""
    from jobctl.services.control.round_rules import rules_of_round
    from jobctl.services.control.undo import UndoRequest, undo, undo_selection
    from jobctl.services.submit.way_back import words_of

    command, shell, call = work
    named = [name for name, value in (("--shell", shell), ("--call", call), ("a COMMAND", command)) if value]
    words = words_of(named, command, shell, call, "--call")
    request = UndoRequest(job.id, undo_selection(chosen), words, rules_of_round(rules))
    answer = undo(job.store.place, request, now=moment.now())
    return type(job)(job.store, answer.job, notices=tuple(line.strip() for line in answer.sentences))
