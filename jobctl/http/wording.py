"""The words of services as words of requests: an option of a command is a parameter or a field of a form there."""

from __future__ import annotations

import re

from jobctl.domain.job_options import BY_NAME

#: An option in a text, perhaps with the value after it.
_OPTION = re.compile(r"(?<![\w'-])--([a-z]+(?:-[a-z]+)*)(?: ([a-z]+)\b)?")


def in_request(text: str, between: str = "_") -> str:
    """Return a text without the dashes of options; ``between`` joins the words of a name.

    ``--invalid skip`` becomes ``invalid=skip``. Whole commands stay as they are: they are for a shell.
    """
    return "; ".join(_without_dashes(part, between) for part in text.split("; "))


def _without_dashes(text: str, between: str) -> str:
    before, command, rest = text.partition("jobctl ")
    return _OPTION.sub(lambda found: _parameter(found, between), before) + command + rest


def _parameter(found: re.Match[str], between: str) -> str:
    name, word = found[1], found[2]
    option, shown = BY_NAME.get(name), name.replace("-", between)
    if word is None:
        return shown
    return f"{shown}={word}" if option is not None and word in option.choices else f"{shown} {word}"
