"""A command line for every command of the tree, with arguments that it would accept."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

from jobctl.cli.app import command_tree
from jobctl.cli.completion.tree import Node

_ARGUMENTS = {
    "FILE": "rows.txt",
    "JOB": "1",
    "JOB[.ITEM]": "1",
    "NAME=VALUE": "slots=2",
    "NAME": "ci",
    "ID": "msg_1",
    "QUEUE": "mail",
    "RECIPE": "nightly",
    "SHELL": "bash",
    "PATH": "jobctl.toml",
    "PAGE": "input",
    "KEY": "submit.slots",
    "VALUE": "2",
}
#: Commands that start, end or need processes, or draw a screen.
PROCESSES = {"run", "daemon start", "daemon run", "daemon restart", "worker", "top", "daemon install"}
_OPTIONS = {
    "worker": ["--scheduler", "tcp://127.0.0.1:1"],
    "export": ["--joblog"],
    "serve token add": ["--scope", "read"],
}


@cache
def every_command() -> dict[str, list[str]]:
    """Name -> the words of a command line. A new kind of argument fails here until it has a value above."""
    return {node.name: _words(node) for node in _leaves(command_tree())}


def _leaves(node: Node) -> Iterator[Node]:
    if not node.children:
        yield node
    for child in node.children:
        yield from _leaves(child)


def _words(node: Node) -> list[str]:
    words = [*node.path, *_OPTIONS.get(node.name, [])]
    words += [
        _ARGUMENTS[argument.metavar.strip("[].") if "[.ITEM" not in argument.metavar else "JOB[.ITEM]"]
        for argument in node.arguments
    ]
    return [*words, "--", "true"] if node.takes_words else words
