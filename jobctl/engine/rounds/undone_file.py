"""Writes ``undone.csv`` in the results folder of a job: the rows that undo jobs have taken back, with what they say.

It is written when a round of an undo job ends, and again when another round of the job itself ends.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from typing import Any

from jobctl.config import Home
from jobctl.domain.csvtext import row_writer
from jobctl.domain.jsontext import plain_value
from jobctl.domain.payload import fields_of
from jobctl.engine.jobs.job_spec import secrets_for
from jobctl.engine.rounds.result_file import ResultFile, cell_of
from jobctl.engine.rounds.result_files import FLUSH_EVERY, RESULT, RUN, ResultWriter
from jobctl.process import durable, private
from jobctl.store import jobs
from jobctl.store.database import Database
from jobctl.store.item_rows import UndoneRow, undone_rows
from jobctl.store.job_row import JobRow

COLUMNS = ("job", "item", "undo_job", "undo_item", "attempts", *RUN, RESULT, "output")


class UndoneFiles:
    """Writes one such file at a time, and keeps the description of the latest one of each job."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._lock = threading.Lock()
        self._latest: dict[int, dict[str, Any] | None] = {}

    def write(self, database: Database, job: int) -> None:
        """Write the file of a job, or remove it if no row is taken back any more. Raises OSError."""
        row = jobs.load(database, job)
        if row is None:  # it was removed, and its folder with it
            return
        with self._lock:
            self._latest[job] = _UndoneWriter(database, self._home, row).write()

    def latest(self, job: int) -> dict[str, Any] | None:
        """The description of the latest file, for ``jobs.results``; None without one."""
        return self._latest.get(job)


class _UndoneWriter:
    def __init__(self, database: Database, home: Home, row: JobRow) -> None:
        self._database = database
        self._home = home
        self._row = row
        self._folder = home.job_results(row.id)
        self._writers: dict[int, tuple[str, ResultWriter]] = {}

    def write(self) -> dict[str, Any] | None:
        suffix = {"jsonl": ".jsonl", "tsv": ".tsv"}.get(self._row.input_format, ".csv")
        path = self._folder / f"undone{suffix}"
        found = undone_rows(self._database, self._row.id)
        rows = (row for row in found if self._has_writer(row.undo_job))  # not of a job that is being removed
        first = next(rows, None)
        if first is None:
            path.unlink(missing_ok=True)
            return None
        for folder in (self._folder.parent, self._folder):
            private.make_folder(folder)
        file = ResultFile(path)
        write_row = self._json(file) if self._row.input_format == "jsonl" else self._table(file, suffix)
        write_row(first)
        for number, row in enumerate(rows):
            write_row(row)
            if not number % FLUSH_EVERY:
                file.flush()
        written = file.finish()
        durable.sync(self._folder)
        for _, writer in self._writers.values():
            writer.close()
        return {"path": written.path, "rows": written.rows, "sha256": written.sha256}

    def _facts(self, row: UndoneRow) -> dict[str, Any]:
        uid, writer = self._writers[row.undo_job]
        facts = writer.facts(row.undo, "succeeded")
        return facts | {"job": self._row.uid, "item": row.item, "undo_job": uid, "undo_item": row.undo.item}

    def _has_writer(self, undo_job: int) -> bool:
        """True if the undo job exists; then its uid is known, and the writer that knows its logs and secrets."""
        if undo_job not in self._writers:
            row = jobs.load(self._database, undo_job)
            if row is None:
                return False
            writer = ResultWriter(self._database, self._home, row, "", secrets_for(row).mask)
            self._writers[undo_job] = row.uid, writer
        return True

    def _table(self, file: ResultFile, suffix: str) -> Callable[[UndoneRow], None]:
        dialect = self._row.input_dialect
        delimiter = dialect.get("delimiter") or ("\t" if suffix == ".tsv" else ",")
        writer = row_writer(file.text.write, dialect.get("lineterminator") or "\n", delimiter=delimiter)
        writer.writerow([*(self._row.columns or ["line"]), *(f"jobctl_{column}" for column in COLUMNS)])

        def write_row(row: UndoneRow) -> None:
            fields = fields_of(self._row.input_format, row.undo.payload)
            facts = self._facts(row)
            cells = [facts[name] or "" if name == RESULT else cell_of(facts[name]) for name in COLUMNS]
            writer.writerow([*(field.decode("utf-8", "surrogateescape") for field in fields), *cells])
            file.rows += 1

        return write_row

    def _json(self, file: ResultFile) -> Callable[[UndoneRow], None]:
        def write_row(row: UndoneRow) -> None:
            facts = self._facts(row)
            values = {name: facts[name] for name in COLUMNS}
            values[RESULT] = None if values[RESULT] is None else plain_value(values[RESULT])
            body = row.undo.payload.decode("utf-8", "surrogateescape").rstrip()[:-1].rstrip()
            comma = "" if body.endswith("{") else ","
            file.text.write(f'{body}{comma}"_jobctl":{json.dumps(values, ensure_ascii=False)}}}\n')
            file.rows += 1

        return write_row
