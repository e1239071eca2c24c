"""Writes ``AsyncStore`` and ``AsyncJob`` from ``Store`` and ``Job``: the same methods with the same parameters.

``python -m jobctl.library.generate`` writes them to ``asynchronous.py``; CI compares. A method becomes a coroutine, one
that returns an iterator becomes an asynchronous iterator, and a job becomes an asynchronous job. The methods of the
base classes in ``aio.py`` wait or follow, and are written by hand.
"""

from __future__ import annotations

import ast
import copy
import textwrap
from collections.abc import Iterator
from pathlib import Path

_FOLDER = Path(__file__).parent
#: (class, the modules that have its methods, the object in the base class).
_CLASSES = (("Job", ("job_reading", "job"), "_job"), ("Store", ("store",), "_store"))
#: Methods for the library itself, and one that the generator writes otherwise.
_LEFT_OUT = frozenset({"log_ignored", "store"})
_WIDTH = 120
_HEAD = '''"""The store and its jobs for asyncio.

Generated from ``store.py``, ``job.py`` and ``job_reading.py`` by ``python -m jobctl.library.generate``. Do not edit.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import TYPE_CHECKING, Any, Literal, Unpack, overload

from jobctl.library.aio import AsyncJobBase, AsyncStoreBase, plain

if TYPE_CHECKING:
'''
_STORE_OF_JOB = (
    "    @property",
    "    def store(self) -> AsyncStore:",
    '        """The store of the job."""',
    "        return self._of  # type: ignore[return-value]",
)
#: The modules from which the head imports what it needs.
_COMMON = ("collections.abc", "typing", "__future__")


def module() -> str:
    """Return the text of ``asynchronous.py``."""
    own = _own_methods()
    imports: dict[str, str] = {}
    classes = []
    for kind, modules, attribute in _CLASSES:
        trees = {name: ast.parse((_FOLDER / f"{name}.py").read_text(encoding="utf-8")) for name in modules}
        found = [node for tree in trees.values() for node in tree.body if isinstance(node, ast.ClassDef)]
        methods = [each for node in found for each in node.body if isinstance(each, ast.FunctionDef)]
        wanted = [each for each in methods if _is_public(each.name) and each.name not in own[f"Async{kind}Base"]]
        imports |= {name: source for module, tree in trees.items() for name, source in _names(module, tree)}
        classes.append("\n".join(_class(kind, wanted, attribute)))
    text = "\n\n".join(classes)
    names = {node.id for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Name)}
    head = _HEAD + "".join(_import_lines({name: source for name, source in imports.items() if name in names}))
    return f"{head}\n\n{text}"


def _is_public(name: str) -> bool:
    return not name.startswith("_") and name not in _LEFT_OUT


def _own_methods() -> dict[str, frozenset[str]]:
    """The methods that the base classes have, by the name of the class."""
    tree = ast.parse((_FOLDER / "aio.py").read_text(encoding="utf-8"))
    return {
        node.name: frozenset(
            each.name for each in node.body if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef)
        )
        for node in tree.body
        if isinstance(node, ast.ClassDef)
    }


def _names(module: str, tree: ast.Module) -> Iterator[tuple[str, str]]:
    """The names that a module imports or defines for its annotations, and the module to import each from."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module not in (None, *_COMMON):
            yield from ((alias.name, str(node.module)) for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from ((alias.name, "") for alias in node.names)
    for node in tree.body:
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            yield node.target.id, f"jobctl.library.{module}"


def _import_lines(names: dict[str, str]) -> Iterator[str]:
    yield from (f"    import {name}\n" for name, source in sorted(names.items()) if not source)
    yield "\n"
    for source in sorted(set(names.values()) - {""}):
        those = sorted(name for name, each in names.items() if each == source)
        line = f"    from {source} import {', '.join(those)}\n"
        if len(line) > _WIDTH + 1:
            line = f"    from {source} import (\n" + "".join(f"        {name},\n" for name in those) + "    )\n"
        yield line


def _class(kind: str, methods: list[ast.FunctionDef], attribute: str) -> Iterator[str]:
    said = "A store of jobs" if kind == "Store" else "A job of a store"
    yield f"class Async{kind}(Async{kind}Base{'[AsyncJob]' * (kind == 'Store')}):"
    yield f'    """{said}, for asyncio. Its methods and their parameters are those of ``jobctl.{kind}``."""'
    yield ""
    yield from _STORE_OF_JOB if kind == "Job" else ["    _kind = AsyncJob"]
    for each in methods:
        yield ""
        yield textwrap.indent(_method(each, attribute), "    ")
    yield ""


def _method(node: ast.FunctionDef, attribute: str) -> str:
    returned = "None" if node.returns is None else ast.unparse(node.returns)
    is_iterator, is_events = returned.startswith("Iterator["), returned == "Events"
    head = f"{'' if is_iterator or is_events else 'async '}{_head(node)}"
    if any(ast.unparse(each) == "overload" for each in node.decorator_list):
        return f"@overload\n{head} ..."
    said = " ".join((ast.get_docstring(node) or "").split("\n\n")[0].split())
    arguments, target = list(_passed(node.args)), f"self.{attribute}.{node.name}"
    if is_iterator:
        body = _call("return self._tasks.each", [target, *arguments])
    elif is_events:
        body = f"{_call('events = ' + target, arguments)}\nreturn events.with_tasks(self._tasks)"
    elif "Job" in (each.id for each in ast.walk(ast.parse(returned)) if isinstance(each, ast.Name)):
        body = _call("found = await self._tasks.call", [target, *arguments])
        body += f"\nreturn self{_store(attribute)}._asynchronous(found)  # type: ignore[no-any-return]"
    else:
        body = _call(f"{'return ' * (returned != 'None')}await self._tasks.call", [target, *arguments])
    return "\n".join([head, *_doc(said), textwrap.indent(body, "    ")])


def _call(before: str, arguments: list[str]) -> str:
    """A call on one line, or with one line for each argument, as the formatter leaves it."""
    line = f"{before}({', '.join(arguments)})"
    if len(line) <= _WIDTH - 8:
        return line
    return "\n".join([f"{before}(", *(f"    {each}," for each in arguments), ")"])


def _store(attribute: str) -> str:
    return "._of" if attribute == "_job" else ""


def _doc(text: str) -> list[str]:
    lines = textwrap.wrap(text, _WIDTH - 16)
    if len(lines) == 1:
        return [f'    """{text}"""']
    return [f'    """{lines[0]}', *(f"    {each}" for each in lines[1:]), '    """']


def _head(node: ast.FunctionDef) -> str:
    """The line that defines the method, with asynchronous types; one line for each parameter if it is too long."""
    parameters, returned = list(_parameters(node.args)), _type(node.returns)
    line = f"def {node.name}({', '.join(parameters)}) -> {returned}:"
    if len(line) <= _WIDTH - 10:
        return line
    return "\n".join([f"def {node.name}(", *(f"    {each}," for each in parameters), f") -> {returned}:"])


def _parameters(found: ast.arguments) -> Iterator[str]:
    before = [*found.posonlyargs, *found.args]
    defaults = [*[None] * (len(before) - len(found.defaults)), *found.defaults]
    for place, (each, default) in enumerate(zip(before, defaults, strict=True), 1):
        yield _parameter(each, default)
        if place == len(found.posonlyargs):
            yield "/"
    if found.vararg is not None:
        yield f"*{_parameter(found.vararg, None)}"
    elif found.kwonlyargs:
        yield "*"
    yield from map(_parameter, found.kwonlyargs, found.kw_defaults)
    if found.kwarg is not None:
        yield f"**{_parameter(found.kwarg, None)}"


def _parameter(found: ast.arg, default: ast.expr | None) -> str:
    shown = found.arg if found.annotation is None else f"{found.arg}: {_type(found.annotation)}"
    return shown if default is None else f"{shown} = {_quoted(ast.unparse(default))}"


def _type(found: ast.expr | None) -> str:
    made = copy.deepcopy(found) or ast.Constant(None)
    for each in ast.walk(made):
        if isinstance(each, ast.Name):
            each.id = {"Job": "AsyncJob", "Iterator": "AsyncIterator"}.get(each.id, each.id)
    return _quoted(ast.unparse(made))


def _quoted(text: str) -> str:
    return text.replace("'", '"')


def _passed(arguments: ast.arguments) -> Iterator[str]:
    """The arguments as a call passes them on, without self."""
    yield from (each.arg for each in [*arguments.posonlyargs, *arguments.args][1:])
    if arguments.vararg is not None:
        yield f"*map(plain, {arguments.vararg.arg})"
    yield from (f"{each.arg}={each.arg}" for each in arguments.kwonlyargs)
    if arguments.kwarg is not None:
        yield f"**{arguments.kwarg.arg}"
