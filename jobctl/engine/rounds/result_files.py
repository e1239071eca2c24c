"""Writes the result files of a round: succeeded, failed, unprocessed and a manifest. Together they are the input.

The original columns come first, untouched, in the order and dialect of the input; ``jobctl_*`` columns follow. JSON
lines come back as JSON lines with one ``_jobctl`` member. Each file is written under another name and renamed into
place, the manifest last, before the terminal commit of the job; after an interruption all are written again.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jobctl import __version__
from jobctl.config import Home
from jobctl.domain import outcome
from jobctl.domain.cause import clean
from jobctl.domain.csvtext import row_writer
from jobctl.domain.durations import format_time, seconds
from jobctl.domain.endings import Ending
from jobctl.domain.jsontext import plain_value
from jobctl.domain.mask import Mask
from jobctl.domain.payload import fields_of
from jobctl.domain.policy import Policy
from jobctl.domain.states import ItemState
from jobctl.domain.texts import shown
from jobctl.engine.rounds.plain_rows import PlainRows
from jobctl.engine.rounds.result_file import ResultFile, Written, cell_of
from jobctl.handlers.kinds import kind_of
from jobctl.process import durable, private
from jobctl.process.output_tail import OutputReader
from jobctl.store.cancelled import Reasons
from jobctl.store.database import Database
from jobctl.store.item_rows import ItemRow, item_rows
from jobctl.store.job_row import JobRow
from jobctl.store.leftovers import LeftoversOfItems

if TYPE_CHECKING:
    from jobctl.domain.documents.results import ManifestDocument, ManifestFileBlock

FLUSH_EVERY = 500
OUTPUT_LIMIT = 1_000

COMMON = ("job", "item", "attempts")
RUN = ("exit_code", "signal", "started_at", "duration_s", "cpu_s", "max_rss_kib")
COLUMNS = {
    "succeeded": (*COMMON, *RUN, "output"),
    "failed": (*COMMON, *RUN, "error_code", "error_message", "retryable", "outcome", "output"),
    "unprocessed": (*COMMON, "reason"),
}
#: The value that an item returned, as JSON: a column of jobs whose items return values.
RESULT = "result"
_COLUMNS_WITH_VALUES = COLUMNS | {"succeeded": (*COMMON, *RUN, RESULT, "output")}
#: The processes that an item left behind and that were ended: a column of jobs with such items.
LEFT_BEHIND = "left_behind"
_FILE_OF_STATE: dict[int, str] = {
    ItemState.SUCCEEDED: "succeeded",
    ItemState.FAILED: "failed",
    ItemState.UNPROCESSED: "unprocessed",
}


class ResultWriter:
    """Writes the result files of one job whose items are all terminal."""

    def __init__(self, database: Database, home: Home, row: JobRow, reason: str, mask: Mask) -> None:
        self._database = database
        self._row = row
        self._folder = home.job_results(row.id)
        self._output = OutputReader(home.job_logs(row.id))
        self._mask = mask
        self._policy: Policy = row.policy
        self._reason = reason
        self._cancelled = Reasons(database, row.id, row.round_at)
        self._has_values = kind_of(row.handler).returns_values
        self._columns = _COLUMNS_WITH_VALUES if self._has_values else COLUMNS
        self._left_behind = LeftoversOfItems(database, row.id)
        if self._left_behind.has_any:
            self._columns = {name: _with_left_behind(columns) for name, columns in self._columns.items()}
        self._jsonl = row.input_format == "jsonl"
        self._suffix = {"jsonl": ".jsonl", "tsv": ".tsv"}.get(row.input_format, ".csv")

    def write(self) -> dict[str, Any]:
        """Write all files. Returns their description for ``jobs.results`` and the status document."""
        for folder in (self._folder.parent, self._folder):
            private.make_folder(folder)
        files = {name: ResultFile(self._folder / (name + self._suffix)) for name in self._columns}
        write_row = self._json_rows(files) if self._jsonl else self._table_rows(files)
        for number, row in enumerate(item_rows(self._database, self._row.id)):
            write_row(row, _FILE_OF_STATE[row.state])
            if not number % FLUSH_EVERY:
                for file in files.values():
                    file.flush()
        written = {name: file.finish() for name, file in files.items()}
        manifest = self._write_manifest(written)
        durable.sync(self._folder)
        self.close()
        return {
            "dir": str(self._folder),
            "manifest": manifest,
            "files": {n: {"path": w.path, "rows": w.rows, "sha256": w.sha256} for n, w in written.items()},
        }

    def close(self) -> None:
        """Close the log files."""
        self._output.close()

    def _table_rows(self, files: dict[str, ResultFile]) -> Callable[[ItemRow, str], None]:
        dialect = self._row.input_dialect
        options: dict[str, Any] = {
            "delimiter": dialect.get("delimiter") or ("\t" if self._suffix == ".tsv" else ","),
        }
        terminator = dialect.get("lineterminator") or "\n"
        writers = {name: row_writer(file.text.write, terminator, **options) for name, file in files.items()}
        columns = self._row.columns or ["line"]
        for name, writer in writers.items():
            writer.writerow([*columns, *(f"jobctl_{column}" for column in self._columns[name])])

        plain = PlainRows(
            self._row.uid,
            (options["delimiter"], terminator),
            lambda row: cell_of(self._tail(row)),
            results=self._has_values,
        )
        write_plain = files["succeeded"].text.write

        def write_row(row: ItemRow, name: str) -> None:
            files[name].rows += 1
            text = plain.text(row) if name == "succeeded" and not self._left_behind.has_any else None
            if text is not None:
                write_plain(text)
                return
            values = [f.decode("utf-8", "surrogateescape") for f in fields_of(self._row.input_format, row.payload)]
            facts = self.facts(row, name)
            writers[name].writerow([*values, *(self._cell(facts, column) for column in self._columns[name])])

        return write_row

    @staticmethod
    def _cell(facts: dict[str, Any], column: str) -> Any:
        return facts[column] if column == RESULT else cell_of(facts[column])

    def _json_rows(self, files: dict[str, ResultFile]) -> Callable[[ItemRow, str], None]:
        def write_row(row: ItemRow, name: str) -> None:
            facts = self.facts(row, name)
            values = {column: facts[column] for column in self._columns[name]}
            if RESULT in values:
                values[RESULT] = None if row.value is None else plain_value(row.value)
            member = json.dumps(values, ensure_ascii=False)
            text = row.payload.decode("utf-8", "surrogateescape").rstrip()
            body = text[:-1].rstrip()
            comma = "" if body.endswith("{") else ","
            files[name].text.write(f'{body}{comma}"_jobctl":{member}}}\n')
            files[name].rows += 1

        return write_row

    def facts(self, row: ItemRow, name: str) -> dict[str, Any]:
        """The values of the ``jobctl_*`` columns of a row in the file of this name."""
        facts: dict[str, Any] = {"job": self._row.uid, "item": row.item, "attempts": row.attempts}
        if name == "unprocessed":
            facts["reason"] = self._cancelled.of(row.item) or self._reason
            return facts
        facts |= {
            "exit_code": row.code if row.ending == Ending.EXITED else None,
            "signal": outcome.signal_of(row.ending, row.code),
            "started_at": None if row.started_at is None else format_time(row.started_at),
            "duration_s": None if row.duration_us is None else seconds(row.duration_us),
            "cpu_s": seconds(row.cpu_us),
            "max_rss_kib": row.max_rss_kib,
            RESULT: row.value,
            LEFT_BEHIND: self._left_behind.text(row.item, row.attempts) if self._left_behind.has_any else "",
            "output": self._tail(row),
        }
        if name == "failed":
            facts |= self._error(row)
        return facts

    def _error(self, row: ItemRow) -> dict[str, Any]:
        if row.ending is None:
            return {"error_code": "cancelled", "error_message": "", "retryable": True, "outcome": "unknown"}
        return {
            "error_code": outcome.failure_code(row.ending, row.code, row.flags),
            "error_message": row.message or "",
            "retryable": outcome.is_retryable(row.ending, row.code, self._policy),
            "outcome": "known" if outcome.is_known(row.ending) else "unknown",
        }

    def _tail(self, row: ItemRow) -> str:
        if not row.out_len:
            return ""
        text = self._output.tail(row.log, row.out_off, row.out_len, OUTPUT_LIMIT).decode("utf-8", "replace")
        lines = text.rstrip().splitlines()
        return self._mask(clean(lines[-1])) if lines else ""

    def _write_manifest(self, written: dict[str, Written]) -> str:
        path = self._folder / "manifest.json"
        file = ResultFile(path)

        def listed(name: str) -> ManifestFileBlock:
            return {"name": Path(written[name].path).name, "rows": written[name].rows, "sha256": written[name].sha256}

        manifest: ManifestDocument = {
            "schema": "jobctl.manifest/1",
            "job": self._row.id,
            "uid": self._row.uid,
            "round": self._row.round,
            "input": {"path": self._row.input_path, "sha256": self._row.input_sha256},
            "fingerprint": self._row.fingerprint,
            "rows": sum(w.rows for w in written.values()),
            "files": {
                "succeeded": listed("succeeded"),
                "failed": listed("failed"),
                "unprocessed": listed("unprocessed"),
            },
            "written_by": f"jobctl {__version__}",
        }
        file.text.write(shown(json.dumps(manifest, indent=2, ensure_ascii=False), in_json=True) + "\n")
        return file.finish().path


def _with_left_behind(columns: tuple[str, ...]) -> tuple[str, ...]:
    """The columns of items that ran, with the processes left behind before the output."""
    return (*columns[:-1], LEFT_BEHIND, columns[-1]) if columns[-1] == "output" else columns
