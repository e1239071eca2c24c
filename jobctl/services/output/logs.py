"""Find and read the output of attempts.

Many attempts share a few files. The record of an attempt has file, offset and length, so finding an output takes the
same time in a job of any size. A running attempt writes to a file of its own until it ends.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from jobctl.config import Home
from jobctl.domain.ports import OutputFlag
from jobctl.domain.selection import Selection
from jobctl.domain.states import ItemState
from jobctl.errors import NotFound
from jobctl.services.control.targets import Target
from jobctl.services.selection import SelectedItems, with_items
from jobctl.store.database import Database
from jobctl.store.views import items as item_views
from jobctl.store.views.items import AttemptView

#: The most bytes of one read, and the most attempts or items of one query.
CHUNK = 1 << 18
PAGE = 500
STREAMS = ("out", "err")


@dataclass(frozen=True, slots=True)
class Choice:
    """A choice of outputs."""

    selection: Selection = field(default_factory=Selection)  # of items
    attempt: int | None = None  # None = the latest of each item
    every_attempt: bool = False
    tail: int | None = None  # only this number of lines at the end of each stream
    since: int | None = None  # only attempts that ran at this time or later, in microseconds since 1970
    now: int = 0  # microseconds UTC, for times in a condition

    @property
    def failed(self) -> bool:
        """True if all that failed is chosen, and nothing else narrows the choice."""
        return self.selection == Selection((ItemState.FAILED,))

    def has(self, attempt: AttemptView) -> bool:
        """Return whether an attempt still ran at ``since``. Only then can it have written something since."""
        if self.since is None or attempt.ending is None:
            return True
        return attempt.started_at + (attempt.duration_us or 0) >= self.since


@dataclass(frozen=True, slots=True)
class Piece:
    """The place of one stream of one attempt: a part of a file.

    ``length`` None = the attempt runs, to the end of the file.
    """

    path: Path
    offset: int
    length: int | None

    def exists(self) -> bool:
        """Return whether there is output, or may be while the attempt runs."""
        return self.length is None or self.length > 0


def piece(home: Home, job: int, attempt: AttemptView, stream: str) -> Piece:
    """Return the place of a stream of an attempt."""
    offset, length = (attempt.out_off, attempt.out_len) if stream == "out" else (attempt.err_off, attempt.err_len)
    path = home.job_logs(job) / f"{attempt.log}.{stream}"
    return Piece(path, offset, None if attempt.ending is None else length)


def is_cut(attempt: AttemptView) -> bool:
    """Return whether the middle of the output was left out because it was too long."""
    return bool(attempt.flags & OutputFlag.CUT)


def read(where: Piece, skip: int = 0) -> Iterator[bytes]:
    """Yield the bytes of a piece after the first ``skip`` bytes. Raises FileNotFoundError if its file was removed."""
    if not where.exists():
        return
    descriptor = os.open(where.path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    try:
        at = skip
        while where.length is None or at < where.length:
            wanted = CHUNK if where.length is None else min(CHUNK, where.length - at)
            data = os.pread(descriptor, wanted, where.offset + at)
            if not data:
                return
            yield data
            at += len(data)
    finally:
        os.close(descriptor)


def tail(where: Piece, lines: int) -> int:
    """Return the number of bytes of a piece before its last ``lines`` lines, for ``read``.

    It reads from the end and keeps one chunk, so a piece of any size costs as much as the lines that are asked for.
    A missing file has no lines.
    """
    if not where.exists():
        return 0
    try:
        descriptor = os.open(where.path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except FileNotFoundError:
        return 0
    try:
        length = os.fstat(descriptor).st_size if where.length is None else where.length
        return _begin_of_lines(descriptor, where.offset, length, lines)
    finally:
        os.close(descriptor)


def end_of(where: Piece, most: int) -> tuple[int, bytes]:
    """Return the last bytes of a piece, at most ``most``, and how many are before them; they begin with a line if
    there is more than one.

    Raises FileNotFoundError if its file was removed, or is on another machine.
    """
    if not where.exists():
        return 0, b""
    length = max(0, os.stat(where.path, follow_symlinks=False).st_size - where.offset)
    length = length if where.length is None else where.length
    begin = max(0, length - most)
    data = b"".join(itertools.islice(read(where, begin), 1 + most // CHUNK))[:most]
    cut = data.find(b"\n") + 1 if begin else 0
    cut = cut if cut < len(data) else 0
    return begin + cut, data[cut:]


def _begin_of_lines(descriptor: int, offset: int, length: int, lines: int) -> int:
    """Return where the last lines of a part of a file begin, from the beginning of the part."""
    end, missing = length, lines
    while missing and end > 0:
        begin = max(0, end - CHUNK)
        data = os.pread(descriptor, end - begin, offset + begin)
        # The newline at the very end ends the last line; it does not begin another one.
        at = len(data) - (end == length and data.endswith(b"\n"))
        while missing and (at := data.rfind(b"\n", 0, at)) >= 0:
            missing -= 1
            if not missing:
                return begin + at + 1
        end = begin
    return 0 if missing else length


def attempts(database: Database, targets: Sequence[Target], choice: Choice) -> Iterator[tuple[int, AttemptView]]:
    """Yield (job, attempt) of the chosen outputs, in the order of the targets and of their items.

    Raises NotFound, UsageError for a condition that the columns of a job do not allow.
    """
    for target in targets:
        if not choice.selection.is_default:
            found = _of_selected(database, target, choice)
        elif target.items is not None:
            found = _of_items(database, target, choice)
        else:
            found = _of_job(database, target.job, choice)
        for attempt in found:
            if choice.has(attempt):
                yield target.job, attempt


def selected_items(database: Database, target: Target, choice: Choice) -> SelectedItems:
    """Return the chosen items of a target. Raises NotFound, UsageError."""
    named = () if target.items is None else (target.items,)
    selection = with_items(choice.selection, named, f"{target.job}.{target.item}")
    return SelectedItems(database, target.job, selection, now=choice.now)


def _of_items(database: Database, target: Target, choice: Choice) -> Iterator[AttemptView]:
    for item in target.items or ():
        yield from _pick(target.job, item, item_views.attempts(database, target.job, item), choice)


def _of_selected(database: Database, target: Target, choice: Choice) -> Iterator[AttemptView]:
    job, strict = target.job, target.items is not None
    for item in selected_items(database, target, choice).numbers():
        yield from _pick(job, item, item_views.attempts(database, job, item), choice, strict=strict)


def _of_job(database: Database, job: int, choice: Choice) -> Iterator[AttemptView]:
    """Yield the chosen attempts of all items. Attempts are read in pages, so those of one item are collected first."""
    after = (0, 0)
    pending: list[AttemptView] = []
    while page := item_views.attempts_after(database, job, after, PAGE, since=choice.since or 0):
        for attempt in page:
            if pending and pending[0].item != attempt.item:
                yield from _pick(job, pending[0].item, pending, choice, strict=False)
                pending = []
            pending.append(attempt)
        after = (page[-1].item, page[-1].attempt)
    if pending:
        yield from _pick(job, pending[0].item, pending, choice, strict=False)


def _pick(job: int, item: int, found: list[AttemptView], choice: Choice, *, strict: bool = True) -> list[AttemptView]:
    if choice.every_attempt:
        return found
    if choice.attempt is None:
        return found[-1:]
    wanted = [attempt for attempt in found if attempt.attempt == choice.attempt]
    if strict and not wanted:
        have = ", ".join(str(attempt.attempt) for attempt in found) or "none yet"
        raise NotFound(
            f"item {job}.{item} has no attempt {choice.attempt} (attempts: {have})", hint=f"jobctl logs {job}.{item}"
        )
    return wanted
