"""Generates the parts of the man pages that the command tree and the table of job options determine.

``python -m jobctl.cli.completion.manual [FOLDER]`` writes these parts between their marks, and creates a first page for
a command that has none. The prose around the parts is written by hand.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from jobctl.cli.app import command_tree
from jobctl.cli.completion.option_lists import LISTS
from jobctl.cli.completion.roff import literal, text_lines
from jobctl.cli.completion.tree import Argument, Node, Option
from jobctl.cli.session import GLOBAL_PANEL

FOLDER = Path("man")
ROOT_PAGE = "jobctl.1"
_END = r".\" end of generated part"
_PART = re.compile(
    r'(?m)^\.\\" generated: (synopsis|options|commands|list)(?: of (.+))?\n(?:.*\n)*?\.\\" end of generated part$'
)


def page_name(node: Node) -> str:
    """Return the path of a command's page below the folder. Commands of a group are on the page of the group."""
    return f"man{node.section}/jobctl-{node.path[0]}.{node.section}" if node.path else f"man1/{ROOT_PAGE}"


def refreshed(text: str, root: Node) -> str:
    """Return a page with new generated parts. Raises KeyError for a command or a list that does not exist."""
    nodes = {node.name: node for node in root.walk()}

    def write(found: re.Match[str]) -> str:
        kind, name = found[1], found[2] or ""
        return _marked(kind, name, LISTS[name]()) if kind == "list" else part(kind, nodes[name])

    return _PART.sub(write, text)


def part(kind: str, node: Node) -> str:
    """Return one generated part of a command, with its marks."""
    lines = {"synopsis": _synopsis, "options": _options, "commands": _commands}[kind](node)
    return _marked(kind, node.name, lines)


def _marked(kind: str, name: str, lines: Iterable[str]) -> str:
    of = f" of {name}" if name else ""
    return "\n".join([rf".\" generated: {kind}{of}", *lines, _END])


def _synopsis(node: Node) -> Iterator[str]:
    if node.children:
        yield f".Nm {_called(node)}"
        yield ".Op Ar options"
        if not node.runs_alone:
            yield ".Ar COMMAND ..." if node.path else ".Op Ar COMMAND ..."
        return
    yield f".Nm {_called(node)}"
    yield ".Op Ar options"
    yield from (_argument(argument) for argument in node.arguments)
    if node.takes_words or node.needs_dashes:
        yield ".Op Fl \\&- Ar COMMAND ARG ..."


def _called(node: Node) -> str:
    return " ".join(("jobctl", *node.path))


def _argument(argument: Argument) -> str:
    word = argument.metavar.removesuffix("...").strip()
    if word.startswith("[") and word.endswith("]"):
        word = word[1:-1]
    shown = f"Ar {word}{' ...' if argument.multiple else ''}"
    return f".{shown}" if argument.required else f".Op {shown}"


def _options(node: Node) -> Iterator[str]:
    panels: dict[str, list[Option]] = {}
    for option in node.options:
        if option.panel != GLOBAL_PANEL or not node.path:
            panels.setdefault(option.panel, []).append(option)
    for panel, options in panels.items():
        if len(panels) > 1:
            yield f".Ss {panel}"
        yield ".Bl -tag -width Ds"
        for option in options:
            yield _item(option)
            yield from text_lines(option.help)
        yield ".El"


def _item(option: Option) -> str:
    names = " , ".join(f"Fl {name[1:]}" for name in option.names)
    return f".It {names}" + (f" Ar {option.metavar}" if option.metavar else "")


def _commands(node: Node) -> Iterator[str]:
    yield ".Bl -tag -width Ds"
    for child in node.children:
        is_page = len(child.path) == 1
        yield f".It Xr jobctl-{child.path[0]} {child.section}" if is_page else f".It Cm {child.path[-1]}"
        yield from text_lines(child.summary)
    yield ".El"


def first_page(node: Node, date: str) -> str:
    """Return a page for a command that has none, made from its help text."""
    lines = [f".Dd {date}", f".Dt JOBCTL-{node.path[0].upper()} {node.section}", ".Os", ".Sh NAME"]
    lines += [f".Nm jobctl-{node.path[0]}", f".Nd {_nd(node.summary)}", ".Sh SYNOPSIS"]
    leaves = [child for child in node.walk() if not child.children or child.runs_alone]
    lines += [part("synopsis", leaf) for leaf in leaves]
    lines += [".Sh DESCRIPTION", *text_lines(node.summary)]
    lines += [line for text in _prose(node) for line in (".Pp", *text_lines(text))]
    for leaf in leaves:
        if leaf is not node:
            lines += [f".Ss jobctl {leaf.name}", *text_lines(leaf.summary)]
            lines += [line for text in _prose(leaf) for line in (".Pp", *text_lines(text))]
        if leaf.own_options:
            lines += [*([] if leaf is not node else [".Sh OPTIONS"]), part("options", leaf)]
    lines += [".Sh EXAMPLES", ".Bd -literal -offset indent"]
    lines += [literal(line) for leaf in leaves for line in _examples(leaf)]
    return "\n".join([*lines, ".Ed", ".Sh SEE ALSO", ".Xr jobctl 1", ""])


def _nd(summary: str) -> str:
    return summary[:1].lower() + summary[1:].rstrip(".")


def _prose(node: Node) -> list[str]:
    return [text for text in node.paragraphs[1:] if not text.startswith("Example")]


def _examples(node: Node) -> list[str]:
    found = [text for text in node.paragraphs if text.startswith("Example")]
    return [line.strip() for text in found for line in text.splitlines()[1:]]


def make_pages(folder: Path) -> dict[Path, str]:
    """Return the text that each page should have, by its path."""
    root = command_tree()
    pages = {}
    for path in sorted(folder.glob("man?/*.?")):
        pages[path] = refreshed(path.read_text(encoding="utf-8"), root)
    for node in root.children:
        path = folder / page_name(node)
        if path not in pages:
            pages[path] = first_page(node, _date(folder))
    return pages


def _date(folder: Path) -> str:
    main = folder / "man1" / ROOT_PAGE
    found = re.search(r"(?m)^\.Dd (.+)$", main.read_text(encoding="utf-8")) if main.exists() else None
    return found[1] if found else "November 24, 2026"


def main() -> None:
    """Write every page whose text has changed, and print its path."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER
    for path, text in make_pages(folder).items():
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
            sys.stdout.write(f"{path}\n")


if __name__ == "__main__":
    main()
