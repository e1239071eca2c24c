"""Reads the options of a job from a request: from the query and the fields of a form as texts, from JSON as values.

Over TCP a request gives only options that are safe, so none that runs, reads or names anything on this machine.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from jobctl.domain.job_options import NO_LIMIT, OPTIONS, JobOption
from jobctl.domain.nearest import did_you_mean
from jobctl.domain.option_values import naming, parse_number
from jobctl.errors import UsageError

#: Safe options that a request over TCP has not: --unique and --only-new tell about jobs of others, and a new queue has
#: no limits. A recipe may set them.
_OF_RECIPES_ALONE = ("unique", "only-new", "new-by", "new-queue")
OVER_TCP = tuple(option for option in OPTIONS if option.safe and option.name not in _OF_RECIPES_ALONE)
#: The name of the command among the options of JSON and of the query, at the Unix socket.
COMMAND = "command"
_YES, _NO = ("true", "1", "yes", "on", ""), ("false", "0", "no", "off")
_SHOWN = 100


class Allowed(NamedTuple):
    """The options that a request may give."""

    options: tuple[JobOption, ...]
    fixed: frozenset[str] = frozenset()  # names of options that the recipe sets, which a request cannot change
    recipe: str = ""
    takes_command: bool = False

    @property
    def names(self) -> list[str]:
        """Their names, sorted."""
        own = [option.name for option in self.options if option.name not in self.fixed]
        return sorted([*own, *([COMMAND] if self.takes_command else [])])

    def find(self, name: str) -> JobOption:
        """Find an option by its name, with dashes or underscores. Raises UsageError for one that is not allowed."""
        spelled = name.replace("_", "-")
        if spelled in self.fixed:
            raise UsageError(
                f"{spelled}: the recipe {self.recipe!r} sets it, and a request cannot change it", hint="leave it out"
            )
        for option in self.options:
            if option.name == spelled:
                return option
        listed = f"one of {', '.join(self.names)}"
        if any(option.name == spelled for option in OPTIONS):
            raise UsageError(f"{spelled} cannot come from a request at this address", hint=listed)
        raise UsageError(f"there is no option {name[:_SHOWN]!r}", hint=did_you_mean(spelled, self.names, listed))


def read_texts(pairs: Iterable[tuple[str, str]], allowed: Allowed) -> dict[str, Any]:
    """The values of options that are given as texts, by ``JobOption.key``. Raises UsageError."""
    texts: dict[str, list[str]] = {}
    given: dict[str, Any] = {}
    for name, text in pairs:
        texts.setdefault(name.replace("_", "-"), []).append(text)
    for name, found in texts.items():
        if name == COMMAND and allowed.takes_command:
            given[COMMAND] = _command_of_text(found)
            continue
        option = allowed.find(name)
        with naming(option):
            given[option.key] = tuple(map(_plain, found)) if option.multiple else _of_text(option, found)
    return given


def _command_of_text(texts: list[str]) -> list[str]:
    import orjson

    try:
        return _command(orjson.loads(texts[0]) if len(texts) == 1 else None)
    except orjson.JSONDecodeError:
        return _command(None)


def _of_text(option: JobOption, texts: list[str]) -> Any:
    if len(texts) > 1:
        raise UsageError(f"it is given {len(texts)} times", hint="give it once")
    text = texts[0]
    if not option.metavar:
        if text.lower() not in (*_YES, *_NO):
            raise UsageError(f"{text[:_SHOWN]!r} is not known", hint="use true or false")
        return text.lower() in _YES
    if option.number and not (option.can_be_none and text == NO_LIMIT):
        return parse_number(text)
    return _plain(text)


def read_values(values: Mapping[str, Any], allowed: Allowed) -> dict[str, Any]:
    """The values of options that are given as JSON, by ``JobOption.key``; null means no limit.

    Raises UsageError.
    """
    given: dict[str, Any] = {}
    for name, value in values.items():
        if name == COMMAND and allowed.takes_command:
            given[COMMAND] = _command(value)
            continue
        option = allowed.find(name)
        with naming(option):
            given[option.key] = _of_json(option, value)
    return given


def _command(value: Any) -> list[str]:
    if not (isinstance(value, list) and value and all(isinstance(word, str) for word in value)):
        raise UsageError("command: it is a list of words", hint='for example ["./import", "{id}"]')
    return [_plain(word) for word in value]


def _of_json(option: JobOption, value: Any) -> Any:
    if value is None and option.can_be_none:
        return NO_LIMIT
    if not option.metavar:
        return _checked(value, bool, "true or false")
    if option.multiple:
        return _several(option, value)
    if option.number:
        return value if value == NO_LIMIT and option.can_be_none else _whole(value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    return _plain(_checked(value, str, "a text"))


def _several(option: JobOption, value: Any) -> tuple[str, ...]:
    if isinstance(value, dict) and option.name == "label":
        value = [f"{name}={text}" for name, text in value.items()]
    members = value if isinstance(value, list) else [value]
    return tuple(_plain(_checked(member, str, "a text, or a list of texts")) for member in members)


def _whole(value: Any) -> int:
    return parse_number(value) if isinstance(value, str) else int(_checked(value, int, "a whole number"))


def _checked(value: Any, kind: type, form: str) -> Any:
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise UsageError(f"{str(value)[:_SHOWN]!r} is not {form}", hint=f"give {form}")
    return value


def _plain(text: str) -> str:
    if "\0" in text or (not text.isascii() and any("\ud800" <= char <= "\udfff" for char in text)):
        raise UsageError(f"{text[:_SHOWN]!r} has a character that no option can have", hint="leave it out")
    return text


def merged(*parts: Mapping[str, Any]) -> dict[str, Any]:
    """Options of several places. Raises UsageError for one that two places give differently."""
    found: dict[str, Any] = {}
    for part in parts:
        for key, value in part.items():
            if found.get(key, value) != value:
                name = key.replace("_", "-")
                raise UsageError(f"{name} is given twice", hint="give it in one place")
            found[key] = value
    return found
