"""The values that completions offer for options and arguments, by their names and placeholders."""

from __future__ import annotations

import re
from typing import NamedTuple

from jobctl.cli.completion.tree import Argument, Node, Option
from jobctl.domain.job_filter import SORTS
from jobctl.domain.job_options import BY_NAME, OPTIONS
from jobctl.domain.selection import CAUSE_WORDS
from jobctl.domain.states import ItemState, JobState

#: The kinds for which the scripts call ``jobctl __complete KIND``.
ASKED = ("jobs", "items", "queues", "recipes")
_ALTERNATIVES = re.compile(r"[a-z]+(\|[a-z]+)+")
_DELIMITERS = ("comma", "semicolon", "tab", "pipe", "space")
#: The beginnings of an argument NAME=VALUE, by command.
_SETTINGS = {
    "set": tuple(f"{option.name}=" for option in OPTIONS if option.effect),
    "queue set": tuple(f"{option.name}=" for option in OPTIONS if option.of_queues),
}


class Values(NamedTuple):
    """The values that a word may have.

    ``kind`` is ``words``, ``list`` (words with commas), ``files``, ``folders``, one of ASKED, or ``none``.
    """

    kind: str
    words: tuple[str, ...] = ()


NONE = Values("none")
STATES = Values("list", tuple(state.word for state in ItemState))
JOB_STATES = Values("list", tuple(map(str, JobState)))
CAUSES = Values("list", CAUSE_WORDS)
ORDERS = Values("words", tuple(SORTS))
SHELLS = ("bash", "zsh", "fish")


def of_option(option: Option) -> Values:
    """Return the values of an option."""
    name, metavar = option.long, option.metavar
    by_name = {"--delimiter": Values("words", _DELIMITERS), "--attempt": Values("words", ("all",))}
    return by_name.get(name) or _of_job_option(name) or _of_metavar(metavar)


def _of_job_option(name: str) -> Values | None:
    """Return the values from the table of job options. Other commands use its names for the same things."""
    option = BY_NAME.get(name.removeprefix("--"))
    if option is None:
        return None
    return Values("words", option.choices) if option.choices else Values(option.completes) if option.completes else None


def _of_metavar(metavar: str) -> Values:
    if _ALTERNATIVES.fullmatch(metavar):
        return Values("words", tuple(metavar.split("|")))
    if metavar.startswith("JOB"):
        return Values("items" if "ITEM" in metavar else "jobs")
    by_metavar = {
        "FILE": Values("files"),
        "[PATH]": Values("files"),
        "DIR": Values("folders"),
        "STATE": STATES,
        "STATE[,STATE...]": JOB_STATES,
        "ORDER": ORDERS,
        "CODE": CAUSES,
        "QUEUE": Values("queues"),
        "RECIPE": Values("recipes"),
        "SHELL": Values("words", SHELLS),
    }
    return by_metavar.get(metavar, NONE)


def of_argument(node: Node, argument: Argument) -> Values:
    """Return the values of a positional argument."""
    if argument.metavar == "KEY":
        from jobctl.services.settings.keys import KEYS

        return Values("words", tuple(f"{key.section}.{key.name}" for key in KEYS))
    if argument.metavar.startswith("NAME=VALUE"):
        return Values("words", settings_of(node.name))
    metavar = argument.metavar.removesuffix("...")
    return _of_metavar(metavar[1:-1] if metavar.startswith("[JOB") else metavar)


def settings_of(command: str) -> tuple[str, ...]:
    """Return the beginnings of the arguments NAME=VALUE of a command; () for one that takes none."""
    return _SETTINGS.get(command, ())
