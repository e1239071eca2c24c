"""``jobctl logs --json``: one document for what was asked for, and a document on each line while it is followed."""

from __future__ import annotations

import codecs
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from jobctl.cli.session import Session
from jobctl.services.output.logs import Choice, attempts, is_cut, piece, read

if TYPE_CHECKING:
    from jobctl.config import Home
    from jobctl.services.control.targets import Target
    from jobctl.services.output.follow import Written
    from jobctl.store.database import Database
    from jobctl.store.views.items import AttemptView

_NAMES = {"out": "stdout", "err": "stderr"}
SCHEMA = "jobctl.output/1"


def print_json(
    shared: Session, database: Database, targets: Sequence[Target], choice: Choice, streams: Sequence[str]
) -> None:
    """Print the output of one item as ``jobctl.output/1``, that of a job or of several items as ``jobctl.logs/1``.

    Raises NotFound for an item without the attempt that was asked for, before anything is printed.
    """
    found: Iterator[tuple[int, AttemptView]] = attempts(database, targets, choice)
    if any(target.items is not None for target in targets):
        found = iter(
            list(found)
        )  # at most as many as can be typed; what is missing is known before the first is printed
    documents = (output_document(shared.home, job, attempt, streams) for job, attempt in found)
    if len(targets) == 1 and targets[0].item is not None and targets[0].last is None and not choice.every_attempt:
        shared.emit(next(documents, None) or _nothing(targets[0], streams))
        return
    shared.emit_list({"schema": "jobctl.logs/1"}, "outputs", documents)


def output_document(home: Home, job: int, attempt: AttemptView, streams: Sequence[str]) -> dict[str, Any]:
    """What an attempt wrote; of an output that cannot be read here, null."""
    document: dict[str, Any] = {"schema": SCHEMA, "job": job, "item": attempt.item, "attempt": attempt.attempt}
    document |= {"running": attempt.ending is None, "cut": is_cut(attempt)}
    for stream in streams:
        try:
            data = b"".join(read(piece(home, job, attempt, stream)))
            document[_NAMES[stream]] = data.decode("utf-8", "replace")
        except FileNotFoundError:  # removed, or it is on another machine as long as the item runs
            document[_NAMES[stream]] = None
    return document


def _nothing(target: Target, streams: Sequence[str]) -> dict[str, Any]:
    """The document of an item that has not run, or not as asked."""
    document: dict[str, Any] = {"schema": SCHEMA, "job": target.job, "item": target.item, "attempt": None}
    return document | {"running": False, "cut": False} | {_NAMES[stream]: None for stream in streams}


class JsonFollower:
    """Prints what is written as it comes: a line for each piece, and one for the end of each attempt."""

    def __init__(self, shared: Session, job: int) -> None:
        self._shared = shared
        self._job = job
        self._decoders: dict[tuple[int, int, str], codecs.IncrementalDecoder] = {}

    def show(self, event: Written) -> None:
        """Print one event. A character whose bytes come in two pieces is printed with the second."""
        if event.over is not None:
            self._end(event)
            return
        key = (event.item, event.attempt, event.stream)
        if key not in self._decoders:
            self._decoders[key] = codecs.getincrementaldecoder("utf-8")("replace")
        text = self._decoders[key].decode(event.data)
        if text:
            self._line(event, stream=_NAMES[event.stream], text=text)

    def _end(self, event: Written) -> None:
        for stream in _NAMES:
            decoder = self._decoders.pop((event.item, event.attempt, stream), None)
            rest = decoder.decode(b"", final=True) if decoder is not None else ""
            if rest:
                self._line(event, stream=_NAMES[stream], text=rest)
        self._line(event, stream=None, text=None)

    def _line(self, event: Written, *, stream: str | None, text: str | None) -> None:
        document = {"schema": "jobctl.output_piece/1", "job": self._job, "item": event.item, "attempt": event.attempt}
        self._shared.emit_line(document | {"stream": stream, "text": text, "over": stream is None})
