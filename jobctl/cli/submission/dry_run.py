"""``--dry-run``: show the items that a submission would accept."""

from __future__ import annotations

import shlex
import sys
from typing import TYPE_CHECKING

from jobctl.cli.session import Session
from jobctl.cli.submission.intake import input_stream
from jobctl.cli.submission.messages import forecast, times_of
from jobctl.cli.submission.reading_progress import ReadingProgress
from jobctl.errors import Exit
from jobctl.services.submit.documents import preview_document
from jobctl.services.submit.request import on_placeholders

if TYPE_CHECKING:
    from collections.abc import Callable

    from jobctl.services.submit.forecast import Forecast
    from jobctl.services.submit.request import Preview, SubmitRequest


def show_preview(shared: Session, request: SubmitRequest, *, planned: Callable[[], int]) -> int:
    """Print the result that a submission would have; returns the exit code that it would have.

    ``planned`` returns the number of slots that there would be if no daemon is running.
    """
    from jobctl.services.submit.submit import preview

    def look(reading: ReadingProgress) -> Preview:
        return preview(shared.home, request, stdin=input_stream(request.input.path), watch=reading)

    return show(shared, request, look, planned=planned)


def show(
    shared: Session, request: SubmitRequest, look: Callable[[ReadingProgress], Preview], *, planned: Callable[[], int]
) -> int:
    """Print the result that ``look`` finds without a change; returns the exit code."""
    with ReadingProgress(shared) as reading:
        found = look(reading)
    if shared.json:
        shared.emit(preview_document(found))
        return Exit.OK
    from jobctl.render.preview import print_preview

    commands = [shlex.join(command) for command in found.commands]
    print_preview(found.columns, found.shown, commands, sys.stdout, shared.look(sys.stdout))
    sys.stdout.flush()
    expected = forecast(
        shared, request.policy, request.queue, found.rows, planned=planned, foreground=request.foreground
    )
    times = () if found.replay_of is not None else times_of(request)
    shared.note("\n".join((_verdict(found, expected), *(line.lstrip() for line in times))))
    return Exit.OK


def _verdict(found: Preview, expected: Forecast) -> str:
    from jobctl.domain.wording import open_elsewhere, plural

    rest = found.rows - len(found.commands)
    more = f" (and {plural(rest, 'more command')})" if rest > 0 else ""
    rejected = f", {plural(found.rejected, 'row')} would be left out" if found.rejected else ""
    left = f", {plural(found.not_selected, 'row')} not selected" if found.not_selected else ""
    if found.replay_of is not None:
        return f"job {found.replay_of} has this key and is the same work: nothing new would be accepted"
    left += f", {plural(found.skipped, 'row')} done already" if found.skipped else ""
    elsewhere = open_elsewhere(found.followed)
    bounds = (
        (f"\n{elsewhere}" if elsewhere else "")
        + (f"\n{expected.fewer}" if expected.fewer else "")
        + f"\n{expected.bounds}"
        + "".join(f"\n{sentence}" for sentence in on_placeholders(found, found.rows))
        + "".join(f"\n{notice}" for notice in found.notices)
    )
    accepted = f"{plural(found.rows, 'item')} ({found.format}) would be accepted"
    return f"{accepted}{left}{rejected}{more}; nothing was changed{bounds}"
