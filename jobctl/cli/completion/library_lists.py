"""The generated lists of jobctl-python(3): the methods of the library with their docstrings, and the errors."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from typing import Any

from jobctl.cli.completion.roff import literal, text_lines

#: How a program names an object of each class.
_OBJECTS = {"Store": "store", "Job": "job", "ResultFile": "file", "Events": "events"}
#: For the library itself.
_LEFT_OUT = frozenset({"log_ignored", "with_tasks"})
_CODE = re.compile(r"(?<!`)``([^`]+)``([.,;:)]*)")


def methods(kind: str) -> Iterator[str]:
    """Yield the public methods of a class with their parameters and docstrings, without the examples."""
    yield ".Bl -tag -width Ds"
    for name, member in _members(_class(kind)):
        yield f'.It Ic "{literal(_signature(kind, name, member))}"'
        yield from _prose(inspect.getdoc(_class(kind) if name == "__init__" else member) or "")
    yield ".El"


def errors() -> Iterator[str]:
    """Yield the classes of errors with their codes and exit codes."""
    import jobctl
    from jobctl import errors as known

    public = [getattr(jobctl, name) for name in dir(jobctl) if not name.startswith("_")]
    classes = [each for each in [*vars(known).values(), *public] if isinstance(each, type)]
    # In the order of the tree, then those of other modules.
    found = dict.fromkeys(each for each in classes if issubclass(each, known.JobctlError))
    yield ".Bl -tag -width Ds"
    for error in found:
        yield f".It Ic jobctl.{error.__name__}"
        yield from _prose(inspect.getdoc(error) or "")
        yield from text_lines(f"Code {error.code}, exit code {int(error.exit_code)}.")
    yield ".El"


def _class(kind: str) -> Any:
    import jobctl
    from jobctl.library.events import Events

    return Events if kind == "Events" else getattr(jobctl, kind)


def _members(kind: Any) -> Iterator[tuple[str, Any]]:
    if kind.__name__ == "Store":
        yield "__init__", kind.__init__
    for each in reversed(kind.__mro__):
        for name, member in vars(each).items():
            is_member = inspect.isfunction(member) or isinstance(member, property) or hasattr(member, "attrname")
            if is_member and each is not object and not name.startswith("_") and name not in _LEFT_OUT:
                yield name, member


def _signature(kind: str, name: str, member: Any) -> str:
    called = f"jobctl.{kind}" if name == "__init__" else f"{_OBJECTS[kind]}.{name}"
    if not inspect.isfunction(member):
        return called
    parameters = list(inspect.signature(member).parameters.values())[1:]
    return f"{called}{inspect.Signature([each.replace(annotation=each.empty) for each in parameters])}"


def _prose(doc: str) -> Iterator[str]:
    """A docstring up to its example: running text with names as literals."""
    for number, paragraph in enumerate(doc.partition(">>>")[0].strip().split("\n\n")):
        if number:
            yield ".Pp"
        text = " ".join(paragraph.split())
        at = 0
        for found in _CODE.finditer(text):
            before, after = text[at : found.start()], found[2]
            is_bracketed = before.endswith("(") and after.startswith(")")
            yield from text_lines(before.removesuffix("(") if is_bracketed else before)
            yield f".{'Pq ' * is_bracketed}{_literal(found[1])} {' '.join(after[is_bracketed:])}".rstrip()
            at = found.end()
        yield from text_lines(text[at:])


def _literal(code: str) -> str:
    """``Ql "code"``; the punctuation after it is a word of the same line."""
    words = literal(code).replace('"', r"\(dq")
    return f'Ql "{words}"'
