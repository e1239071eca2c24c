"""The function that a job calls: ``--call package.module:function``."""

from __future__ import annotations

import keyword
from typing import Any, NamedTuple

from jobctl.errors import UsageError

#: The forms in which a function gets a row: each column as a keyword argument, or the row as one dictionary.
STYLES = ("kwargs", "dict")


class Call(NamedTuple):
    """A function for all rows. An empty text means that the option was not given."""

    target: str  # module:function
    setup: str = ""  # module:function that each worker calls before its first item
    style: str = ""  # kwargs | dict; '' = as the function's signature takes it

    def to_json(self) -> dict[str, Any]:
        """The value as it is stored and as it goes into the fingerprint."""
        return {name: value for name, value in self._asdict().items() if value}

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> Call:
        """Read the value that ``to_json`` returned."""
        return cls(**stored)


def parse_target(text: str) -> str:
    """Check the form ``package.module:function``, also ``module:Class.method``. Raises UsageError."""
    module, colon, path = text.partition(":")
    is_file = module.endswith(".py")
    if colon and not is_file and all(map(_is_name, module.split("."))) and all(map(_is_name, path.split("."))):
        return text
    hint = "the module as for python -m, a colon, the function: package.module:function"
    if is_file:
        hint = (
            f"as for python -m: {module.removesuffix('.py').removeprefix('./').replace('/', '.')}:{path or 'function'}"
        )
    elif not colon and "." in text:
        hint = "perhaps {}:{}".format(*text.rsplit(".", 1))
    raise UsageError(f"{text!r} is not MODULE:FUNCTION", hint=hint)


def _is_name(text: str) -> bool:
    return text.isidentifier() and not keyword.iskeyword(text)
