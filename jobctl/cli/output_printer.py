"""Prints the output of items: that of one item unchanged, that of several items under headings; or as it is written."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from jobctl.cli.session import Session
from jobctl.process import reader

if TYPE_CHECKING:
    from jobctl.render.output import Sink
    from jobctl.services.control.targets import Target
    from jobctl.services.output.follow import Follower
    from jobctl.services.output.log_documents import Outputs
    from jobctl.services.output.logs import Choice
    from jobctl.store.views.items import AttemptView

#: The most items without output that a message names.
_NAMED = 5


def emit_outputs(shared: Session, outputs: Outputs) -> None:
    """Print the output of one item as a document, that of several as a document with a list."""
    if outputs.is_single:
        shared.emit(outputs.document())
    else:
        count = shared.emit_list({"schema": "jobctl.logs/1"}, "outputs", outputs.documents())
        for target in () if count else outputs.targets:
            shared.note_unless_empty(outputs.nothing(target))


class OutputPrinter:
    """Prints the outputs of attempts."""

    def __init__(self, shared: Session, outputs: Outputs, *, headings: bool) -> None:
        from jobctl.render.output import Sink

        self.shared = shared
        self.outputs = outputs
        self.streams = outputs.streams
        self.out = Sink(sys.stdout)
        self.err = Sink(sys.stderr)
        self.headings = headings
        self.bold = headings and shared.colors(sys.stdout)

    def show(self) -> None:
        """Print one attempt as it is; several under headings, on one stream."""
        for target in self.outputs.targets:
            self._target(target, self._single if self.outputs.is_single else self.merged)

    def _target(self, target: Target, show: Callable[[int, AttemptView], None]) -> None:
        """A job or some items of it, with a note about those that have no output."""
        shown, seen = 0, set()
        for job, attempt in self.outputs.attempts(target):
            shown += 1
            if target.items is not None:  # a person names few items; a whole job may have millions
                seen.add(attempt.item)
            show(job, attempt)
        choice = self.outputs.choice
        missing = [item for item in target.items or () if item not in seen]
        if missing and (choice.failed or choice.selection.is_default):
            self.shared.note(self._no_output(target.job, missing))
        elif not shown:
            nothing = "" if choice.failed else self.outputs.nothing(target)
            self.shared.note(nothing or f"job {target.job}: {_why_no_output(choice)}")

    def _single(self, job: int, attempt: AttemptView) -> None:
        # If only one stream was asked for, it goes to standard output.
        sinks = {"out": self.out, "err": self.err if len(self.streams) > 1 else self.out}
        copied = [self._copy(job, attempt, stream, sinks[stream]) for stream in self.streams]
        if not any(copied) and self.outputs.choice.tail != 0:
            self.shared.note(f"item {job}.{attempt.item} {_wrote_nothing(attempt, self.streams)}")
        self.out.flush()

    def heading(self, text: str) -> None:
        """Print a heading. Without headings, what follows only begins on a line of its own."""
        from jobctl.render.output import heading

        if self.headings:
            self.out.line(heading(text), bold=self.bold)
        else:
            self.out.end_line()

    def merged(self, job: int, attempt: AttemptView) -> None:
        """An attempt under a heading, its errors under one of their own."""
        from jobctl.render.output import describe

        self.heading(describe(job, attempt))
        has_output = False
        for stream in self.streams:
            # Errors below other output have a heading of their own, so that nobody takes one for the other.
            own = f"{job}.{attempt.item} standard error" if has_output else ""
            has_output = self._copy(job, attempt, stream, self.out, own)
        self.out.flush()

    def _copy(self, job: int, attempt: AttemptView, stream: str, sink: Sink, heading: str = "") -> bool:
        """Print a stream, under a heading if it has anything; returns whether it has, or had before it was removed."""
        any_data = False
        try:
            for data in self.outputs.data(job, attempt, stream):
                if heading and not any_data:
                    self.heading(heading)
                sink.write(data)
                any_data = True
        except FileNotFoundError:
            name = f"{job}.{attempt.item}"
            if attempt.host is not None and attempt.ending is None:
                self.shared.note(f"{name} runs on {attempt.host}; add --follow to have its output brought here")
            else:
                self.shared.note(f"the output of {name} is gone: it was removed")
            return True
        return any_data

    def _no_output(self, job: int, items: Sequence[int]) -> str:
        choice = self.outputs.choice
        why = "not run since then" if choice.since else "not failed" if choice.failed else "not run yet"
        if len(items) > 1:
            more = f" and {len(items) - _NAMED} more" if len(items) > _NAMED else ""
            return f"items {', '.join(f'{job}.{item}' for item in items[:_NAMED])}{more} have {why}"
        return f"item {job}.{items[0]} has {why}, it is {self.outputs.state_of(job, items[0])}"


def _why_no_output(choice: Choice) -> str:
    """The reason why a whole job has no output."""
    if choice.since is not None:
        return "nothing has run since then"
    if choice.attempt is not None:
        which = "no item that failed has" if choice.failed else "no item has"
        return f"{which} attempt {choice.attempt}"
    return "no item has failed" if choice.failed else "nothing has run yet"


def _wrote_nothing(attempt: AttemptView, streams: Sequence[str]) -> str:
    where = {"out": " to standard output", "err": " to standard error", "out err": ""}[" ".join(streams)]
    return f"{'has written' if attempt.ending is None else 'wrote'} nothing{where}"


def follow_outputs(shared: Session, outputs: Outputs, *, headings: bool) -> None:
    """Print output while items write it, until they end or the reader of standard output has gone."""
    pipes = reader.output_pipe(sys.stdout)
    follower = outputs.follower(next(iter(pipes), None))
    if shared.json:
        _follow_json(shared, outputs, follower)
    elif outputs.follows_endings:
        printer = OutputPrinter(shared, outputs, headings=headings)
        for job, attempt in outputs.chosen_endings(follower):
            printer.merged(job, attempt)
    else:
        _follow_text(OutputPrinter(shared, outputs, headings=headings), follower)
    reader.check_reader(pipes)


def _follow_text(printer: OutputPrinter, follower: Follower) -> None:
    """Print output as it is written: that of one item unchanged, that of several items under headings."""
    target, streams = printer.outputs.targets[0], printer.streams
    shown: tuple[int, int, str] | None = None
    for event in follower.events():
        key = (event.item, event.attempt, event.stream)
        if event.data and target.item is None and key != shown:
            error = " standard error" if event.stream == "err" else ""
            printer.heading(f"{target.job}.{event.item}{error}")
            shown = key
        to_stderr = event.stream == "err" and target.item is not None and len(streams) > 1
        (printer.err if to_stderr else printer.out).write(event.data)
        printer.out.flush()
        printer.err.flush()


def _follow_json(shared: Session, outputs: Outputs, follower: Follower) -> None:
    """A line for each piece that is written; if outcomes decide, one for each chosen attempt that ends."""
    from jobctl.services.output.log_documents import Pieces

    if outputs.follows_endings:
        for job, attempt in outputs.chosen_endings(follower):
            shared.emit_line(outputs.output(job, attempt))
            sys.stdout.flush()
        return
    pieces = Pieces(outputs.targets[0].job)
    for event in follower.events():
        for document in pieces.of(event):
            shared.emit_line(document)
        sys.stdout.flush()
