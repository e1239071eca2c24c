"""An xlsx file: its sheets, the formats of its cells and its shared strings."""

from __future__ import annotations

import posixpath
import re
from array import array
from collections.abc import Iterator
from typing import NamedTuple

from jobctl.sources.moments import NumberMeaning, kind_of_format
from jobctl.sources.ordinary import TEXT, read_entities
from jobctl.sources.package import Handlers, Package
from jobctl.sources.problems import Damaged

#: Bytes of memory for the shared strings.
_STRING_BYTES = 160 << 20
_ESCAPE = re.compile("_x([0-9A-Fa-f]{4})_")
_ORDINARY = re.compile(rf'\s*<si><t(?: xml:space="preserve")?>({TEXT})</t>')


class SheetInfo(NamedTuple):
    """A sheet as the workbook lists it."""

    name: str
    is_hidden: bool = False
    is_table: bool = True  # no chart, dialog or macro sheet
    part: str = ""  # of an xlsx file


class Book(Handlers):
    """The content of the workbook part: the sheets in order, the date system, whether saved values can be trusted."""

    def __init__(self, package: Package) -> None:
        """Raises Damaged."""
        self.from_1904 = False
        #: The program that wrote the file requests that its formulas are calculated when it is opened.
        self.is_uncalculated = False
        self.sheets: list[SheetInfo] = []
        part = main_part(package)
        self._links = links(package, part)
        _parse_part(package, part, self)

    def start(self, name: str, attributes: dict[str, str]) -> None:
        super().start(name, attributes)
        if name == "sheet" and "name" in attributes:
            link = next((value for key, value in attributes.items() if key.endswith(":id")), "")
            kind, target = self._links.get(link, ("worksheet", ""))
            hidden = attributes.get("state", "visible") != "visible"
            self.sheets.append(SheetInfo(unescaped(attributes["name"]), hidden, kind == "worksheet", target))
        elif name == "workbookPr":
            self.from_1904 = _is_true(attributes.get("date1904"))
        elif name == "calcPr":
            self.is_uncalculated = _is_true(attributes.get("fullCalcOnLoad"))


class _Links(Handlers):
    def __init__(self) -> None:
        self.found: dict[str, tuple[str, str]] = {}

    def start(self, name: str, attributes: dict[str, str]) -> None:
        super().start(name, attributes)
        if name == "Relationship":
            kind = attributes.get("Type", "").rpartition("/")[2]
            self.found[attributes.get("Id", "")] = (kind, attributes.get("Target", ""))


class _Formats(Handlers):
    """The meanings of the formats, which cells name by number."""

    def __init__(self) -> None:
        self.kinds: list[NumberMeaning] = []
        self._codes: dict[str, str] = {}
        self._inside = False

    def start(self, name: str, attributes: dict[str, str]) -> None:
        super().start(name, attributes)
        if name == "numFmt":
            self._codes.setdefault(attributes.get("numFmtId", ""), attributes.get("formatCode", ""))
        elif name == "cellXfs":
            self._inside = True
        elif name == "xf" and self._inside:
            number = attributes.get("numFmtId", "0")
            self.kinds.append(kind_of_format(int(number) if number.isdecimal() else 0, self._codes.get(number)))

    def end(self, name: str) -> None:
        super().end(name)
        if name == "cellXfs":
            self._inside = False


class Strings(Handlers):
    """The shared strings, in a small fraction of the memory that a list of them would take."""

    ending = b"</si>"

    def __init__(self) -> None:
        self._bytes = bytearray()
        self._ends = array("Q", (0,))
        self._texts: list[str] | None = None
        self._is_phonetic = False

    def read_ordinary(self, text: str) -> bool:
        found = _ORDINARY.fullmatch(text)
        if found is None or self.depth != 1 or self._is_phonetic:
            return False
        self._add(read_entities(found[1]))
        self._ends.append(len(self._bytes))
        return True

    def start(self, name: str, attributes: dict[str, str]) -> None:
        super().start(name, attributes)
        if name == "rPh":
            self._is_phonetic = True
        elif name == "t" and not self._is_phonetic:
            self._texts = []

    def text(self, text: str) -> None:
        if self._texts is not None:
            self._texts.append(text)

    def end(self, name: str) -> None:
        super().end(name)
        if name == "t" and self._texts is not None:
            self._add("".join(self._texts))
            self._texts = None
        elif name == "rPh":
            self._is_phonetic = False
        elif name == "si":
            self._ends.append(len(self._bytes))

    def _add(self, text: str) -> None:
        self._bytes += unescaped(text).encode("utf-8", "surrogatepass")

    @property
    def memory_bytes(self) -> int:
        """Bytes of memory that the strings take."""
        return len(self._bytes) + len(self._ends) * self._ends.itemsize + sum(map(len, self._texts or ()))

    def text_at(self, number: int) -> str:
        """The string with this number. Raises IndexError."""
        if number < 0:
            raise IndexError(number)
        return self._bytes[self._ends[number] : self._ends[number + 1]].decode("utf-8", "surrogatepass")


def main_part(package: Package) -> str:
    """The name of the part that lists the sheets; the usual name if the package does not tell."""
    for kind, target in links(package, "").values():
        if kind == "officeDocument" and package.size(target):
            return target
    return "xl/workbook.xml"


def links(package: Package, part: str) -> dict[str, tuple[str, str]]:
    """The references of a part: kind and name of each other part by its id. Raises Damaged."""
    folder, name = posixpath.split(part)
    found = _Links()
    _parse_part(package, posixpath.join(folder, "_rels", f"{name}.rels"), found)
    return {
        number: (kind, posixpath.normpath(posixpath.join("/", folder, target))[1:])
        for number, (kind, target) in found.found.items()
    }


def formats(package: Package, part: str) -> list[NumberMeaning]:
    """The meanings of the formats; a cell names its format by the index in this list. Raises Damaged."""
    found = _Formats()
    _parse_part(package, _linked(package, part, "styles"), found)
    return found.kinds


def strings(package: Package, part: str, found: Strings) -> Iterator[None]:
    """Read the shared strings, in steps. Raises Damaged."""
    name = _linked(package, part, "sharedStrings")
    if not package.size(name):
        return
    for _ in package.parse(name, found):
        if found.memory_bytes > _STRING_BYTES:
            room = f"{_STRING_BYTES >> 20} MiB"
            raise Damaged(
                "workbook", f"its texts take more than {room} of memory: save the sheet as CSV and submit that"
            )
        yield


def unescaped(text: str) -> str:
    """A text of the file as people see it: ``_x000D_`` means the character with that number."""
    if "_x" not in text:
        return text
    plain = _ESCAPE.sub(lambda match: chr(int(match[1], 16)), text)
    return plain.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")


def _linked(package: Package, part: str, kind: str) -> str:
    return next((target for found, target in links(package, part).values() if found == kind), f"xl/{kind}.xml")


def _parse_part(package: Package, part: str, handlers: Handlers) -> None:
    if package.size(part):
        package.small(part)  # refuses a part that is too large
        for _ in package.parse(part, handlers):
            pass


def _is_true(text: str | None) -> bool:
    return text in ("1", "true", "on")
