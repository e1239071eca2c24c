"""Help pages: ``-h`` is one screen, ``--help`` is complete, with the options in groups and their defaults."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING, Any

from typer.core import TyperArgument, TyperOption

from jobctl.cli.page import Page, one_line, wrapped
from jobctl.cli.session import GLOBAL_PANEL, session

if TYPE_CHECKING:
    from jobctl.cli.completion.tree import Argument, Node, Option
    from jobctl.domain.documents.program import ArgumentBlock, HelpDocument, OptionBlock

_ARGUMENTS, _DEFAULT_PANEL = "Arguments", "Options"
#: What fits on a screen of 24 lines. A heading takes two of them.
_EXAMPLES, _OPTIONS, _HEADING = 3, 10, 2
#: From this rank on, an option is shown only if there is room for it.
_FILLING = 2
_EXAMPLE = "Example"
#: The limits of a number, as the parser writes them: [default: 50; x>=0].
_LIMITS = re.compile(r"( \[default: [^];]+)(?:; [^]]*)(?=\])| \[x>=\d+\]")
#: The parts of a placeholder that the first screen leaves out.
_LONG_FORM = re.compile(r"\|none\b|\[,[^]]*\]")


def help_text(command: Any, ctx: Any) -> str:
    """The help page of a command, in the form that the command line asks for; a document with ``--json``."""
    shared = session(ctx)
    page = Page(bold=not shared.wants_json and shared.colors(sys.stdout))
    (_write_full if shared.wants_full_help else _write_brief)(page, command, ctx)
    return _document(command, ctx, str(page)) if shared.wants_json else str(page)


def _write_full(page: Page, command: Any, ctx: Any) -> None:
    summary, *paragraphs = (command.help or "").split("\n\n")
    page.text(summary)
    for paragraph in paragraphs:
        if paragraph.startswith(_EXAMPLE):
            _write_examples(page, paragraph.rstrip().splitlines())
    page.blank()
    page.usage(ctx.command_path, " ".join(command.collect_usage_pieces(ctx)))
    for paragraph in paragraphs:
        if not paragraph.startswith(_EXAMPLE):
            page.blank()
            _write_prose(page, paragraph)
    for heading, rows in command.headings(ctx) if hasattr(command, "headings") else ():
        page.heading(heading)
        page.rows(rows)
    for panel, rows in _groups(command, ctx).items():
        page.heading(panel)
        page.rows(rows)
    page.blank()
    page.text(f"The manual: {_manual(ctx)}")


def _write_brief(page: Page, command: Any, ctx: Any) -> None:
    """One screen: the command in a sentence, examples, the most important options, and where the rest is."""
    summary, *paragraphs = (command.help or "").split("\n\n")
    page.text(summary)
    page.blank()
    page.usage(ctx.command_path, " ".join(command.collect_usage_pieces(ctx)))
    examples = [line for text in paragraphs if text.startswith(_EXAMPLE) for line in text.rstrip().splitlines()]
    if examples:
        _write_examples(page, examples[: 1 + _EXAMPLES])
    if hasattr(command, "brief_headings"):
        command.brief_headings(page, ctx)
    else:
        _write_brief_lists(page, command, ctx)
    page.blank()
    page.text(f"More: {ctx.command_path} --help; the manual: {_manual(ctx)}")


def _write_examples(page: Page, lines: list[str]) -> None:
    page.heading(lines[0].rstrip(":"))
    page.lines(lines[1:])


def _write_brief_lists(page: Page, command: Any, ctx: Any) -> None:
    """The arguments, the words that a command lists, and options. Global options only fill the room that is left."""
    params = command.get_params(ctx)
    arguments = [_argument_row(param) for param in params if isinstance(param, TyperArgument)]
    ranks = {
        param: _rank(param, command) for param in params if isinstance(param, TyperOption) and param.name != "help"
    }
    room = _OPTIONS
    if arguments and sum(rank < _FILLING for rank in ranks.values()) + len(arguments) + _HEADING <= room:
        page.heading(_ARGUMENTS)
        page.short_rows(arguments)
        room -= len(arguments) + _HEADING
    for heading, rows in command.headings(ctx) if hasattr(command, "headings") else ():
        lines = wrapped(" ".join(word for word, _ in rows), page.width - 2)
        page.heading(heading)
        page.lines(f"  {line}" for line in lines)
        room -= len(lines) + _HEADING
    chosen = sorted(ranks, key=ranks.__getitem__)[: max(room, 0)]
    rows = [((param.get_help_record(ctx) or ("",))[0], param.help or "") for param in ranks if param in chosen]
    rows = [(_LONG_FORM.sub("", names), text) for names, text in rows]
    if rows:
        page.heading(_DEFAULT_PANEL)
        page.short_rows(rows)


def _rank(option: TyperOption, command: Any) -> int:
    """The order in which options get a line of the first screen: those that ``Command.on_first_screen`` names, else the
    own ones of a command; then those marked in a table of options, the global ones, and the others.
    """
    if command.on_first_screen:
        is_own = not set(command.on_first_screen).isdisjoint(option.opts)
    else:
        is_own = option.rich_help_panel != GLOBAL_PANEL and getattr(option, "is_main", None) is None
    if is_own:
        return 0
    if getattr(option, "is_main", False):
        return 1
    return _FILLING + 2 * (option.rich_help_panel != GLOBAL_PANEL) + ("--home" in option.opts)


def _argument_row(param: TyperArgument) -> tuple[str, str]:
    return str(param.metavar or (param.name or "").upper()), param.help or ""


def _manual(ctx: Any) -> str:
    words = ctx.command_path.split()
    return " ".join((words[0], "man", *words[1:2]))


def _write_prose(page: Page, paragraph: str) -> None:
    """Write a paragraph: prose is wrapped again, indented lines stay as they are."""
    if "\n  " in paragraph or paragraph.startswith("  "):
        page.lines(paragraph.rstrip().splitlines())
    else:
        page.text(paragraph)


def _groups(command: Any, ctx: Any) -> dict[str, list[tuple[str, str]]]:
    """The arguments, then the options by group; the global ones last."""
    from jobctl.cli.completion.tree import HELP

    groups: dict[str, list[tuple[str, str]]] = {_ARGUMENTS: [], _DEFAULT_PANEL: []}
    for param in command.get_params(ctx):
        record = param.get_help_record(ctx)
        if record is None:
            continue
        if isinstance(param, TyperArgument):
            panel, record = _ARGUMENTS, _argument_row(param)
        elif param.name == "help":
            panel, record = GLOBAL_PANEL, (record[0], HELP.help)
        else:
            panel = (isinstance(param, TyperOption) and param.rich_help_panel) or _DEFAULT_PANEL
        groups.setdefault(str(panel), []).append((record[0], _LIMITS.sub(r"\1", one_line(record[1]))))
    ordered = sorted(groups, key=lambda name: name == GLOBAL_PANEL)
    return {name: groups[name] for name in ordered if groups[name]}


def _document(command: Any, ctx: Any, text: str) -> str:
    """``jobctl.help/1``: the page and its parts."""
    from jobctl.cli.completion.tree import node_of
    from jobctl.render.machine import dumps

    node: Node = node_of(command, tuple(ctx.command_path.split()[1:]))
    document: HelpDocument = {
        "schema": "jobctl.help/1",
        "command": node.name,
        "summary": node.summary,
        "usage": " ".join((ctx.command_path, *command.collect_usage_pieces(ctx))),
        "arguments": [_argument_block(argument) for argument in node.arguments],
        "options": [_option_block(option) for option in node.options],
        "commands": [{"name": child.path[-1], "summary": child.summary} for child in node.children],
        "text": text,
    }
    return dumps(document, indent=sys.stdout.isatty())


def _argument_block(argument: Argument) -> ArgumentBlock:
    return {
        "name": argument.metavar,
        "help": argument.help,
        "required": argument.required,
        "multiple": argument.multiple,
    }


def _option_block(option: Option) -> OptionBlock:
    return {
        "names": list(option.names),
        "value": option.metavar or None,
        "help": option.help,
        "group": option.panel,
        "multiple": option.multiple,
    }
