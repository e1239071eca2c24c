"""Where the parts of a report lead: a file leads nowhere, a page of the server leads to its other pages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jobctl.render.report.svg import text_of

if TYPE_CHECKING:
    from jobctl.domain.documents.failures import CauseBlock


class Links:
    """The markup of the parts that can lead elsewhere; this class is for a file, in which they are plain text."""

    #: Whether the report is a page that changes while it is read.
    live = False

    def item(self, number: int) -> str:
        """The number of an item."""
        return str(number)

    def cause(self, group: CauseBlock) -> str:
        """What follows the message of a cause."""
        del group
        return ""

    def result(self, kind: str, path: str | None) -> str:
        """The name of a result file; ``kind`` is succeeded, failed, unprocessed, rejected or undone."""
        del kind
        return f"<code>{text_of(path)}</code>"


#: For a report that is a file.
NO_LINKS = Links()
