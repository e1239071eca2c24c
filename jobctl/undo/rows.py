"""Makes the rows of an undo job from the rows that it takes back and from what is known about their success."""

from __future__ import annotations

import hashlib
from typing import Any

from jobctl.config import Home
from jobctl.domain.cause import clean
from jobctl.domain.jsontext import plain_value
from jobctl.domain.payload import SEPARATOR
from jobctl.domain.states import ItemState
from jobctl.domain.undo import Taken, payload_of
from jobctl.handlers.attempt import tokens_of
from jobctl.process.output_tail import OutputReader
from jobctl.store import items, undone
from jobctl.store.database import Database
from jobctl.store.job_row import JobRow

#: Rows in one transaction, which takes half a second at most.
PAGE = 20_000
#: The last line of an output is looked for in this many of its last bytes, as for the result files.
_OUTPUT_LIMIT = 1_000
_VARIABLE = b"JOBCTL_TOKEN="


class UndoRows:
    """Writes the rows that ``store.undone.choose`` has noted on the same connection."""

    def __init__(self, database: Database, home: Home, row: JobRow) -> None:
        self._database = database
        self._row = row
        self._tokens = tokens_of(row)
        self._digest = hashlib.sha256()
        # An item may print its secrets, and only the daemon knows them: then no output leaves the logs.
        has_secrets = bool(row.env_names or row.env_file)
        self._output = None if has_secrets else OutputReader(home.job_logs(row.id))

    def write(self, undo_job: int, after: int) -> int:
        """Write the next rows after number ``after``, in the caller's transaction.

        Returns the number of the last one; ``after`` if none is left.
        """
        rows = undone.chosen_rows(self._database, self._row.id, after, PAGE)
        if not rows:
            return after
        payloads = list(map(self._payload, rows))
        self._digest.update((SEPARATOR if after > 0 else b"") + SEPARATOR.join(payloads))
        items.enqueue(self._database, undo_job, rows[0].place, payloads)
        undone.note(self._database, undo_job, [(row.item, row.place) for row in rows])
        return rows[-1].place

    @property
    def sha256(self) -> str:
        """The hash of the rows that were written, as ``verify`` computes it."""
        return self._digest.hexdigest()

    def close(self) -> None:
        """Close the log files, and drop the choice."""
        if self._output is not None:
            self._output.close()
        undone.forget_choice(self._database)

    def _payload(self, row: undone.ChosenRow) -> bytes:
        of = f"{self._row.id}.{row.item}"
        taken = Taken(of, row.attempt, self._token(row), self._result(row))
        return payload_of(self._row.input_format, row.payload, taken)

    def _token(self, row: undone.ChosenRow) -> str:
        try:
            variables = self._tokens.environment(row.item, row.attempt, row.payload)
        except (ValueError, LookupError, AttributeError):  # the row was damaged after it ran
            return ""
        return next(each.removeprefix(_VARIABLE).decode() for each in variables if each.startswith(_VARIABLE))

    def _result(self, row: undone.ChosenRow) -> Any:
        if row.state != ItemState.SUCCEEDED:
            return ""
        if row.value is not None:
            return plain_value(row.value)
        if self._output is None or not row.out_len:
            return ""
        text = self._output.tail(row.log, row.out_off, row.out_len, _OUTPUT_LIMIT).decode("utf-8", "replace")
        lines = text.rstrip().splitlines()
        return clean(lines[-1]) if lines else ""
