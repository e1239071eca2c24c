"""The manual pages that are installed with this jobctl, and the page that a word names."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import TYPE_CHECKING

from jobctl.domain.nearest import nearest
from jobctl.errors import JobctlError, NotFound, UsageError

if TYPE_CHECKING:
    from jobctl.domain.documents.program import ManualPageBlock, ManualPageDocument

MAIN = "jobctl"
_FILE = re.compile(r"(jobctl(?:-[a-z]+)?)\.([1-9])")
_DESCRIPTION = re.compile(r"(?m)^\.Nd (.+)$")


@dataclass(frozen=True, slots=True)
class ManualPage:
    """A manual page."""

    name: str  # jobctl-submit
    section: str
    file: Traversable

    @property
    def short(self) -> str:
        """The name without its prefix: ``submit``."""
        return self.name.removeprefix(f"{MAIN}-")

    @property
    def path(self) -> Path | None:
        """The path of its file; None if the file is inside an archive."""
        return self.file if isinstance(self.file, Path) else None

    def source(self) -> str:
        """Return the source of the page, in mdoc(7)."""
        return self.file.read_text(encoding="utf-8")

    def block(self) -> ManualPageBlock:
        """Return the page as a part of a document."""
        return {"page": self.name, "section": self.section, "summary": self.summary()}

    def document(self, text: str) -> ManualPageDocument:
        """Return ``jobctl.man/1``; ``text`` is the page as plain text."""
        path = None if self.path is None else str(self.path)
        return {"schema": "jobctl.man/1", **self.block(), "path": path, "text": text}

    def summary(self) -> str:
        """Return its subject, on one line."""
        found = _DESCRIPTION.search(self.source())
        return found[1] if found else ""


def folder() -> Traversable:
    """Return the folder that has man1, man5 and man7. Raises JobctlError if the pages are not installed.

    In a wheel it is inside the package, in a clone of the repository next to the package.
    """
    package = resources.files("jobctl")
    for place in (package / "man", *([package.parent / "man"] if isinstance(package, Path) else [])):
        if (place / "man1" / f"{MAIN}.1").is_file():
            return place
    raise JobctlError(
        "the manual pages are not installed with this jobctl", hint="pip install --force-reinstall jobctl"
    )


def pages() -> list[ManualPage]:
    """Return all pages: jobctl(1) first, then by section and name. Raises JobctlError."""
    return sorted(_pages(folder()), key=lambda page: (page.name != MAIN, page.section, page.name))


def _pages(place: Traversable) -> Iterator[ManualPage]:
    for section in place.iterdir():
        if section.name.startswith("man") and section.is_dir():
            for file in section.iterdir():
                match = _FILE.fullmatch(file.name)
                if match is not None:
                    yield ManualPage(match[1], match[2], file)


def look_up(words: list[str]) -> ManualPage:
    """Find the page of ``submit``, ``jobctl-submit``, ``jobctl submit``, ``5 status``, ``status.5`` or ``status(5)``.

    Without words, it is the page of jobctl itself; for a command of a group (``queue list``), the page of the group.
    Raises NotFound with the nearest page for an unknown name, UsageError for several names, JobctlError.
    """
    section = ""
    names: list[str] = []
    for word in words:
        match = re.fullmatch(r"(.+?)(?:\.([1-9])|\(([1-9])\))", word)
        if re.fullmatch("[1-9]", word):
            section = word
        elif match is not None:
            names, section = [*names, match[1]], match[2] or match[3]
        else:
            names.append(word)
    names = names[1:] if len(names) > 1 and names[0] == MAIN else names
    found = _named(names[0] if names else MAIN, section)
    if len(names) > 1 and f"of {' '.join(names)}\n" not in found.source():
        raise UsageError("one page at a time", hint="jobctl man submit; jobctl man --list lists them")
    return found


def _named(name: str, section: str) -> ManualPage:
    known = pages()
    found = [page for page in known if name in (page.name, page.short)]
    fitting = [page for page in found if section in ("", page.section)]
    if fitting:
        return fitting[0]
    if found:
        has = ", ".join(f"{page.name}({page.section})" for page in found)
        raise NotFound(f"{name!r} has no page in section {section}", hint=f"there is {has}")
    near = nearest(name, [page.short for page in known])
    hint = f"did you mean: jobctl man {near}" if near else "jobctl man --list lists the pages"
    raise NotFound(f"there is no manual page {name!r}", hint=hint)
