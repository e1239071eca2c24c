"""The work that takes rows back, as a command line gives it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from typer import Context

from jobctl.cli.session import Session, now_us, session
from jobctl.cli.submission.accepting import make_job
from jobctl.cli.submission.reading_progress import WritingProgress
from jobctl.domain.selection import refuse_states
from jobctl.domain.states import ItemState
from jobctl.errors import UsageError

if TYPE_CHECKING:
    from jobctl.domain.selection import Selection
    from jobctl.services.control.undo import UndoAnswer, UndoRequest
    from jobctl.undo.work import UndoWords


def undo_request(ctx: Context, target: str, shell: str | None, call: str | None) -> UndoRequest:
    """The undo job that a command line asks for. Raises NotFound, and UsageError that names the wrong option."""
    from jobctl.cli.item_conditions import selection_of
    from jobctl.cli.submission.options import command_line
    from jobctl.cli.submission.round_rules import rules_of_round
    from jobctl.services.control.targets import one_job_of
    from jobctl.services.control.undo import UndoRequest
    from jobctl.services.selection import with_items

    command = tuple(command_line(ctx).words)
    named = [name for name, value in (("--shell", shell), ("--call", call), ("a COMMAND", command)) if value]
    words = _words(named, command, shell, call, "--call")
    job, items = one_job_of(session(ctx).home, target)
    return UndoRequest(job, with_items(_selection(selection_of(ctx)), items, target), words, rules_of_round(ctx))


def _selection(given: Selection) -> Selection:
    """The selection without states: rows that succeeded are the default, and ``--unknown`` adds to them."""
    hint = "rows that failed had no effect to take back; add --unknown for those whose outcome is not known"
    refuse_states(given, (ItemState.SUCCEEDED,), "undo", hint)
    return replace(given, states=())


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


def kept_words(given: Mapping[str, Any]) -> UndoWords | None:
    """The way back that a submission keeps; None without one. ``given`` has the options as they were read.

    Raises UsageError if two are given, or an option that needs one.
    """
    named = [f"--{name.replace('_', '-')}" for name in ("undo", "undo_shell", "undo_call") if given[name]]
    if not named:
        if given["undo_on_failure"]:
            raise UsageError(
                "--undo-on-failure needs a way to take a row back",
                hint="--undo COMMAND, --undo-shell TEXT or --undo-call MODULE:FUNCTION",
            )
        return None
    return _words(named, given["undo"] or (), given["undo_shell"], given["undo_call"], "--undo-call")


def _words(
    named: Sequence[str], command: tuple[str, ...], shell: str | None, call: str | None, option: str
) -> UndoWords:
    from jobctl.domain.call import Call, parse_target
    from jobctl.undo.work import UndoWords

    if len(named) > 1:
        raise UsageError(f"{named[0]} and {named[1]} at once", hint="give one of them")
    try:
        function = None if not call else Call(parse_target(call))
    except UsageError as error:
        raise UsageError(f"{option}: {error.message}", hint=error.hint) from None
    return UndoWords(command, shell, function)
