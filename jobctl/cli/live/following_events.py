"""Prints events as they are read, and as they happen."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from jobctl.cli import standard
from jobctl.cli.session import Session
from jobctl.process import reader
from jobctl.services.events import EventStream

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jobctl.domain.documents.event import EventDocument


class EventPrinter:
    """Prints events: as lines on a terminal, as records with tabs elsewhere, or as JSON."""

    def __init__(self, shared: Session) -> None:
        self._shared = shared
        self._look = shared.look(sys.stdout)
        self._has_titles = False
        self.printed = 0  # the id of the last event that was printed

    def show(self, events: Sequence[EventDocument]) -> None:
        """Print events, and flush them: their reader may wait for each."""
        if not events:
            return
        if self._shared.json:
            for event in events:
                self._shared.emit_line(event)
        else:
            sys.stdout.write("".join(f"{line}\n" for line in self._lines(events)))
        sys.stdout.flush()
        self.printed = events[-1].get("id", 0)

    def _lines(self, events: Sequence[EventDocument]) -> list[str]:
        from jobctl.render.events import event_lines, event_record, event_titles

        if self._look.terminal:
            return [line for event in events for line in event_lines(event, self._look)]
        titles = [] if self._has_titles else [event_titles()]
        self._has_titles = True
        return [*titles, *map(event_record, events)]


def show(shared: Session, stream: EventStream, printer: EventPrinter, *, follow: bool) -> None:
    """Print the events of a stream, and if ``follow`` is set, those that follow until its jobs are done."""
    shared.note_unless_empty(stream.note(shared.program))
    if follow:
        shared.note_unless_empty(_without_daemon(shared, stream))
        _follow(shared, stream, printer)
    else:
        while events := stream.read():
            printer.show(events)
        if not printer.printed:
            of_jobs = ", ".join(f"job {job}" for job in stream.jobs)
            shared.note(f"no events{of_jobs and f' of {of_jobs}'} after the id {stream.began_after}")
    for job in stream.missing():
        shared.note(f"job {job} was removed, and its events with it")


def _without_daemon(shared: Session, stream: EventStream) -> str:
    from jobctl.services.daemon.absence import absence_for_jobs

    return absence_for_jobs(shared.home, stream.jobs, shared.program)


def _follow(shared: Session, stream: EventStream, printer: EventPrinter) -> None:
    pipes = reader.output_pipe(sys.stdout)
    try:
        for events in stream.pages(pipes):
            reader.check_reader(pipes)
            printer.show(events)
    except KeyboardInterrupt:
        standard.done_lines[:] = [f"continue with: {_resuming(shared, printer.printed or stream.began_after)}"]
        raise


def _resuming(shared: Session, since: int) -> str:
    """The command line as it was typed, with the id after which it continues."""
    import shlex

    words = shlex.split(shared.command_line_with())
    for place in [place for place, word in enumerate(words) if word == "--since"][::-1]:
        del words[place : place + 2]
    words = [word for word in words if not word.startswith("--since=")]
    return str(shared.localise(shlex.join((*words, "--since", str(since)))))
