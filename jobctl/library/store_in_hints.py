"""The commands in the hints of errors name the store, so that they act on the store that the program uses."""

from __future__ import annotations

import functools
from collections.abc import Callable
from types import FunctionType
from typing import Any, TypeVar

from jobctl.errors import JobctlError

K = TypeVar("K", bound=type)


def hints_name_the_store(kind: K) -> K:
    """Let the public methods of a class raise errors whose hints name the store. Its ``_program`` has the command."""
    for name, member in list(vars(kind).items()):
        if isinstance(member, FunctionType) and not name.startswith("_"):
            setattr(kind, name, _naming(member))
    return kind


def _naming(method: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(method)
    def call(self: Any, *args: Any, **options: Any) -> Any:
        try:
            return method(self, *args, **options)
        except JobctlError as error:
            error.hint = with_store(error.hint, self._program)
            raise

    return call


def with_store(hint: str | None, program: str) -> str | None:
    """A hint in which ``jobctl`` has the option that names the store; ``program`` is ``jobctl --home /path``."""
    if hint is None or program == "jobctl" or program in hint:
        return hint
    return hint.replace("jobctl ", f"{program} ")
