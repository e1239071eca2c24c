"""Functions of a program as a worker can import them: by name, never as bytes."""

from __future__ import annotations

import keyword
import os
import sys
import sysconfig
from collections.abc import Callable
from types import ModuleType
from typing import Any, NamedTuple

from jobctl.errors import UsageError

_HOW = 'put it into a module, and give the function or its name: call="package.module:function"'


class ImportableFunction(NamedTuple):
    """A function by the name under which a worker imports it, and the folder in which the worker must look."""

    target: str  # module:function
    folder: str  # '' if every process of this Python finds the module


def importable(function: Callable[..., Any]) -> ImportableFunction:
    """Return the name of a function. Raises UsageError, which says how to write it, if its name does not lead to it.

    A function of the program itself (``__main__``) is imported from its file, like every other one. So the program
    must start its work under ``if __name__ == "__main__":``.
    """
    path = getattr(function, "__qualname__", None)
    if not isinstance(path, str):
        raise UsageError(
            f"call: {function!r} has no name to import it by", hint=f"write a function that calls it, and {_HOW}"
        )
    if "<" in path:
        kind = "a lambda" if path.endswith("<lambda>") else "a function inside another one"
        raise UsageError(f"call: {path} is {kind}, which no other process can import", hint=_HOW)
    owner = getattr(function, "__self__", None)
    if owner is not None and not isinstance(owner, type | ModuleType):
        raise UsageError(f"call: {path} is a method of an object, which no other process has", hint=_HOW)
    module = sys.modules.get(getattr(function, "__module__", None) or "")
    if module is None or not _leads_to(module, path, function):
        raise UsageError(f"call: the name {path} leads to something else than this function", hint=_HOW)
    name, folder = _of_program(module, path) if module.__name__ == "__main__" else (module.__name__, _folder(module))
    return ImportableFunction(f"{name}:{path}", folder)


def _leads_to(module: ModuleType, path: str, function: object) -> bool:
    found: Any = module
    for name in path.split("."):
        found = getattr(found, name, None)
    # A class makes a new object for its method each time.
    return found is function or (callable(found) and found == function)


def _of_program(module: ModuleType, path: str) -> tuple[str, str]:
    """The name and the folder of the program itself."""
    if module.__spec__ is not None:  # python -m package.module
        return module.__spec__.name, _root(module.__spec__.name, module.__spec__.origin or "")
    file = getattr(module, "__file__", None)
    if not file or not os.path.isfile(file):
        raise UsageError(
            f"call: {path} is a function of an interactive session, which no other process can import",
            hint="write it into a file, in a notebook with %%writefile score.py; then call=score.function",
        )
    folder, base = os.path.split(os.path.abspath(file))
    name, suffix = os.path.splitext(base)
    if suffix != ".py" or not name.isidentifier() or keyword.iskeyword(name):
        raise UsageError(f"call: {path} is in {base}, which is not the name of a module", hint=_HOW)
    return name, folder


def _folder(module: ModuleType) -> str:
    """The folder in which a worker must look; '' for a module that every process of this Python finds."""
    file = getattr(module, "__file__", None)
    return _root(module.__name__, os.path.abspath(file)) if file else ""


def _root(name: str, file: str) -> str:
    """The folder of the first package of a dotted name; '' if it is one of this Python itself."""
    base = os.path.basename(file)
    levels = name.count(".") + (2 if base.startswith("__init__.") else 1)
    folder = file
    for _ in range(levels):
        folder = os.path.dirname(folder)
    own = {os.path.realpath(path) for key, path in sysconfig.get_paths().items() if key.endswith(("lib", "stdlib"))}
    real = os.path.realpath(folder)
    return "" if any(real == path or real.startswith(f"{path}{os.sep}") for path in own) else folder


def refuse_during_import() -> None:
    """Raise UsageError if a worker imports the program right now: each import would submit another job."""
    worker: Any = sys.modules.get("_jobctl_worker")
    if "JOBCTL_LOADER" in os.environ or (worker is not None and worker.now is None):
        raise UsageError(
            "a worker imports this module to find its function, and the module submits a job while it is imported",
            hint='put the submission under: if __name__ == "__main__":',
        )
