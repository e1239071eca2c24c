"""The words about a retry: the selection in the journal, and the reason why nothing runs again."""

from __future__ import annotations

from dataclasses import replace

from jobctl.domain.nearest import did_you_mean
from jobctl.domain.selection import Selection
from jobctl.domain.spans import spelled
from jobctl.domain.wording import plural
from jobctl.errors import WrongState
from jobctl.services.selection import SelectedItems, nothing_selected, shortened
from jobctl.store import another_round
from jobctl.store.database import Database
from jobctl.store.job_row import JobRow
from jobctl.store.views import failures as failure_views


def nothing_to_retry(
    database: Database, row: JobRow, selection: Selection, left_out: int, elsewhere: int
) -> WrongState:
    """The error for a selection of which no item runs again: why, and what to type."""
    if elsewhere:
        return WrongState(
            f"job {row.id}: another job of the name {row.name!r} has the rows of {plural(elsewhere, 'item')}, or has"
            " done them",
            hint=f"jobctl status shows it; once it has ended, what failed there runs again with: jobctl retry {row.id}",
        )
    if left_out:
        named = f"{row.id}.{spelled(selection.items)}" if selection.items else str(row.id)
        return WrongState(
            f"job {row.id}: {plural(left_out, 'item')} failed with an unknown outcome and may have had their effect",
            hint=f"to run them again nevertheless: jobctl retry {named} --unknown",
        )
    if selection.undone and not selection.names_kinds:
        hint = f"jobctl undo {row.id} takes rows back"
        if row.undo_of is not None:
            hint = f"it takes back rows of job {row.undo_of}, which run again with: jobctl retry {row.undo_of} --undone"
        return WrongState(f"job {row.id}: none of these rows was taken back", hint=hint)
    if selection.is_default:
        hint = f"jobctl status {row.id}"
        if row.undo_of is None:  # the rows of an undo job cannot be those of a new job
            hint += f"; to run its rows in a new job: jobctl retry {row.id} --as-new --items 1-"
        return WrongState(f"job {row.id} {row.state}: there is nothing to retry", hint=hint)
    known = list(dict.fromkeys(cause.code for cause in failure_views.failures(database, row.id)))
    unknown = [cause for cause in selection.causes if cause.partition(":")[0] not in known]
    if unknown and known:
        hint = did_you_mean(unknown[0], known, f"its causes of failure: {', '.join(known)}")
        return WrongState(f"job {row.id} has no failure {unknown[0]!r}", hint=hint)
    return WrongState(
        f"job {row.id} has no such item to retry",
        details=[] if selection.undone else [_which_part(database, row, selection)],
        hint=f"jobctl items {row.id} --state failed,unprocessed",
    )


def _which_part(database: Database, row: JobRow, selection: Selection) -> str:
    """How many items each part of a selection leaves. The condition is not evaluated again."""
    chosen = SelectedItems(database, row.id, replace(selection, where=""), now=0, default=another_round.STATES)
    return nothing_selected(database, chosen, selection.where)


def reason_of(selection: Selection) -> str:
    """A selection in words, for the journal."""
    parts = [state.word for state in selection.states] + (["unknown"] if selection.unknown else [])
    parts += ["taken back"] if selection.undone else []
    parts += [f"cause {cause}" for cause in selection.causes]
    if selection.items:
        parts.append(f"items {shortened(spelled(selection.items))}")
    if selection.where:
        parts.append(f"where {shortened(selection.where)}")
    return ", ".join(parts) or "all that did not succeed"
