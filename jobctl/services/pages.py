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
class Page:
    """A manual page."""

    name: str  # jobctl-submit
    section: str
    file: Traversable

    @property
    def short(self) -> str:
        """As it is asked for: ``submit``."""
        return self.name.removeprefix(f"{MAIN}-")

    @property
    def path(self) -> Path | None:
        """Its file; None when it is inside an archive."""
        return self.file if isinstance(self.file, Path) else None

    def source(self) -> str:
        """The text as mdoc(7)."""
        return self.file.read_text(encoding="utf-8")

    def block(self) -> ManualPageBlock:
        """As part of a document."""
        return {"page": self.name, "section": self.section, "summary": self.summary()}

    def document(self, text: str) -> ManualPageDocument:
        """``jobctl.man/1``; ``text`` is the page as plain text."""
        path = None if self.path is None else str(self.path)
        return {"schema": "jobctl.man/1", **self.block(), "path": path, "text": text}

    def summary(self) -> str:
        """What it is about, on one line."""
        found = _DESCRIPTION.search(self.source())
        return found[1] if found else ""


def folder() -> Traversable:
    """The folder that has man1, man5 and man7. Raises JobctlError when the pages were not installed.

    A wheel has it inside the package, a clone next to it.
    """
    package = resources.files("jobctl")
    for place in (package / "man", *([package.parent / "man"] if isinstance(package, Path) else [])):
        if (place / "man1" / f"{MAIN}.1").is_file():
            return place
    raise JobctlError(
        "the manual pages are not installed with this jobctl", hint="pip install --force-reinstall jobctl"
    )


def pages() -> list[Page]:
    """All of them: jobctl(1) first, then by section and name."""
    return sorted(_pages(folder()), key=lambda page: (page.name != MAIN, page.section, page.name))


def _pages(place: Traversable) -> Iterator[Page]:
    for section in place.iterdir():
        if section.name.startswith("man") and section.is_dir():
            for file in section.iterdir():
                match = _FILE.fullmatch(file.name)
                if match is not None:
                    yield Page(match[1], match[2], file)


def look_up(words: list[str]) -> Page:
    """The page of ``submit``, ``jobctl-submit``, ``jobctl submit``, ``5 status``, ``status.5`` or ``status(5)``.

    Without words that of jobctl itself; of a command within a group (``queue list``) that of the group.
    Raises NotFound with the nearest page for a name that is none, UsageError for more than one name.
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


def _named(name: str, section: str) -> Page:
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
