"""Manual pages as plain text, for pipes and machines without man(1): the macros of mdoc(7) that our pages use."""

from __future__ import annotations

import re
import shlex
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from jobctl.render.mdoc_words import inline, unescaped

WIDTH = 78
_TEXT, _SUB, _LITERAL, _TAG = 5, 3, 6, 8
_NARROW = 4


@dataclass
class _List:
    kind: str
    compact: bool
    indent: int
    count: int = 0


@dataclass
class _Page:
    """The text so far, and the position in the page."""

    width: int
    lines: list[str] = field(default_factory=list)
    words: list[str] = field(default_factory=list)  # of the present paragraph
    lists: list[_List] = field(default_factory=list)
    indent: int = 0
    hanging: str = ""  # the text in front of the next paragraph
    name: str = ""
    title: str = ""
    section: str = ""
    literal: bool = False
    headed: int = -1  # the number of lines after the last heading

    def flush(self) -> None:
        """End the paragraph."""
        if not self.words and not self.hanging:
            return
        start, rest = " " * (self.indent - len(self.hanging)) + self.hanging, " " * self.indent
        text = textwrap.fill(
            " ".join(self.words),
            self.width,
            initial_indent=start,
            subsequent_indent=rest,
            break_long_words=False,
            break_on_hyphens=False,
        )
        self.lines.extend((text or start.rstrip()).split("\n"))
        self.words, self.hanging = [], ""

    def gap(self) -> None:
        """End the paragraph and leave one line empty."""
        self.flush()
        if self.lines and self.lines[-1] and len(self.lines) != self.headed:
            self.lines.append("")

    def heading(self, indent: int, text: str) -> None:
        """Begin a section."""
        self.gap()
        self.indent, self.lists = _TEXT, []
        self.lines.append(" " * indent + unescaped(text))
        self.headed = len(self.lines)


def page_text(source: str, width: int = WIDTH) -> str:
    """The text of a page: no control characters, no line wider than ``width`` unless it is an example."""
    page = _Page(width)
    for line in source.splitlines():
        if line.startswith('.\\"'):
            continue
        if page.literal and not line.startswith(".Ed"):
            page.lines.append(" " * page.indent + unescaped(line).rstrip() if line else "")
        elif line.startswith("."):
            _macro(page, line[1:])
        elif line.strip():
            page.words.append(unescaped(line.strip()))
    page.flush()
    return "\n".join(page.lines).strip("\n") + "\n"


def _macro(page: _Page, line: str) -> None:
    name, _, rest = line.partition(" ")
    block = _BLOCKS.get(name)
    if block is not None:
        block(page, rest)
        return
    if name == "Nm" and page.section == "SYNOPSIS":
        page.flush()
    text = inline([name, *split(rest)], page.name)
    if name == "Nm" and not page.name:
        page.name = text
    page.words.append(text)


def split(text: str) -> list[str]:
    """The words of a macro line; quotes keep words together."""
    return [word[1:-1] if word.startswith('"') else word for word in re.findall(r'"[^"]*"|[^\s"]\S*', text)]


def _title(page: _Page, rest: str) -> None:
    name, section = [*split(rest), "", ""][:2]
    page.title = f"{name}({section})"
    page.lines += [f"{page.title}{'jobctl':^{max(8, page.width - 2 * len(page.title))}}{page.title}", ""]


def _section(page: _Page, rest: str) -> None:
    page.section = rest
    page.heading(0, rest)


def _subsection(page: _Page, rest: str) -> None:
    page.heading(_SUB, rest)


def _description(page: _Page, rest: str) -> None:
    page.words += ["-", inline(split(rest), page.name)]


def _paragraph(page: _Page, _rest: str) -> None:
    page.gap()


def _begin_list(page: _Page, rest: str) -> None:
    page.flush()
    options = shlex.split(rest)
    kind = options[0].lstrip("-") if options else "tag"
    page.lists.append(_List(kind, "-compact" in options, page.indent))


def _item(page: _Page, rest: str) -> None:
    current = page.lists[-1]
    if current.compact:
        page.flush()
    else:
        page.gap()
    current.count += 1
    if current.kind == "tag":
        head = inline(split(rest), page.name)
        page.indent = current.indent + _TAG
        if len(head) <= _TAG - 2:
            page.hanging = f"{head:<{_TAG}}"
        else:
            wrapped = textwrap.wrap(head, page.width - current.indent, break_long_words=False, break_on_hyphens=False)
            page.lines += [" " * current.indent + line for line in wrapped]
        return
    page.indent = current.indent + _NARROW
    mark = "-" if current.kind == "bullet" else f"{current.count}."
    page.hanging = f"{mark:<{_NARROW}}"


def _end_list(page: _Page, _rest: str) -> None:
    page.flush()
    page.indent = page.lists.pop().indent


def _begin_literal(page: _Page, rest: str) -> None:
    page.gap()
    page.literal = True
    page.indent += _LITERAL if "-offset" in rest else 0
    page.lists.append(_List("literal", compact=True, indent=page.indent - (_LITERAL if "-offset" in rest else 0)))


def _end_literal(page: _Page, _rest: str) -> None:
    page.literal = False
    page.indent = page.lists.pop().indent
    page.lines.append("")


def _nothing(_page: _Page, _rest: str) -> None:
    pass


_BLOCKS: dict[str, Callable[[_Page, str], None]] = {
    "Dd": _nothing,
    "Os": _nothing,
    "Dt": _title,
    "Sh": _section,
    "Ss": _subsection,
    "Nd": _description,
    "Pp": _paragraph,
    "Bl": _begin_list,
    "It": _item,
    "El": _end_list,
    "Bd": _begin_literal,
    "Ed": _end_literal,
}


def macros(source: str) -> Iterator[str]:
    """The macros with which the lines of a page begin."""
    for line in source.splitlines():
        if line.startswith(".") and not line.startswith('.\\"'):
            yield line[1:].partition(" ")[0]
