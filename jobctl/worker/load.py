"""Finds the function of a job and fits it to rows. It runs in the job's interpreter, with the standard library only."""

from __future__ import annotations

import json
import os
import sys

TYPE_CHECKING = False  # like typing's own, which costs more to import than all the rest
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    #: Takes a payload, calls the function of the user with it, and returns its value.
    Call = Callable[[bytes], Any]


#: The columns that jobctl adds to the rows of an undo job begin with this (``jobctl.domain.undo``).
_UNDO_PREFIX = "jobctl_undo_"


class NotLoadedError(Exception):
    """The function cannot be found, or does not take the rows of the job."""


class SetupError(Exception):
    """The setup function raised; ``__cause__`` is its exception."""


def main() -> None:
    """Try to load the function that JSON on stdin describes. On failure, exit with 65 and say why in the last line."""
    arguments = json.load(sys.stdin)
    prepare()
    try:
        find(*arguments)
    except BaseException as error:
        sys.stdout.flush()
        print("\n" + reason(error).replace("\n", " "), file=sys.stderr, flush=True)  # noqa: T201
        os._exit(65)
    os._exit(0)


def prepare() -> None:
    """Let this process find modules as ``python -m`` does, and jobctl even if it is not installed."""
    if not getattr(sys.flags, "safe_path", False):
        sys.path[:1] = [os.getcwd()]
    sys.meta_path.append(OwnPackageFinder())


def load(target: str, setup: str, style: str, input_format: str, columns: Sequence[str]) -> Call:
    """Run the setup, and return the function for rows. Raises SetupError, and any exception of the user's import."""
    call, set_up = find(target, setup, style, input_format, columns)
    try:
        set_up()
    except BaseException as error:
        raise SetupError(setup) from error
    return call


def find(target: str, setup: str, style: str, input_format: str, columns: Sequence[str]) -> tuple[Call, Any]:
    """Return the function that calls the user's function for a row, and the setup to call first.

    Importing the user's code can raise any exception; it is passed on.
    """
    sys.argv = [target]
    call = _adapted(_import_function(target), target, style, input_format, tuple(columns))
    return call, _import_function(setup) if setup else _nothing


def _nothing() -> None:
    """Do nothing: the job has no setup."""


def reason(error: BaseException) -> str:
    """The reason why a function cannot be loaded, in one sentence."""
    if isinstance(error, NotLoadedError):
        return str(error)
    name, message = type(error).__name__, str(error)
    return f"{name}: {message}" if message else name


def _import_function(target: str) -> Any:
    name, _, path = target.partition(":")
    __import__(name)
    found: Any = sys.modules[name]
    for part in path.split("."):
        try:
            found = getattr(found, part)
        except AttributeError:
            raise NotLoadedError(f"{name} has no {path!r}") from None
    if not callable(found):
        raise NotLoadedError(f"{target} is not a function but {_with_article(type(found).__name__)}")
    return found


def _with_article(name: str) -> str:
    return f"an {name}" if name[:1].lower() in "aeio" else f"a {name}"


def _adapted(function: Any, target: str, style: str, input_format: str, columns: tuple[str, ...]) -> Call:
    """A function that takes a payload and calls the function of the user with its row."""
    import inspect

    if inspect.iscoroutinefunction(function):
        raise NotLoadedError(f"{target} is an async function; give one that runs it: asyncio.run(...)")
    if input_format == "lines":
        return lambda payload: function(payload.decode("utf-8", "surrogateescape"))
    read = _json_row if input_format == "jsonl" else _table_row(columns)
    own = [name for name in columns if name.startswith(_UNDO_PREFIX)]
    if own:
        return _undoing(function, target, style, read, tuple(name for name in columns if name not in own), own)
    if (style or _style(function, target, columns)) == "dict":
        return lambda payload: function(read(payload))
    return lambda payload: function(**read(payload))


def _undoing(
    function: Any, target: str, style: str, read: Callable[[Any], Any], columns: tuple[str, ...], own: Sequence[str]
) -> Call:
    """A function for the rows of an undo job: it gets the columns that jobctl has added only if it takes them."""
    unwanted = [name for name in own if not _takes(function, name)]
    if columns == ("line",) and not style:

        def take_back_line(payload: bytes) -> Any:
            row = _without(read(payload), unwanted)
            return function(row.pop("line"), **row)

        return take_back_line
    wanted = tuple(name for name in own if name not in unwanted)
    if (style or _style(function, target, columns + wanted)) == "dict":
        return lambda payload: function(read(payload))
    return lambda payload: function(**_without(read(payload), unwanted))


def _takes(function: Any, name: str) -> bool:
    """True if the signature has a keyword of this name, or takes any."""
    import inspect

    try:
        parameters = inspect.signature(function).parameters
    except (TypeError, ValueError):  # a builtin without a signature
        return False
    return name in parameters or any(each.kind is each.VAR_KEYWORD for each in parameters.values())


def _without(row: Any, names: Sequence[str]) -> Any:
    for name in names:
        row.pop(name, None)
    return row


def _style(function: Any, target: str, columns: tuple[str, ...]) -> str:
    """``kwargs`` if the signature takes the columns by name, otherwise ``dict`` if it takes one argument."""
    import inspect

    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):  # a builtin without a signature
        return "dict"
    if columns and _accepts(signature, **dict.fromkeys(columns)):
        return "kwargs"
    if _accepts(signature, {}):
        return "dict"
    raise NotLoadedError(
        f"{target}{signature} takes neither the columns ({', '.join(columns)}) as keyword arguments nor one dict"
    )


def _accepts(signature: Any, *args: Any, **kwargs: Any) -> bool:
    try:
        signature.bind(*args, **kwargs)
    except TypeError:
        return False
    return True


def _json_row(payload: bytes) -> Any:
    return json.loads(payload)


def _table_row(columns: tuple[str, ...]) -> Callable[[Any], dict[str, str]]:
    return lambda payload: dict(zip(columns, payload.decode("utf-8", "surrogateescape").split("\0")))  # noqa: B905


class OwnPackageFinder:
    """Finds the package jobctl where it is not installed, so that functions can import its exceptions."""

    @staticmethod
    def find_spec(name: str, _path: Any = None, _target: Any = None) -> Any:
        if name != "jobctl":
            return None
        from importlib.util import spec_from_file_location

        folder = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
        start = os.path.join(folder, "__init__.py")
        return spec_from_file_location("jobctl", start, submodule_search_locations=[folder])
