"""``jobctl config edit``: a draft next to the file of settings, which replaces the file when it has no mistakes."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final, NamedTuple

from jobctl.errors import UsageError
from jobctl.process import private
from jobctl.services.settings.change import Place, save
from jobctl.services.settings.files import SettingsFile, content, project_file
from jobctl.services.settings.replace_file import make_folder
from jobctl.services.settings.trust import state_of

if TYPE_CHECKING:
    from jobctl.domain.documents.settings import ConfigEditDocument

_SCHEMA: Final = "jobctl.config_edit/1"
#: The text of a file that does not exist yet.
_NEW = """\
# Settings of jobctl: jobctl config show lists all keys, jobctl-config(5) describes them.

# [submit]
# slots = 4
# timeout = "5m"

# [daemon]
# slots = 8
"""


class Draft(NamedTuple):
    """A text that is being edited."""

    place: Place
    file: SettingsFile
    path: str  # of the draft
    before: bytes  # the content of the file; the text that the draft begins with, if there is no file yet

    def text(self) -> bytes:
        """Return what the draft has now. Raises UsageError if it cannot be read."""
        return content(self.path)

    def is_changed(self) -> bool:
        """Return whether the draft differs from the file. Raises UsageError."""
        return self.text() != self.before

    def accept(self) -> None:
        """Let the draft replace the file, and remove it.

        Raises UsageError if it has mistakes, or if the file has changed since the draft was made.
        """
        if (content(self.file.path) if os.path.exists(self.file.path) else b"") != (
            self.before if self.file.exists else b""
        ):
            raise UsageError(
                f"{self.file.path} has changed while you edited it", hint=f"compare: diff {self.file.path} {self.path}"
            )
        save(self.place, self.file, self.before, self.text())
        self.discard()

    def discard(self) -> None:
        """Remove the draft. Raises OSError."""
        os.unlink(self.path)

    def document(self, *, changed: bool) -> ConfigEditDocument:
        """Return ``jobctl.config_edit/1``."""
        path = self.file.path
        trust = state_of(project_file(path), self.place.environ) if self.place.project else None
        return {"schema": _SCHEMA, "path": path, "changed": changed, "trust": trust}


def begin(place: Place) -> Draft:
    """Make a draft with the content of the file, which may have mistakes. Raises UsageError, OSError."""
    file = place.file()
    folder = os.path.dirname(file.path)
    if not file.exists and not place.project:
        make_folder(folder)
    before = content(file.path) if file.exists else _NEW.encode()
    path = os.path.join(folder, f".{os.path.basename(file.path).removesuffix('.toml')}.{os.getpid()}.toml")
    with open(private.create(path), "wb") as draft:
        draft.write(before)
    return Draft(place, file, path, before)
