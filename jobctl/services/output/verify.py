"""``jobctl verify``: compute again what the store says about a job, and report every difference.

The counters are compared with the items, the rows in the database with the hash from their submission, and the result
files with their checksums and, row by row, with the items. Memory does not grow with the job.
"""

from __future__ import annotations

import hashlib
import json
from contextlib import closing
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

from jobctl.config import Home
from jobctl.domain.payload import SEPARATOR
from jobctl.domain.states import ItemState
from jobctl.domain.wording import number, plural
from jobctl.errors import Busy, NotFound, no_such_job
from jobctl.services.output.result_rows import ResultRow, UnreadableError, result_rows, same_json, sha256_of
from jobctl.services.output.results import KINDS
from jobctl.store import failures, items, jobs, undone
from jobctl.store.database import Database
from jobctl.store.item_rows import undone_rows
from jobctl.store.job_row import JobRow
from jobctl.store.opening.open import open_database
from jobctl.store.views import jobs as job_views

if TYPE_CHECKING:
    from jobctl.domain.documents.checks import VerifyDocument
    from jobctl.domain.documents.values import JobStateName

SCHEMA: Final = "jobctl.verify/1"
#: The most findings that are listed; the others are only counted.
FINDINGS_SHOWN = 50


@dataclass(frozen=True, slots=True)
class VerifyFinding:
    """One difference between the data and what the store says."""

    code: str
    message: str
    file: str | None = None
    item: int | None = None


@dataclass(slots=True)
class Verification:
    """The checks of one job and their findings."""

    job: int
    state: str
    items: int = 0
    files: int = 0
    file_rows: int = 0
    checked: list[str] = field(default_factory=list)
    unchecked: list[str] = field(default_factory=list)
    findings: list[VerifyFinding] = field(default_factory=list)
    findings_total: int = 0

    @property
    def ok(self) -> bool:
        """Whether there are no findings."""
        return not self.findings_total

    def add(self, code: str, message: str, *, file: str | None = None, item: int | None = None) -> None:
        """Add a finding."""
        self.findings_total += 1
        if len(self.findings) < FINDINGS_SHOWN:
            self.findings.append(VerifyFinding(code, message, file, item))

    def document(self) -> VerifyDocument:
        """Return ``jobctl.verify/1``."""
        return {
            "schema": SCHEMA,
            "job": self.job,
            "state": cast("JobStateName", self.state),
            "items": self.items,
            "files": self.files,
            "file_rows": self.file_rows,
            "checked": self.checked,
            "unchecked": self.unchecked,
            "findings": [
                {"code": each.code, "message": each.message, "file": each.file, "item": each.item}
                for each in self.findings
            ],
            "findings_total": self.findings_total,
            "ok": self.ok,
        }


def verify(home: Home, job: int) -> Verification:
    """Check one job, and change nothing. A job that is not done has no result files to check yet.

    Raises NotFound, and Busy if a retry began another round during the check.
    """
    with closing(open_database(home)) as database:
        row = jobs.load(database, job)
        if row is None:
            raise no_such_job(job)
        report = Verification(job, row.state)
        _check_counters(database, row, report)
        files = _open_files(database, row, report)
        _check_rows(database, row, files, report)
        if files is not None and row.undo_of is None:
            _check_undone(database, row, report)
        after = jobs.load(database, job)
        if after is None or after.round != row.round or (row.finished_at and not after.finished_at):
            raise Busy(f"job {job} began another round during the check", hint=f"jobctl wait {job}, then try again")
        return report


# ---- counters ----


def _check_counters(database: Database, row: JobRow, report: Verification) -> None:
    """Compare the counters and failure groups with a count of the items, all in one snapshot."""
    with database.snapshot():
        now = jobs.load(database, row.id)
        counted = jobs.recount(database, row.id)
        by_group = failures.recount(database, row.id)
        groups = failures.counted(database, row.id)
    if now is None:
        raise NotFound(f"job {row.id} was removed")
    for name, count in counted.items():
        stored = getattr(now.counts, name)
        if stored != count:
            report.add("counter", f"{name}: the counter says {number(stored)}, there are {number(count)}")
    if now.total != sum(counted.values()):
        report.add("counter", f"total: the job says {number(now.total)}, there are {number(sum(counted.values()))}")
    for group in groups.keys() | by_group.keys():
        stored, count = groups.get(group, 0), by_group.get(group, 0)
        if stored != count:
            report.add(
                "failures", f"cause {group or 'none'}: the counter says {number(stored)}, items: {number(count)}"
            )
    report.items = sum(counted.values())
    report.checked.append("counters")


# ---- files ----


def _open_files(database: Database, row: JobRow, report: Verification) -> dict[str, _File] | None:
    """Check the checksums of the result files; returns readers of the readable ones, None if the job is not done."""
    results = job_views.results(database, row.id)
    if row.finished_at is None or results is None:
        report.unchecked.append("result files: they are written when the job is done")
        return None
    if "manifest" not in results or set(results.get("files", ())) != set(KINDS):
        report.add("manifest", "the record of the result files in the database is damaged")
        return None
    _check_manifest(results, row, report)
    files = {}
    for kind in KINDS:
        path = Path(results["files"][kind]["path"])
        expected = results["files"][kind]["sha256"]
        try:
            found = sha256_of(path)
        except OSError as error:
            report.add("file", f"{path.name} cannot be read: {error.strerror}", file=str(path))
            continue
        if found != expected:
            report.add("checksum", f"{path.name} was changed: sha256 {found}, recorded {expected}", file=str(path))
        files[kind] = _File(path, row, report)
    report.files = len(files)
    report.checked.append("checksums")
    return files


def _check_manifest(results: dict[str, Any], row: JobRow, report: Verification) -> None:
    """Compare the manifest with the database."""
    path = Path(results["manifest"])
    try:
        manifest = json.loads(path.read_bytes())
        claims = {kind: (manifest["files"][kind]["rows"], manifest["files"][kind]["sha256"]) for kind in KINDS}
        identity = (manifest["uid"], manifest["round"], manifest["fingerprint"], manifest["rows"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        reason = getattr(error, "strerror", None) or "it is not a manifest"
        report.add("manifest", f"{path.name} cannot be read: {reason}", file=str(path))
        return
    if identity != (row.uid, row.round, row.fingerprint, row.total):
        report.add("manifest", f"{path.name} is of another job or round", file=str(path))
    for kind, claim in claims.items():
        recorded = results["files"][kind]
        if claim != (recorded["rows"], recorded["sha256"]):
            report.add("manifest", f"{path.name} and the database disagree about {kind}", file=str(path))
        if recorded["rows"] != getattr(row.counts, kind):
            rows, items = plural(recorded["rows"], "row"), number(getattr(row.counts, kind))
            report.add("row_count", f"{kind}: {rows} recorded, {items} items are {kind}", file=str(path))


class _File:
    """A result file that is read in step with the items."""

    def __init__(self, path: Path, row: JobRow, report: Verification) -> None:
        self._name = path.name
        self._path = str(path)
        self._report = report
        self._is_json = row.input_format == "jsonl"
        self._rows = result_rows(path, row)
        self._broken = False
        self._head: ResultRow | None = None
        self._advance()

    def _advance(self) -> None:
        try:
            self._head = next(self._rows, None)
            self._report.file_rows += self._head is not None
        except (UnreadableError, OSError, UnicodeError) as error:
            self._head, self._broken = None, True
            self._report.add("unreadable", f"{self._name}: {error}; the rest of it was not compared", file=self._path)

    def expect(self, item: int, payload: bytes) -> None:
        """Check that the next row is the row of this item."""
        while self._head is not None and self._head.item < item:
            self._surplus(self._head)
            self._advance()
        head = self._head
        if head is None or head.item != item:
            if not self._broken:
                self._report.add("row_missing", f"{self._name} has no row of item {item}", file=self._path, item=item)
            return
        if head.payload != payload and not (self._is_json and same_json(head.payload, payload)):
            message = f"{self._name}, line {head.line}: the row of item {item} is not the row of the input"
            self._report.add("row_differs", message, file=self._path, item=item)
        self._advance()

    def finish(self) -> None:
        """Check that there are no more rows."""
        while self._head is not None:
            self._surplus(self._head)
            self._advance()

    def _surplus(self, row: ResultRow) -> None:
        message = f"{self._name}, line {row.line}: item {row.item} does not belong here, or is here twice"
        self._report.add("row_surplus", message, file=self._path, item=row.item)


def _check_undone(database: Database, row: JobRow, report: Verification) -> None:
    """Compare the file of the rows that were taken back with the items of the undo jobs, unless one is at work."""
    recorded = (job_views.results(database, row.id) or {}).get("undone")
    if recorded is None or undone.is_under_way(database, row.id):
        return
    path = Path(recorded["path"])
    try:
        found = sha256_of(path)
    except OSError as error:
        report.add("file", f"{path.name} cannot be read: {error.strerror}", file=str(path))
        return
    if found != recorded["sha256"]:
        report.add(
            "checksum", f"{path.name} was changed: sha256 {found}, recorded {recorded['sha256']}", file=str(path)
        )
    report.files += 1
    file = _File(path, row, report)
    for taken_back in undone_rows(database, row.id):
        file.expect(taken_back.item, taken_back.undo.payload)
    file.finish()
    report.checked.append("rows taken back")


# ---- rows ----


def _check_rows(database: Database, row: JobRow, files: dict[str, _File] | None, report: Verification) -> None:
    """Check that the items are the accepted rows, numbered without a gap, each in the file of its state only."""
    digest = hashlib.sha256()
    expected = 1
    for item, state, payload in chain.from_iterable(items.pages(database, row.id)):
        if item != expected:
            report.add("item_missing", f"items {expected} to {item - 1} are not in the database", item=expected)
        digest.update(SEPARATOR + payload if expected > 1 else payload)
        expected = item + 1
        if files is not None:
            file = files.get(ItemState(state).word)
            if file is not None:
                file.expect(item, payload)
    for file in (files or {}).values():
        file.finish()
    if files is not None:
        report.checked.append("every row once")
    if row.counts.skipped or not row.rows_sha256:
        report.unchecked.append("input rows: rows that were done already are not part of the job")
        return
    if digest.hexdigest() != row.rows_sha256:
        report.add("input", "the rows in the database are not those that were accepted (sha256 of the rows differs)")
    report.checked.append("input rows")
