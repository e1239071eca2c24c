"""``jobctl export``: the attempts of a job as a joblog, the format of GNU parallel that other tools read."""

from __future__ import annotations

import contextlib
import itertools
import os
import re
import shlex
from collections.abc import Generator, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

from jobctl.config import Home
from jobctl.domain.durations import format_time
from jobctl.domain.endings import Ending
from jobctl.domain.selection import Selection, refuse_states
from jobctl.domain.states import ItemState
from jobctl.errors import InputRejected, UsageError, no_such_job
from jobctl.handlers.handler import Handler, Kind
from jobctl.handlers.kinds import handler_for, kind_of
from jobctl.services.control.targets import job_of
from jobctl.services.output.write_file import write_whole
from jobctl.services.selection import SelectedItems, nothing_selected
from jobctl.store import jobs
from jobctl.store.database import Database
from jobctl.store.job_row import JobRow
from jobctl.store.opening.open import open_database
from jobctl.store.views.items import FinishedRun, finished_runs, runs_of_items

if TYPE_CHECKING:
    from jobctl.domain.documents.export import ExportFileDocument, ExportHead, JoblogRowBlock

HEADER = "Seq\tHost\tStarttime\tJobRuntime\tSend\tReceive\tExitval\tSignal\tCommand\n"
LOCAL_HOST = ":"
#: Items that wait in the queue may have run in an earlier round.
_THAT_RAN = tuple(state for state in ItemState if state is not ItemState.UNPROCESSED)

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_NAMED_ESCAPES = {"\t": "\\t", "\n": "\\n", "\r": "\\r", "'": "\\'", "\\": "\\\\"}
#: The exit value of a command that cannot be started, as a shell gives it.
_NOT_STARTED_CODE = 127
_RAISED_CODE = 1
#: The exit value that GNU parallel writes for a command that reached its time limit.
_TIMED_OUT_CODE = -1


class _Row(NamedTuple):
    """One line of a joblog; times in microseconds."""

    seq: int
    host: str
    started_at: int
    duration_us: int
    received: int
    exit_value: int
    signal: int
    command: str

    def line(self) -> str:
        """Return the line as GNU parallel writes it."""
        return (
            f"{self.seq}\t{self.host}\t{self.started_at / 1e6:.3f}\t{self.duration_us / 1e6:10.3f}"
            f"\t0\t{self.received}\t{self.exit_value}\t{self.signal}\t{self.command}\n"
        )


def export_head(job: int) -> ExportHead:
    """Return ``jobctl.export/1`` without its rows."""
    return {"schema": "jobctl.export/1", "job": job, "format": "joblog"}


@dataclass(frozen=True, slots=True)
class Exported:
    """The items to export; ``now`` in microseconds UTC. Without a selection all that ran."""

    home: Home
    job: int
    selection: Selection = field(default_factory=Selection)
    now: int = 0

    def note(self) -> str:
        """Return a sentence about a selection of no item; empty if it selects any."""
        if self.selection.is_default:
            return ""
        with closing(open_database(self.home)) as database:
            chosen = SelectedItems(database, self.job, self.selection, now=self.now)
            return "" if next(chosen.numbers(), None) is not None else nothing_selected(database, chosen)


def exported(home: Home, text: str, selection: Selection, now: int) -> Exported:
    """Return the items of the job that a word names. Raises NotFound, and UsageError for items that never ran."""
    refuse_states(selection, _THAT_RAN, "export", "items that never ran have no line in a joblog")
    return Exported(home, job_of(home, text), selection, now)


def export_file(wanted: Exported, path: str) -> ExportFileDocument:
    """Write the joblog of a job to a file, completely or not at all; returns ``jobctl.export_file/1``.

    Raises NotFound, UsageError for a directory, and HomeError if the file cannot be written.
    """
    with write_whole(Path(path)) as target:
        rows = export_joblog(wanted, target)
    where = os.path.abspath(path)
    return {"schema": "jobctl.export_file/1", "job": wanted.job, "format": "joblog", "path": where, "rows": rows}


def export_joblog(wanted: Exported, target: BinaryIO) -> int:
    """Write the joblog of a job: items in input order, the latest attempt of each that has ended.

    Items that never ran are left out, as in the joblog of an interrupted run. Returns the number of lines after the
    header. Raises NotFound, and OSError from writing.
    """
    with contextlib.closing(_rows(wanted)) as rows:
        first = next(rows, None)  # raises before anything is written
        target.write(HEADER.encode())
        count = 0
        for row in () if first is None else itertools.chain((first,), rows):
            target.write(row.line().encode("utf-8", "surrogateescape"))
            count += 1
        return count


def export_rows(wanted: Exported) -> Iterator[JoblogRowBlock]:
    """Yield the same lines as blocks of ``jobctl.export/1``. Raises NotFound."""
    for row in _rows(wanted):
        yield {
            "seq": row.seq,
            "host": row.host,
            "started_at": format_time(row.started_at),
            "runtime_s": row.duration_us / 1e6,
            "send": 0,
            "receive": row.received,
            "exit_code": row.exit_value,
            "signal": row.signal,
            "command": row.command,
        }


def _rows(wanted: Exported) -> Generator[_Row, None, None]:
    with closing(open_database(wanted.home)) as database:
        found = jobs.load(database, wanted.job)
        if found is None:
            raise no_such_job(wanted.job)
        yield from _rows_of(found, _runs(database, wanted))


def _runs(database: Database, wanted: Exported) -> Iterator[FinishedRun]:
    if wanted.selection.is_default:
        yield from finished_runs(database, wanted.job)
        return
    for page in SelectedItems(database, wanted.job, wanted.selection, now=wanted.now).pages():
        yield from runs_of_items(database, wanted.job, page)


def _rows_of(row: JobRow, runs: Iterable[FinishedRun]) -> Iterator[_Row]:
    handler, kind = _handler_of(row), kind_of(row.handler)
    for run in runs:
        exit_value, signal = _ending(run.ending, run.code)
        words = _words(handler, kind, run)
        command = command_text(words, kind.command_at(words))
        host = run.host or LOCAL_HOST
        yield _Row(run.item, host, run.started_at, run.duration_us, run.out_len, exit_value, signal, command)


def _handler_of(row: JobRow) -> Handler | None:
    """Return the handler of a job, or None if its row is so damaged that no work can be read from it."""
    try:
        return handler_for(row)
    except (UsageError, InputRejected):
        return None


def _words(handler: Handler | None, kind: Kind, run: FinishedRun) -> tuple[str, ...]:
    if handler is None:
        return kind.unreadable_words
    try:
        return handler.words(run.item, run.payload)
    except (IndexError, KeyError, ValueError):  # a damaged row lacks columns that the command names
        return kind.unreadable_words


def _ending(ending: int | None, code: int) -> tuple[int, int]:
    """Return (exit value, signal) as GNU parallel writes them."""
    match Ending.NOT_STARTED if ending is None else Ending(ending):  # None: the row is damaged
        case Ending.EXITED:
            return code, 0
        case Ending.TIMED_OUT:
            return _TIMED_OUT_CODE, max(0, code)
        case Ending.NOT_STARTED:
            return _NOT_STARTED_CODE, 0
        case Ending.RAISED:
            return _RAISED_CODE, 0
        case _ if code < 0:  # a signal ended it after a request to end
            return -code, 0
        case _:
            return 0, code or 15  # something else ended it; without a known signal, it counts as TERM


def command_text(words: tuple[str, ...], assigned: int = 0) -> str:
    """Return one line that a shell reads as these words; the first ``assigned`` of them are NAME=VALUE."""
    values = [f"{name}={_quote(value)}" for name, _, value in (word.partition("=") for word in words[:assigned])]
    program = _quote(words[assigned])
    # Without quotes, a shell would read this word as one more assignment.
    program = f"'{program}'" if "=" in program and program == words[assigned] else program
    return " ".join([*values, program, *map(_quote, words[assigned + 1 :])])


def _quote(word: str) -> str:
    """Quote a word for a shell; tabs and line feeds become escapes, because they would break the line of the table."""
    if not _CONTROL.search(word):
        return shlex.quote(word)
    escaped = re.sub(r"['\\]", lambda match: _NAMED_ESCAPES[match[0]], word)
    return "$'" + _CONTROL.sub(lambda match: _NAMED_ESCAPES.get(match[0]) or f"\\x{ord(match[0]):02x}", escaped) + "'"
