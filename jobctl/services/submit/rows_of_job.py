"""The rows of a job as the input of another one (``jobctl retry --as-new``)."""

from __future__ import annotations

import io
import itertools
import json
from collections.abc import Iterator, Sequence
from typing import Any, NoReturn

from jobctl.config import Home
from jobctl.domain.payload import SEPARATOR, Fault, texts_of
from jobctl.domain.selection import Selection
from jobctl.domain.states import ItemState
from jobctl.domain.wording import plural
from jobctl.errors import InputRejected, UsageError
from jobctl.services.control.retry import is_careful
from jobctl.services.selection import SelectedItems, nothing_selected
from jobctl.sources.options import InputOptions, ResolvedOptions
from jobctl.sources.problems import InspectedRecord
from jobctl.sources.source import Source
from jobctl.store import items
from jobctl.store.job_row import JobRow
from jobctl.store.opening.open import open_database

#: The items of a selection that names neither states nor numbers: those that did not succeed.
UNSUCCESSFUL = (ItemState.FAILED, ItemState.UNPROCESSED)
#: The parts of the dialect of an input that say how its rows are written.
_DIALECT = ("delimiter", "header", "lineterminator")
_PAGE = 2_000
_DAMAGED = Fault(None, "damaged", "the row in the database is damaged")
#: What a damaged row can raise when its values are read.
_UNREADABLE = (ValueError, LookupError, TypeError, AttributeError, RecursionError)


class RowsOfJob(Source):
    """The selected rows of a job. They are read page by page, on a connection of their own."""

    _is_text = False
    _copied = 0

    def __init__(self, home: Home, row: JobRow, selection: Selection, now: int) -> None:
        """``now`` is in microseconds UTC. Raises UsageError for a condition that the columns do not allow."""
        self._job = row
        dialect = row.input_dialect
        resolved = ResolvedOptions(row.input_format, dialect.get("delimiter", ""), "utf-8", dialect.get("header", True))
        self._database = open_database(home)
        try:
            self._chosen = SelectedItems(self._database, row.id, selection, now=now, default=_default(selection))
            super().__init__(io.BytesIO(), resolved, InputOptions(f"job {row.id}"), None)
        except BaseException:
            self._database.close()
            raise
        #: Items whose outcome is unknown do not run twice in a job that forbids it, unless they are asked for.
        self._is_careful = is_careful(row, selection)
        self._in_doubt = 0

    def __exit__(self, *exception: Any) -> None:
        self._database.close()
        super().__exit__(*exception)

    @property
    def bytes(self) -> int:
        """Bytes of the rows read so far."""
        return self._copied

    @property
    def dialect(self) -> dict[str, Any]:
        """The format of the first input."""
        return {name: value for name, value in self._job.input_dialect.items() if name in _DIALECT}

    def _open(self) -> None:
        self.columns = () if self._job.input_format == "lines" else tuple(self._job.columns)
        self.resubmit_of = self._job.uid

    def _checked_batches(self) -> Iterator[list[Any]]:
        for numbers in self._chosen.pages(size=_PAGE):
            if self._is_careful:
                numbers = self._known(numbers)
            payloads = items.payloads_of(self._database, self._job.id, numbers)
            self._copied += sum(map(len, payloads))
            if all(map(self._passes, payloads)):
                self._records += len(payloads)
                yield payloads
            else:
                yield self._accept(itertools.starmap(self._inspected, zip(numbers, payloads, strict=False)))

    def _known(self, numbers: Sequence[int]) -> list[int]:
        doubtful = items.with_unknown_outcome(self._database, self._job.id, numbers)
        self._in_doubt += len(doubtful)
        return [number for number in numbers if number not in doubtful]

    def _passes(self, payload: Any) -> bool:
        rules = self._rules
        is_good = rules.keys is None and not rules.required and len(payload) <= rules.safe_length
        return is_good and self._is_sound(payload)

    def _is_sound(self, payload: Any) -> bool:
        """False for a row that was damaged in the database, as far as that can be seen without reading its values."""
        try:
            payload.decode()
        except UnicodeDecodeError:
            return False
        if self.format == "jsonl":
            return bool(payload.lstrip()[:1] == b"{" and payload.rstrip()[-1:] == b"}")
        return self.format == "lines" or bool(payload.count(SEPARATOR) == len(self._job.columns) - 1)

    def _inspected(self, number: int, payload: Any) -> InspectedRecord:
        self._records = number - 1  # so that messages have the number of the item
        if not self._is_sound(payload):
            return InspectedRecord.broken(None, payload, _DAMAGED)
        try:
            fault = self._missing_key(payload) if self._rules.required else None
            return InspectedRecord(None, payload, texts_of(self.format, payload, self.columns), payload, fault)
        except _UNREADABLE:
            return InspectedRecord.broken(None, payload, _DAMAGED)

    def _missing_key(self, payload: Any) -> Fault | None:
        """A JSON row of the first command may lack a key that another command needs."""
        missing = sorted(self._rules.required - json.loads(payload).keys())
        return Fault(missing[0], "missing_key", f"the row has no key {missing[0]!r}") if missing else None

    def _refuse_no_rows(self) -> NoReturn:
        job = self._job.id
        if self._in_doubt:
            doubtful = plural(self._in_doubt, "item")
            raise UsageError(
                f"job {job}: {doubtful} failed with an unknown outcome and may have had their effect",
                hint=f"to take their rows nevertheless: jobctl retry {job} --as-new --unknown",
            )
        hint = f"jobctl items {job}; to take all rows: jobctl retry {job} --as-new --items 1-"
        raise UsageError(nothing_selected(self._database, self._chosen), hint=hint)

    def _rejection(self, _hint: str) -> InputRejected:
        return super()._rejection("leave these items out with --items or --where, or give another command")

    def _finish(self) -> None:
        self._records = self.rows + self.rejected
        super()._finish()
        self.sha256 = self._job.input_sha256
        if self._in_doubt:
            self.notices.append(
                f"{plural(self._in_doubt, 'item')} with an unknown outcome left out (--unknown takes them)"
            )


def _default(selection: Selection) -> tuple[ItemState, ...]:
    """The states of a selection that names none: items that are named by number may have any state."""
    if selection.items:
        return ()
    return (*UNSUCCESSFUL, ItemState.SUCCEEDED) if selection.undone else UNSUCCESSFUL
