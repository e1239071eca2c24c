"""The outputs of items that words name, and their documents: complete, or piece by piece while items write."""

from __future__ import annotations

import codecs
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final, Self

from jobctl.config import Home
from jobctl.domain.selection import refuse_states
from jobctl.domain.states import ItemState
from jobctl.errors import UsageError
from jobctl.services.control.targets import Target, resolve
from jobctl.services.output.logs import Choice, Piece, attempts, is_cut, piece, read, selected_items, tail
from jobctl.services.selection import nothing_selected
from jobctl.store.opening.open import open_database
from jobctl.store.views import items as item_views
from jobctl.store.views.items import AttemptView

if TYPE_CHECKING:
    from jobctl.domain.documents.output import OutputDocument, OutputPieceDocument, StreamName
    from jobctl.services.output.follow import Follower, OutputEvent

_ENDED = (ItemState.SUCCEEDED, ItemState.FAILED)
_WITH_OUTPUT = tuple(state for state in ItemState if state is not ItemState.UNPROCESSED)
SCHEMA: Final = "jobctl.output/1"
_NAMES: Final[dict[str, StreamName]] = {"out": "stdout", "err": "stderr"}


class Outputs:
    """The outputs of the items that words name, limited by a choice and by streams."""

    def __init__(
        self, home: Home, texts: Sequence[str], choice: Choice, streams: Sequence[str], *, any_thread: bool = False
    ) -> None:
        """With ``any_thread``, all threads may use it, one at a time. Raises NotFound, UsageError."""
        self._home = home
        self._database = open_database(home, any_thread=any_thread)
        self.choice = choice
        self.streams = tuple(streams)
        self.targets = resolve(self._database, texts)
        refuse_states(choice.selection, _WITH_OUTPUT, "logs", "items that never ran have no output")
        self._selected = {target: selected_items(self._database, target, choice) for target in self.targets}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Close the store."""
        self._database.close()

    @property
    def is_single(self) -> bool:
        """Whether they are the outputs of one attempt of one item."""
        first = self.targets[0]
        return (
            len(self.targets) == 1 and first.item is not None and first.last is None and not self.choice.every_attempt
        )

    def attempts(self, *targets: Target) -> Iterator[tuple[int, AttemptView]]:
        """Yield (job, attempt) of these targets, or of all targets.

        Raises NotFound for an attempt that does not exist.
        """
        return attempts(self._database, targets or self.targets, self.choice)

    @property
    def follows_endings(self) -> bool:
        """Whether an attempt can only be chosen when it has ended, because the selection depends on its outcome."""
        return not self._selected[self.targets[0]].is_fixed

    def chosen_endings(self, follower: Follower) -> Iterator[tuple[int, AttemptView]]:
        """Yield (job, attempt) of each attempt that ends as the selection says, as it ends."""
        chosen = self._selected[self.targets[0]]
        for event in follower.events():
            if event.over is not None and chosen.has_attempt(event.over):
                yield chosen.job, event.over

    def nothing(self, target: Target) -> str:
        """Return a sentence about a selection that chooses no item of a target; empty if it chooses any."""
        chosen = self._selected[target]
        found = self.choice.selection.is_default or next(chosen.numbers(), None) is not None
        return "" if found else nothing_selected(self._database, chosen)

    def piece(self, job: int, attempt: AttemptView, stream: str) -> Piece:
        """Return the place of a stream of an attempt."""
        return piece(self._home, job, attempt, stream)

    def data(self, job: int, attempt: AttemptView, stream: str) -> Iterator[bytes]:
        """Yield the bytes of a stream of an attempt, or of its last lines. Raises FileNotFoundError."""
        where = self.piece(job, attempt, stream)
        return read(where, 0 if self.choice.tail is None else tail(where, self.choice.tail))

    def state_of(self, job: int, item: int) -> str:
        """Return the state of an item as a word."""
        state = item_views.item_state(self._database, job, item)
        return "unknown" if state is None else ItemState(state[0]).word

    def follower(self, stop: int | None) -> Follower:
        """Return a follower of the one job or item that is named. Raises UsageError for several, and for an attempt.

        If the selection depends on outcomes, it follows all items of the job: see ``follows_endings``.
        ``stop`` is a descriptor that becomes readable when the reader of the output has gone.
        """
        from jobctl.services.output.follow import Follower, FollowTarget

        target = self.targets[0]
        if len(self.targets) != 1 or target.last is not None or self.choice.attempt:
            raise UsageError("--follow is for one job or one item", hint="jobctl logs 42 --follow")
        refuse_states(self.choice.selection, _ENDED, "logs --follow", "leave --state out to follow what runs")
        chosen = None if self.choice.selection.is_default or self.follows_endings else self._selected[target]
        wanted = FollowTarget(target.job, target.item, self.streams, choice=self.choice, chosen=chosen)
        return Follower(self._database, self._home, wanted, stop=stop)

    def document(self) -> OutputDocument:
        """Return ``jobctl.output/1`` of the one attempt that is named, also if the item has not run."""
        found = next(self.documents(), None)
        if found is not None:
            return found
        target = self.targets[0]
        empty: OutputDocument = {
            "schema": SCHEMA,
            "job": target.job,
            "item": target.item,
            "attempt": None,
            "running": False,
            "cut": False,
        }
        for stream in self.streams:
            empty[_NAMES[stream]] = None
        return empty

    def documents(self) -> Iterator[OutputDocument]:
        """Yield ``jobctl.output/1`` of each attempt. Raises NotFound, before the first document if items are named."""
        found = self.attempts()
        if any(target.items is not None for target in self.targets):
            found = iter(list(found))  # a person can name only few items
        return (self.output(job, attempt) for job, attempt in found)

    def output(self, job: int, attempt: AttemptView) -> OutputDocument:
        """Return ``jobctl.output/1`` of an attempt; an output that cannot be read here is null."""
        document: OutputDocument = {
            "schema": SCHEMA,
            "job": job,
            "item": attempt.item,
            "attempt": attempt.attempt,
            "running": attempt.ending is None,
            "cut": is_cut(attempt),
        }
        for stream in self.streams:
            try:
                data = b"".join(self.data(job, attempt, stream))
                document[_NAMES[stream]] = data.decode("utf-8", "replace")
            except FileNotFoundError:  # it was removed, or it is on another machine as long as the item runs
                document[_NAMES[stream]] = None
        return document


class Pieces:
    """Makes the documents of outputs that are followed: one for each piece, and one for the end of each attempt."""

    def __init__(self, job: int) -> None:
        self._job = job
        self._decoders: dict[tuple[int, int, str], codecs.IncrementalDecoder] = {}

    def of(self, event: OutputEvent) -> Iterator[OutputPieceDocument]:
        """Yield ``jobctl.output_piece/1`` of one event.

        A character that is split between two pieces is in the second one.
        """
        if event.over is not None:
            yield from self._end(event)
            return
        key = (event.item, event.attempt, event.stream)
        if key not in self._decoders:
            self._decoders[key] = codecs.getincrementaldecoder("utf-8")("replace")
        text = self._decoders[key].decode(event.data)
        if text:
            yield self._piece(event, stream=_NAMES[event.stream], text=text)

    def _end(self, event: OutputEvent) -> Iterator[OutputPieceDocument]:
        for stream in _NAMES:
            decoder = self._decoders.pop((event.item, event.attempt, stream), None)
            rest = decoder.decode(b"", final=True) if decoder is not None else ""
            if rest:
                yield self._piece(event, stream=_NAMES[stream], text=rest)
        yield self._piece(event, stream=None, text=None)

    def _piece(self, event: OutputEvent, *, stream: StreamName | None, text: str | None) -> OutputPieceDocument:
        return {
            "schema": "jobctl.output_piece/1",
            "job": self._job,
            "item": event.item,
            "attempt": event.attempt,
            "stream": stream,
            "text": text,
            "over": stream is None,
        }
