"""The work that takes rows back, as a command line gives it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from typer import Context

from jobctl.cli.session import Session, now_us, session
from jobctl.cli.submission.accepting import make_job
from jobctl.cli.submission.reading_progress import WritingProgress

if TYPE_CHECKING:
    from jobctl.services.control.undo import UndoAnswer, UndoRequest


def undo_request(ctx: Context, target: str, shell: str | None, call: str | None) -> UndoRequest:
    """The undo job that a command line asks for. Raises NotFound, and UsageError that names the wrong option."""
    from jobctl.cli.item_conditions import selection_of
    from jobctl.cli.submission.options import command_line, values
    from jobctl.services.control.round_rules import rules_of_round
    from jobctl.services.control.targets import one_job_of
    from jobctl.services.control.undo import UndoRequest, undo_selection
    from jobctl.services.selection import with_items
    from jobctl.services.submit.way_back import words_of

    command = tuple(command_line(ctx).words)
    named = [name for name, value in (("--shell", shell), ("--call", call), ("a COMMAND", command)) if value]
    words = words_of(named, command, shell, call, "--call")
    job, items = one_job_of(session(ctx).home, target)
    return UndoRequest(
        job, with_items(undo_selection(selection_of(ctx)), items, target), words, rules_of_round(values(ctx))
    )


def make_undo(shared: Session, request: UndoRequest) -> UndoAnswer:
    """Make the undo job, and show how far its rows are written. Raises as ``services.control.undo.undo``."""
    from jobctl.services.control.undo import undo

    def left_by(undo_job: int | None) -> str:
        if undo_job is None:
            return f"no undo job was made, and nothing of job {request.job} is taken back"
        status = f"{shared.program} status {undo_job}"
        return f"  job {undo_job} takes back rows of job {request.job} nevertheless: {status}"

    def make(writing: WritingProgress) -> UndoAnswer:
        return undo(shared.home, request, now=now_us(), watch=writing)

    return make_job(WritingProgress(shared), make, left_by)
