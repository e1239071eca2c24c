"""Help pages: a summary, examples, usage, explanation, then the options in groups with their defaults."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING, Any

from typer.core import TyperArgument, TyperOption

from jobctl.cli.session import session

if TYPE_CHECKING:
    from jobctl.cli.completion.tree import Argument, Option
    from jobctl.domain.documents.program import ArgumentBlock, HelpDocument, OptionBlock

_DEFAULT_PANEL = "Options"


def write_help(command: Any, ctx: Any, formatter: Any) -> None:
    """Write the page of a command from its docstring and parameters."""
    paragraphs = (command.help or "").split("\n\n")
    formatter.write_text(_one_line(paragraphs[0]))
    for paragraph in paragraphs[1:]:
        if paragraph.startswith("Example"):
            formatter.write_paragraph()
            formatter.write(paragraph.rstrip() + "\n")
    formatter.write_paragraph()
    formatter.write_usage(ctx.command_path, " ".join(command.collect_usage_pieces(ctx)))
    for paragraph in paragraphs[1:]:
        if not paragraph.startswith("Example"):
            formatter.write_paragraph()
            _write_prose(paragraph, formatter)
    for heading, rows in command.headings(ctx) if hasattr(command, "headings") else ():
        with formatter.section(heading):
            formatter.write_dl(rows)
    write_parameters(command, ctx, formatter)


def help_text(command: Any, ctx: Any, text: str) -> str:
    """The page as it is printed; with ``--json`` a document that has the page and its parts."""
    shared = session(ctx)
    if not shared.wants_json:
        return text
    from jobctl.cli.completion.tree import node_of
    from jobctl.render.machine import dumps

    node = node_of(command, tuple(ctx.command_path.split()[1:]))
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


def _write_prose(paragraph: str, formatter: Any) -> None:
    """Write a paragraph: prose is wrapped again, indented lines stay as they are."""
    if "\n  " in paragraph or paragraph.startswith("  "):
        formatter.write(paragraph.rstrip() + "\n")
    else:
        formatter.write_text(_one_line(paragraph))


def _one_line(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip()


def write_parameters(command: Any, ctx: Any, formatter: Any) -> None:
    """Arguments, then options by group; the global ones last."""
    groups: dict[str, list[tuple[str, str]]] = {"Arguments": [], _DEFAULT_PANEL: []}
    for param in command.get_params(ctx):
        record = param.get_help_record(ctx)
        if record is None:
            continue
        if isinstance(param, TyperArgument):
            panel = "Arguments"
            record = (param.metavar or record[0], param.help or "")
        else:
            panel = (isinstance(param, TyperOption) and param.rich_help_panel) or _DEFAULT_PANEL
        groups.setdefault(str(panel), []).append(record)
    ordered = sorted(groups, key=lambda name: name == "Global options")
    for name in ordered:
        if groups[name]:
            with formatter.section(name):
                formatter.write_dl(groups[name])
