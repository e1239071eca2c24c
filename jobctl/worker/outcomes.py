"""Describes how a call ended: its value as JSON, or the cause of its failure.

This module runs in the job's interpreter: standard library only.
"""

from __future__ import annotations

import json
import os
import sys

TYPE_CHECKING = False  # like typing's own, which costs more to import than all the rest
if TYPE_CHECKING:
    from typing import Any

    #: Fields of domain.ports.Raised.
    Cause = tuple[str, str, int, float | None, str]

#: The beginning of the paths in the working directory of the job.
_HOME = os.getcwd() + os.sep
#: The folder of these files, to leave their frames out of tracebacks.
_OURS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "")
_LONGEST_MESSAGE = 4000
_LONGEST_VALUE = 16 << 20

_FAILED = 1
_PERMANENT = 65
_TEMPORARY = 75

_encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode


class NotJsonError(Exception):
    """The function returned a value that cannot be kept as JSON."""


def json_of(value: Any) -> str:
    """The returned value as JSON. Raises NotJsonError if it is not JSON or too long."""
    kind = type(value)
    if kind is int:
        return repr(value)
    try:
        text = _encode(value)
        if not text.isascii():
            text.encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise NotJsonError(f"the function returned a value that is not JSON: {error}") from None
    if len(text) > _LONGEST_VALUE:
        size = f"{len(text):,} characters of JSON; {_LONGEST_VALUE:,} can be kept"
        raise NotJsonError(f"the function returned a value of {size}")
    return text


def failure(error: BaseException) -> Cause:
    """Print the exception of a call to stderr, and return the cause of the failure."""
    try:
        if isinstance(error, NotJsonError):
            print(error, file=sys.stderr)  # noqa: T201
        else:
            print_traceback(error)
        return cause_of(error)
    except BaseException:  # the exception cannot even be printed
        return type(error).__name__, "", _FAILED, None, ""


def cause_of(error: BaseException) -> Cause:
    """The exception as the cause of a failure: its name, message, exit code, time of the next try and place."""
    name = bounded(type(error).__name__)
    message = bounded(str(error))
    where = bounded(_where(error))
    if isinstance(error, NotJsonError):
        return "TypeError", message, _PERMANENT, None, ""
    own = sys.modules.get("jobctl.callable_api")  # without this module, none of its exceptions can have been raised
    if own is not None and isinstance(error, own.Permanent):
        return name, message, _PERMANENT, None, where
    if own is not None and isinstance(error, own.Retry):
        after = error.after if type(error.after) in (int, float) else None
        return name, message, _TEMPORARY, after, where
    return name, message, _FAILED, None, where


def bounded(text: str) -> str:
    """The beginning of a text, without anything that UTF-8 cannot express."""
    return text[:_LONGEST_MESSAGE].encode("utf-8", "backslashreplace").decode()


def _where(error: BaseException) -> str:
    """The file and line that raised it: the deepest in the working directory, otherwise the deepest of all."""
    place = place_at_home = ""
    trace = error.__traceback__
    while trace is not None:
        path = trace.tb_frame.f_code.co_filename
        if not path.startswith(_OURS):
            is_home = path.startswith(_HOME)
            place = f"{path[len(_HOME) :] if is_home else path}:{trace.tb_lineno}"
            if is_home:
                place_at_home = place
        trace = trace.tb_next
    return place_at_home or place


def print_traceback(error: BaseException) -> None:
    """Print the traceback to stderr, without the frames of this package."""
    import traceback

    trace = error.__traceback__
    while trace is not None and trace.tb_frame.f_code.co_filename.startswith(_OURS):
        trace = trace.tb_next
    traceback.print_exception(type(error), error, trace)
