"""A sheet of an xlsx, xlsb, xls or ods file; formulas have the values that were saved."""

from __future__ import annotations

import os
from typing import Any

from jobctl.process.isolated import ChildBounds
from jobctl.sources.signature import ZIP
from jobctl.sources.table import DecodedTable


class WorkbookSource(DecodedTable):
    """A sheet of an xlsx, xlsb, xls or ods file, read by a child process."""

    _description = "a workbook"
    _package = "python_calamine"
    _extra = "xlsx"
    _decoder = "jobctl.sources.sheets:SheetDecoder"
    _bounds = ChildBounds(memory=512 << 20, cpu_s=300)
    _remedy = "save the sheet as xlsx or CSV; one value in a far corner is enough to make a sheet large"

    def _settings(self) -> dict[str, Any]:
        options = self._options
        return {"sheet": options.sheet, "header": self._resolved.header, "keep": options.invalid == "keep"}

    def _check_package(self) -> None:
        """An xlsx file needs no library; the child reports a missing one for other files in a ZIP archive."""
        if os.pread(self._file.fileno(), len(ZIP), 0) != ZIP:
            super()._check_package()

    @property
    def _reader(self) -> str:
        return "the reader"
