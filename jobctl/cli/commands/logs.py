"""``jobctl logs``: what items wrote."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from jobctl.cli.command import Command, session
from jobctl.cli.session import Session
from jobctl.errors import Exit, UsageError
from jobctl.process import reader

if TYPE_CHECKING:
    from jobctl.services.control.targets import Target
    from jobctl.services.output.follow import Follower
    from jobctl.services.output.logs import Choice
    from jobctl.store.database import Database
    from jobctl.store.views.items import AttemptView

#: At most this many items without output are named.
_NAMED = 5

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command(cls=Command)
def logs(
    ctx: typer.Context,
    targets: Annotated[list[str], typer.Argument(metavar="JOB[.ITEM]...", help="42, last, 42.17, 42.1-5.")],
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on as it is written, until it is over.")] = False,
    failed: Annotated[bool, typer.Option("--failed", help="Only items that failed.")] = False,
    stdout: Annotated[bool, typer.Option("--stdout", help="Standard output alone.")] = False,
    stderr: Annotated[bool, typer.Option("--stderr", help="Standard error alone.")] = False,
    attempt: Annotated[
        str | None, typer.Option(metavar="N|all", help="This try, or all of them; default: the latest.")
    ] = None,
) -> int:
    """Show what items wrote, in the order of the items.

    Examples:
      jobctl logs 42.17                  one item, stdout and stderr apart
      jobctl logs last --failed          what failed, each under a heading
      jobctl logs 42 --follow            as it is written
      jobctl logs 42.17 --attempt 1      an earlier try

    With --json, one item is a document and several are a list in one; with --follow, each line is a document.
    """
    from jobctl.services.control.targets import resolve
    from jobctl.services.output.logs import STREAMS, Choice

    shared = session(ctx)
    if stdout and stderr:
        raise UsageError("--stdout and --stderr at once", hint="both is what you get without them")
    streams = ("out",) if stdout else ("err",) if stderr else STREAMS
    choice = Choice(failed=failed, attempt=_number(attempt), every_attempt=attempt == "all")
    database = shared.open()
    shower = _Shower(shared, database, streams)
    wanted = resolve(database, targets)
    if follow:
        _follow(shower, wanted, choice)
    elif shared.json:
        from jobctl.cli.logs_json import print_json

        print_json(shared, database, wanted, choice, streams)
    else:
        shower.text(wanted, choice)
    return Exit.OK


def _number(attempt: str | None) -> int | None:
    if attempt is None or attempt == "all":
        return None
    if not re.fullmatch("0*[1-9][0-9]{0,17}", attempt):
        raise UsageError(f"--attempt {attempt!r} is not a number of an attempt", hint="1, 2, ... or all")
    return int(attempt)


class _Shower:
    """Prints the outputs of attempts."""

    def __init__(self, shared: Session, database: Database, streams: Sequence[str]) -> None:
        from jobctl.render.output import Sink

        self.shared = shared
        self.database = database
        self.streams = streams
        self.out = Sink(sys.stdout)
        self.err = Sink(sys.stderr)
        self.bold = shared.colors(sys.stdout)

    def text(self, targets: Sequence[Target], choice: Choice) -> None:
        """One attempt as it is; several under headings, on one stream."""
        single = len(targets) == 1 and targets[0].item is not None and targets[0].last is None
        for target in targets:
            self._target(target, choice, self._single if single and not choice.every_attempt else self.merged)

    def _target(self, target: Target, choice: Choice, show: Callable[[int, AttemptView], None]) -> None:
        """A job or some items of it, with a word about those that have no output to show."""
        from jobctl.services.output.logs import attempts

        shown, seen = 0, set()
        for job, attempt in attempts(self.database, [target], choice):
            shown += 1
            if target.items is not None:  # at most as many as can be typed; a whole job may have millions
                seen.add(attempt.item)
            show(job, attempt)
        missing = [item for item in target.items or () if item not in seen]
        if missing:
            self.shared.note(self._no_output(target.job, missing, choice))
        elif not shown:
            self.shared.note(f"job {target.job}: {_nothing(choice)}")

    def _single(self, job: int, attempt: AttemptView) -> None:
        # With one stream alone, that is what was asked for: it goes to standard output.
        sinks = {"out": self.out, "err": self.err if len(self.streams) > 1 else self.out}
        copied = [self._copy(job, attempt, stream, sinks[stream]) for stream in self.streams]
        if not any(copied):
            self.shared.note(f"item {job}.{attempt.item} {_wrote_nothing(attempt, self.streams)}")
        self.out.flush()

    def merged(self, job: int, attempt: AttemptView) -> None:
        """An attempt under a heading, its errors under one of their own."""
        from jobctl.render.output import describe, heading
        from jobctl.services.output.logs import piece

        self.out.line(heading(describe(job, attempt)), bold=self.bold)
        for stream in self.streams:
            has_errors = stream == "err" and piece(self.shared.home, job, attempt, stream).exists()
            if has_errors and attempt.out_len and len(self.streams) > 1:
                self.out.line(heading(f"{job}.{attempt.item} standard error"), bold=self.bold)
            self._copy(job, attempt, stream, self.out)
        self.out.flush()

    def _copy(self, job: int, attempt: AttemptView, stream: str, sink: Any) -> bool:
        from jobctl.services.output.logs import piece, read

        any_data = False
        try:
            for data in read(piece(self.shared.home, job, attempt, stream)):
                sink.write(data)
                any_data = True
        except FileNotFoundError:
            name = f"{job}.{attempt.item}"
            if attempt.host is not None and attempt.ending is None:
                self.shared.note(f"{name} runs on {attempt.host}; what it writes is brought here with --follow")
            else:
                self.shared.note(f"the output of {name} is gone: it was removed")
            return True
        return any_data

    def _no_output(self, job: int, items: Sequence[int], choice: Choice) -> str:
        from jobctl.domain.states import ItemState
        from jobctl.store.views import items as item_views

        why = "not failed" if choice.failed else "not run yet"
        if len(items) > 1:
            more = f" and {len(items) - _NAMED} more" if len(items) > _NAMED else ""
            return f"items {', '.join(f'{job}.{item}' for item in items[:_NAMED])}{more} have {why}"
        state = item_views.item_state(self.database, job, items[0])
        word = "unknown" if state is None else ItemState(state[0]).word
        return f"item {job}.{items[0]} has {why}, it is {word}"


def _nothing(choice: Choice) -> str:
    """Why a whole job has nothing to show."""
    if choice.attempt is not None:
        which = "no item that failed has" if choice.failed else "no item has"
        return f"{which} attempt {choice.attempt}"
    return "no item has failed" if choice.failed else "nothing has run yet"


def _wrote_nothing(attempt: AttemptView, streams: Sequence[str]) -> str:
    where = {"out": " to standard output", "err": " to standard error", "out err": ""}[" ".join(streams)]
    return f"{'has written' if attempt.ending is None else 'wrote'} nothing{where}"


def _follow(shower: _Shower, targets: Sequence[Target], choice: Choice) -> None:
    from jobctl.render.output import failed, heading
    from jobctl.services.output.follow import Follower, Wanted

    target = targets[0]
    if len(targets) != 1 or target.last is not None or choice.attempt:
        raise UsageError("--follow is for one job or one item", hint="jobctl logs 42 --follow")
    wanted = Wanted(target.job, target.item, tuple(shower.streams))
    pipes = reader.readers_end(sys.stdout)
    follower = Follower(shower.database, shower.shared.home, wanted, stop=next(iter(pipes), None))
    if shower.shared.json:
        _follow_json(shower, follower, target.job, choice)
        reader.check_reader(pipes)
        return
    shown: tuple[int, int, str] | None = None
    for event in follower.events():
        if choice.failed:
            if event.over is not None and failed(event.over):
                shower.merged(target.job, event.over)
            continue
        key = (event.item, event.attempt, event.stream)
        if event.data and target.item is None and key != shown:
            error = " standard error" if event.stream == "err" else ""
            shower.out.line(heading(f"{target.job}.{event.item}{error}"), bold=shower.bold)
            shown = key
        to_stderr = event.stream == "err" and target.item is not None and len(shower.streams) > 1
        (shower.err if to_stderr else shower.out).write(event.data)
        shower.out.flush()
        shower.err.flush()
    reader.check_reader(pipes)


def _follow_json(shower: _Shower, follower: Follower, job: int, choice: Choice) -> None:
    """A line for each piece that is written; with ``--failed``, one for each attempt that failed, with all it wrote."""
    from jobctl.cli.logs_json import JsonFollower, output_document
    from jobctl.render.output import failed

    lines = JsonFollower(shower.shared, job)
    for event in follower.events():
        if not choice.failed:
            lines.show(event)
        elif event.over is not None and failed(event.over):
            shower.shared.emit_line(output_document(shower.shared.home, job, event.over, shower.streams))
        sys.stdout.flush()
