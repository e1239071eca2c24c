"""Accept a file as a job: read it once, commit it durably, then return the number of the job."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from typing import TYPE_CHECKING, BinaryIO

from jobctl.config import Home
from jobctl.domain.content import counted_columns
from jobctl.domain.payload import key_reader, texts_of
from jobctl.domain.undo import COLUMNS
from jobctl.errors import UsageError
from jobctl.handlers.handler import Handler
from jobctl.handlers.kinds import make_handler, make_shell_for_commands
from jobctl.process.wakeup import wake
from jobctl.services.submit.intake import Intake
from jobctl.services.submit.new_job import Submission, WayBack
from jobctl.services.submit.origin import origin_of
from jobctl.services.submit.request import Accepted, Interrupted, Preview, SubmitRequest
from jobctl.sources import open_source
from jobctl.sources.options import JOBLOG
from jobctl.sources.source import Source
from jobctl.store.opening.open import check_place, open_database

if TYPE_CHECKING:
    from jobctl.services.submit.dry_run import DryRun
    from jobctl.services.submit.request import Origin
    from jobctl.services.submit.row_keys import RowKeys
    from jobctl.undo.work import UndoWords

#: The most commands that a dry run shows.
COMMANDS_SHOWN = 5


def submit(
    home: Home, request: SubmitRequest, *, now: int, stdin: BinaryIO, watch: Callable[[Source], None] | None = None
) -> Accepted:
    """Accept a file as a job, or find the job that has its idempotency key.

    Raises InputRejected naming the first problems of the input, UsageError for options, KeyConflict for a key of
    other work; nothing has changed then. The job is returned only after a commit that survives a power cut. ``now`` is
    in microseconds UTC; ``watch`` is called after every batch of rows. Raises Interrupted on Ctrl-C while it writes.
    """
    return accept(home, _opened(home, request, stdin, watch), now=now)


def accept(home: Home, opening: AbstractContextManager[Submission], *, now: int) -> Accepted:
    """Accept the rows of a submission, whose input ``opening`` opens and closes. Raises as ``submit``."""
    with opening as submission:
        intake = Intake(submission, now)
        if not os.path.lexists(home.database):
            check_place(home)
            intake.read_head()
        with closing(open_database(home, create=True)) as database:
            try:
                accepted = intake.run(database, _accept_in_parts)
            except KeyboardInterrupt:
                raise Interrupted(intake.committed_job()) from None
            wake(home.wake)  # before the database is closed, because a user waits for the first item
    return accepted


def _accept_in_parts(intake: Intake, keys: RowKeys | None) -> Accepted:
    from jobctl.services.submit.large_intake import accept_in_parts  # few inputs are that large

    return accept_in_parts(intake, keys)


def preview(
    home: Home, request: SubmitRequest, *, stdin: BinaryIO, watch: Callable[[Source], None] | None = None
) -> Preview:
    """Read and check the whole input as ``submit`` does, with its errors, and write nothing."""
    return look(_opened(home, request, stdin, watch))


def look(opening: AbstractContextManager[Submission]) -> Preview:
    """Read the whole input of a submission and write nothing. Raises as ``submit``."""
    from jobctl.services.submit.dry_run import DryRun

    commands: list[tuple[str, ...]] = []
    shown: list[tuple[str, ...]] = []
    with opening as submission:
        source, handler = submission.source, submission.handler
        dry_run = DryRun(submission)
        for batch in dry_run.batches():
            for payload in batch[: COMMANDS_SHOWN - len(commands)]:
                commands.append(handler.words(len(commands) + 1, payload))
                shown.append(texts_of(source.format, payload, source.columns))
    return _preview_of(submission, dry_run, commands, shown)


def _preview_of(
    submission: Submission, dry_run: DryRun, commands: list[tuple[str, ...]], shown: list[tuple[str, ...]]
) -> Preview:
    """The result of a dry run whose input has been read to its end."""
    source, handler = submission.source, submission.handler
    return Preview(
        format=source.format,
        columns=tuple(source.columns) or ("line",),
        rows=source.rows - dry_run.skipped - sum(count for _, count in dry_run.followed),
        rejected=source.rejected,
        commands=tuple(commands),
        problems=source.problems,
        not_selected=source.not_selected,
        shown=tuple(shown),
        skipped=dry_run.skipped,
        replay_of=None if dry_run.owner is None else dry_run.owner.id,
        constant=handler.constant and source.rows > 1,
        appended=handler.appended,
        followed=dry_run.followed,
        notices=tuple(source.notices),
    )


@contextmanager
def _opened(
    home: Home, request: SubmitRequest, stdin: BinaryIO, watch: Callable[[Source], None] | None
) -> Iterator[Submission]:
    """Check what can be checked without a row, and open the input."""
    origin = origin_of(home, request)
    with open_source(request.input, stdin) as source:
        source.watch = watch
        yield with_work(home, request, origin, source)


def with_work(home: Home, request: SubmitRequest, origin: Origin, source: Source) -> Submission:
    """A submission whose work is checked against the columns of its input. Raises UsageError, InputRejected."""
    handler = _handler(request, source)
    source.notices += handler.notices
    if request.call is not None:
        from jobctl.services.submit.check_function import check_function  # starts a process

        source.notices += check_function(request.call, origin, source.format, source.columns or ())
    undo = None if request.undo is None else _way_back(request.undo, request, origin, source)
    return Submission(home, request, origin, source, handler, undo)


def _way_back(words: UndoWords, request: SubmitRequest, origin: Origin, source: Source) -> WayBack:
    """The work that takes rows back. Raises UsageError naming the option for work that does not fit the columns."""
    from jobctl.services.submit import way_back
    from jobctl.undo.work import undo_work

    columns = None if source.format == "lines" else source.columns
    option = way_back.option_of(words)
    try:
        undo, handler = undo_work(words, source.format, columns, on_failure=request.undo_on_failure)
    except UsageError as error:
        message = error.message.removeprefix("--shell: ")  # the option that the user gave is another one
        raise UsageError(f"{option}: {message}", hint=error.hint) from None
    source.notices += [f"{option}: {notice}" for notice in handler.notices]
    source.notices += way_back.check_function(words, origin, source.format, columns, option)
    return WayBack(undo, handler.check.required - set(COLUMNS))


def _handler(request: SubmitRequest, source: Source) -> Handler:
    """The handler of the rows. Raises UsageError for a command or a key that does not fit the columns."""
    if request.item_key is not None:
        key_reader(source.format, source.columns or (), request.item_key)
        counted_columns(source.format, source.columns or (), request.new_by)
    if request.input.format == JOBLOG and request.shell is not None:
        return make_shell_for_commands(request.shell, source.format, source.columns)
    return make_handler(request.call or request.command, request.shell, source.format, source.columns)


def lost_database(home: Home) -> str:
    """Return a warning if the home has files of jobs but no database, otherwise ''.

    A submission makes a new database.
    """
    if os.path.lexists(home.database) or not os.path.isdir(home.root):
        return ""
    from jobctl.domain.wording import plural
    from jobctl.store.opening.folder import jobs_with_files

    jobs = jobs_with_files(home.root)
    if not jobs:
        return ""
    return (
        f"the database of {home.root} was gone; a new one was made, which does not know"
        f" {plural(len(jobs), 'job')} whose files are still there; --restore in jobctl-doctor(1) brings back a copy"
    )
