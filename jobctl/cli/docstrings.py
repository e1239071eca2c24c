"""The text of a command's help, which is its docstring, also where Python drops docstrings (PYTHONOPTIMIZE=2)."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any


def docstring(function: Callable[..., Any] | None) -> str | None:
    """The docstring of a function, from the source of its module if need be; None if there is neither."""
    import ast
    import inspect

    if function is None:
        return None
    inner = inspect.unwrap(function)
    loader: Any = getattr(sys.modules.get(inner.__module__), "__loader__", None)
    source = loader.get_source(inner.__module__) if hasattr(loader, "get_source") else None
    for node in ast.walk(ast.parse(source or "")):
        if isinstance(node, ast.FunctionDef) and node.name == inner.__name__:
            return ast.get_docstring(node)
    return None
