"""What people mean by the name of a command that does not exist.

Only a command line with such a mistake loads this module.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from jobctl.cli.mistakes import KINDS
from jobctl.cli.page import first_clause
from jobctl.cli.vocabulary import command_for, subcommand_for
from jobctl.domain.nearest import did_you_mean, nearest
from jobctl.errors import UsageError

#: A job, or items of one, in place of a command.
_JOB = re.compile(r"(?:\d[\d,-]*|last)(?P<items>\.[\d,-]+)?")
#: Characters of a line in the list of the commands of a group.
_LINE = 76


def unknown_command(word: str, following: Sequence[str], known: Sequence[str]) -> UsageError:
    """The error for a word that is not a command of jobctl."""
    words = [each for each in following if not each.startswith("-")]
    if word in KINDS and words:
        if words[0] in known:
            return _no_command(word, f"without {word}: {' '.join(('jobctl', *words))}")
        if _JOB.fullmatch(words[0]) or command_for(words[0]):
            return unknown_command(words[0], words[1:], known)
    if found := _JOB.fullmatch(word):
        what = "items" if found["items"] else "status"
        return _no_command(word, f"a JOB comes after a command: jobctl {what} {word}")
    ours = command_for(word)
    if ours is not None:
        return _no_command(word, f"try: {_with_jobs(ours, [each for each in words if _JOB.fullmatch(each)])}")
    near = nearest(word, known)
    if near:
        return _no_command(word, f"did you mean: {' '.join(('jobctl', near, *words[:1]))}")
    return _no_command(word, f"jobctl --help lists the commands; if it is the name of a job: jobctl status {word}")


def _with_jobs(command: str, jobs: Sequence[str]) -> str:
    """A command in which JOB is the jobs that were typed; ``[JOB]`` may be left out."""
    if not jobs:
        return command.replace(" [JOB]", "")
    return command.replace("[JOB]", "JOB").replace("JOB", " ".join(jobs))


def _no_command(word: str, hint: str) -> UsageError:
    return UsageError(f"there is no command {word!r}", hint=hint)


def unknown_subcommand(group: str, word: str, following: Sequence[str], known: Sequence[str]) -> UsageError:
    """The error for a word that is not a command of a group such as ``jobctl queue``."""
    has = f"it has: {', '.join(known)}; jobctl {group} --help"
    ours = subcommand_for(group, word)
    hint = did_you_mean(word, known, has) if ours is None else f"try: {_filled(ours, following[:1])}; {has}"
    return UsageError(f"there is no command {word!r} in jobctl {group}", hint=hint)


def _filled(command: str, words: Sequence[str]) -> str:
    """A command in which the first placeholder is the word that was typed."""
    return re.sub(r"\b[A-Z]{2,}\b", lambda _: words[0], command, count=1) if words else command


def no_subcommand(context: Any) -> UsageError:
    """The error for a group without the name of one of its commands."""
    group = context.command
    rows = group.summaries(context, group.list_commands(context))
    width = max(len(name) for name, _ in rows)
    room = _LINE - len(context.command_path) - width
    return UsageError(
        f"{context.command_path} needs a command, one of {', '.join(name for name, _ in rows)}",
        details=[f"{context.command_path} {name:{width}}  {first_clause(text, room)}" for name, text in rows],
        hint=f"{context.command_path} --help",
    )
