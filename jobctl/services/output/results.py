"""``jobctl results``: find the result files of a finished job, and copy or print one of them."""

from __future__ import annotations

import contextlib
import io
import json
import os
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Final

from jobctl.config import Home
from jobctl.domain.selection import Selection, refuse_states
from jobctl.domain.states import ItemState
from jobctl.errors import InputRejected, NotFound, UsageError, no_such_job
from jobctl.services.control.targets import existing_job, resolve_job
from jobctl.services.output.write_file import write_whole
from jobctl.services.selection import SelectedItems, nothing_selected
from jobctl.store.database import Database
from jobctl.store.opening.open import open_database
from jobctl.store.views import jobs as job_views

if TYPE_CHECKING:
    from jobctl.domain.documents.results import KindName, ListedFileBlock, ResultsDocument

SCHEMA: Final = "jobctl.results/1"
#: The kinds of result files that every job has.
KINDS = ("succeeded", "failed", "unprocessed")
_STATES = (ItemState.SUCCEEDED, ItemState.FAILED, ItemState.UNPROCESSED)
CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class ListedFile:
    """One of the three result files, or the file of rejected rows, whose checksum is empty because none is kept."""

    kind: KindName
    path: Path
    rows: int
    sha256: str

    def document(self) -> ListedFileBlock:
        """Return the file as a part of ``jobctl.results/1``."""
        return {"kind": self.kind, "path": str(self.path), "rows": self.rows, "sha256": self.sha256 or None}


class Results:
    """The result files of a job that a command names, and the rows of them that it selects."""

    def __init__(self, home: Home, job: int, files: list[ListedFile], selection: Selection, now: int) -> None:
        self._home = home
        self._selection = selection
        self._now = now
        self.job = job
        self.files = files

    def document(self) -> ResultsDocument:
        """Return ``jobctl.results/1``. Raises UsageError for a selection of rows, which only a copy can have."""
        self.refuse_rows()
        return {"schema": SCHEMA, "job": self.job, "files": [file.document() for file in self.files]}

    def refuse_rows(self) -> None:
        """Raise UsageError for a selection of rows: a list has whole files."""
        if _selects_rows(self._selection):
            raise UsageError(
                "--cause, --where and --items select rows of one file, and -o is missing",
                hint=f"jobctl results {self.job} ... -o FILE, or -o - for standard output",
            )

    def one(self) -> ListedFile:
        """Return the only file. Raises UsageError if there are several."""
        if len(self.files) != 1:
            hint = "add --succeeded, --failed, --unprocessed, --undone or --rejected"
            raise UsageError("-o copies one file, and several are chosen", hint=hint)
        return self.files[0]

    def copied(self, path: str) -> ResultsDocument:
        """Copy the rows of the only file to a path; returns ``jobctl.results/1``.

        Raises UsageError, NotFound, HomeError.
        """
        block = self.one().document()
        if _selects_rows(self._selection):
            with write_whole(Path(path)) as copy:
                block["rows"] = self._write_records(copy)
            block["sha256"] = None  # of the whole file
        else:
            copy_out(self.one(), Path(path))
        block["copied_to"] = os.path.abspath(path)
        return {"schema": SCHEMA, "job": self.job, "files": [block]}

    def stream_out(self, target: BinaryIO) -> None:
        """Write the rows of the only file to an open stream. Raises NotFound, UsageError, OSError."""
        if _selects_rows(self._selection):
            target.writelines(self._records())
        else:
            stream_out(self.one(), target)

    def lines(self) -> Iterator[str]:
        """Yield the lines of the only file as text, each with its line feed. Raises NotFound, UsageError."""
        if not _selects_rows(self._selection):
            return lines_of(self.one())
        records = (record.decode("utf-8", "surrogateescape") for record in self._records())
        return (line for record in records for line in io.StringIO(record, newline="\n"))

    def note(self) -> str:
        """Return a sentence about a selection of no row; empty if it selects any."""
        if not _selects_rows(self._selection):
            return ""
        with closing(open_database(self._home)) as database:
            chosen = self._chosen(database)
            return "" if next(chosen.numbers(), None) is not None else nothing_selected(database, chosen)

    def _chosen(self, database: Database) -> SelectedItems:
        states = (ItemState[self.one().kind.upper()],)
        return SelectedItems(database, self.job, replace(self._selection, states=states), now=self._now)

    def _records(self) -> Iterator[bytes]:
        """Yield the header and the selected rows, byte for byte."""
        from jobctl.services.output.result_rows import UnreadableError, chosen_records  # a list needs no reader

        file = self.one()
        # A program may read the rows in one thread after the other.
        with closing(open_database(self._home, any_thread=True)) as database:
            row = existing_job(database, self.job)
            try:
                yield from chosen_records(file.path, row, self._chosen(database).numbers())
            except FileNotFoundError as error:
                raise _gone(file) from error
            except UnreadableError as error:
                raise InputRejected(f"{file.path}: {error}", hint=f"jobctl verify {self.job}") from error

    def _write_records(self, target: BinaryIO) -> int:
        """Write the header and the selected rows; returns the number of rows."""
        has_header = self.one().path.suffix != ".jsonl"
        count = 0
        for record in self._records():
            target.write(record)
            count += 1
        return count - has_header


def _selects_rows(selection: Selection) -> bool:
    return bool(selection.causes or selection.needs_reading)


def results_of(
    home: Home, text: str, selection: Selection, *, rejected: bool, undone: bool = False, now: int = 0
) -> Results:
    """Return the files of the job that a word names: of these states, of rejected rows, of rows that were taken back,
    or all files without a choice.

    Raises NotFound while the job is not done, and for rejected or undone rows of a job that has none; UsageError for a
    selection that no result file has.
    """
    refuse_states(selection, _STATES, "results", "the other items have no result yet: jobctl items JOB")
    kinds = [state.word for state in selection.states] or (["failed"] if selection.causes else [])
    with closing(open_database(home)) as database:
        number = resolve_job(database, text)
        not_accepted = rejected_file(database, home, number)
        if rejected and not_accepted is None:
            raise NotFound(f"every row of job {number} was accepted", hint=f"jobctl results {number}")
        every = result_files(database, number) if kinds or undone or not rejected else []
        taken_back = [file for file in every if file.kind == "undone"]
        if undone and not taken_back:
            raise _nothing_taken_back(database, number)
        files = chosen(every, kinds) if kinds or not (rejected or undone) else []
        files += taken_back if undone else []
    if not_accepted is not None and (rejected or not (kinds or undone or _selects_rows(selection))):
        files.append(not_accepted)
    if undone and _selects_rows(selection):
        raise UsageError(
            "--undone: --cause, --where and --items select rows of the other files",
            hint=f"leave them out, or select rows of the undo job: jobctl status {number} names it",
        )
    if rejected and _selects_rows(selection):
        raise UsageError(
            "--rejected: rows that were not accepted are not items", hint="leave out --cause, --where and --items"
        )
    return Results(home, number, files, selection, now)


def _nothing_taken_back(database: Database, number: int) -> NotFound:
    job = job_views.job(database, number)
    if job is not None and job.undo_of is not None:
        return NotFound(
            f"job {number} takes back rows of job {job.undo_of}", hint=f"jobctl results {job.undo_of} --undone"
        )
    return NotFound(f"no row of job {number} was taken back", hint=f"jobctl undo {number} takes rows back")


def result_files(database: Database, number: int) -> list[ListedFile]:
    """Return the result files of a job. Raises NotFound while the job is not done."""
    job = job_views.job(database, number)
    if job is None:
        raise no_such_job(number)
    stored: dict[str, Any] = json.loads(job.results) if job.results and job.is_done else {}
    if not stored:
        raise NotFound(
            f"job {number} is {job.state}: result files are written when it is done",
            hint=f"jobctl wait {number}, or see what there is so far with: jobctl items {number}",
        )
    files = stored["files"] | ({"undone": stored["undone"]} if stored.get("undone") else {})
    return [ListedFile(kind, Path(file["path"]), file["rows"], file["sha256"]) for kind, file in files.items()]


def rejected_file(database: Database, home: Home, number: int) -> ListedFile | None:
    """Return the file of rejected rows, which exists from the submission on; None if there are none.

    Raises NotFound.
    """
    job = job_views.job(database, number)
    if job is None:
        raise no_such_job(number)
    return ListedFile("rejected", home.job_rejects(number), job.rejected, "") if job.rejected else None


def chosen(files: Sequence[ListedFile], kinds: Sequence[str]) -> list[ListedFile]:
    """Return the files of these kinds; without kinds, all files."""
    return [file for file in files if not kinds or file.kind in kinds]


def copy_out(file: ListedFile, target: Path) -> None:
    """Copy a result file to a path, completely or not at all.

    Raises NotFound, UsageError for a directory, HomeError.
    """
    with _reading(file) as source, write_whole(target) as copy:
        _copy_bytes(source, copy)


def stream_out(file: ListedFile, target: BinaryIO) -> None:
    """Copy a result file to an open stream. Raises NotFound, OSError."""
    with _reading(file) as source:
        _copy_bytes(source, target)


def lines_of(file: ListedFile) -> Iterator[str]:
    """Yield the lines of a result file as text, each with its line feed. Raises NotFound if the file was removed."""
    with _reading(file) as source:
        for line in source:
            yield line.decode("utf-8", "surrogateescape")


@contextlib.contextmanager
def _reading(file: ListedFile) -> Iterator[BinaryIO]:
    try:
        source = file.path.open("rb")
    except FileNotFoundError as error:
        raise _gone(file) from error
    with source:
        yield source


def _copy_bytes(source: BinaryIO, target: BinaryIO) -> None:
    while data := source.read(CHUNK):
        target.write(data)


def _gone(file: ListedFile) -> NotFound:
    return NotFound(f"{file.path} is gone: it was removed", hint="the rows are still there: jobctl items")
