"""A command parses, calls one service and renders: everything else belongs in a service or in a function of its own."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import jobctl.cli.commands as commands

#: Lines of a body, without its docstring. Options are declared in the signature, which does not count.
LONGEST = 15


def bodies() -> Iterator[tuple[str, ast.FunctionDef]]:
    """(where it is, function) of every function that is registered as a command."""
    for path in sorted(Path(str(commands.__file__)).parent.glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef) and any(_registers(found) for found in node.decorator_list):
                yield f"{path.name}: {node.name}", node


def _registers(decorator: ast.expr) -> bool:
    return isinstance(decorator, ast.Call) and ast.unparse(decorator.func) == "app.command"


def length(function: ast.FunctionDef) -> int:
    """Lines of the body of a function, without its docstring."""
    own = function.body[1:] if ast.get_docstring(function) is not None else function.body
    return (own[-1].end_lineno or 0) - own[0].lineno + 1 if own else 0


def test_the_body_of_every_command_is_short():
    found = {name: length(function) for name, function in bodies()}
    assert len(found) > 25, "the commands are found"
    assert {name: lines for name, lines in found.items() if lines > LONGEST} == {}
