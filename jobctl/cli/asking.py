"""Questions, above all before something that cannot be undone. No other module reads an answer.

A question is asked only if a person is there: standard input and standard error are terminals. Without a person, a
command that needs an answer fails with the list of what it would do, so that a script cannot end or delete jobs that
its author did not have in mind.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import NoReturn

import typer

from jobctl.cli.session import Session
from jobctl.errors import Exit, UsageError

YES = "--yes"


def is_attended(shared: Session) -> bool:
    """Return whether a person can see a question and answer it, and the output is not for a program."""
    return not shared.json and has_terminal()


def has_terminal() -> bool:
    """Return whether a person is there: standard input and standard error are terminals."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def permit(shared: Session, deed: str, lines: Sequence[str], *, yes: bool, needs_yes: bool = True) -> None:
    """Return if the command may do its deed; otherwise say that nothing was changed, and end the command.

    ``deed`` is an infinitive (``cancel 3 jobs``), ``lines`` name what it concerns, ``yes`` says that ``--yes`` was
    given. Without a terminal, the deed needs ``--yes`` if ``needs_yes`` says so. Raises UsageError where nobody can be
    asked, and Exit if the answer is no.
    """
    if yes or not (needs_yes or has_terminal()):
        return
    if not is_attended(shared):
        why = "--json asks nothing" if has_terminal() else "there is no terminal to ask"
        raise UsageError(
            f"this would {deed}, and {why}: it needs {YES}", details=lines, hint=shared.command_line_with(YES)
        )
    _tell(f"This will {deed}:", lines)
    if not agrees("Continue? [y/N] "):
        _decline()


def pick(heading: str, lines: Sequence[str], numbers: Sequence[int]) -> list[int]:
    """Ask which of some jobs are meant, and return them; an empty answer ends the command without a change."""
    _tell(heading, lines)
    by_word = {str(number): number for number in numbers}
    while True:
        answer = _answer("Which one? Its number, all, or Enter for none: ")
        if not answer:
            _decline()
        words = list(by_word) if answer == "all" else answer.replace(",", " ").split()
        if words and all(word in by_word for word in words):
            return [by_word[word] for word in dict.fromkeys(words)]
        sys.stderr.write(f"{answer!r} is not one of these numbers\n")


def agrees(question: str, *, default: bool = False, interrupted: str = "nothing was changed") -> bool:
    """Ask, and return whether the answer is yes; ``default`` is that of Enter, and the end of the input means no.

    ``interrupted`` is what Ctrl-C prints. The caller has made sure that a person is there.
    """
    answer = _answer(question, interrupted)
    if answer is None:
        return False
    return answer not in ("n", "no") if default else answer in ("y", "yes")


def _tell(heading: str, lines: Sequence[str]) -> None:
    from jobctl.render.inert import inert_log

    sys.stdout.flush()
    sys.stderr.write(inert_log("\n".join((heading, *(f"  {line}" for line in lines)))) + "\n")


def _answer(question: str, interrupted: str = "nothing was changed") -> str | None:
    """Read one line from the terminal; None at its end."""
    sys.stderr.write(question)
    sys.stderr.flush()
    try:
        line = sys.stdin.readline()
    except KeyboardInterrupt:
        sys.stderr.write(f"\n{interrupted}")
        raise
    if not line:
        sys.stderr.write("\n")
        return None
    return line.strip().lower()


def _decline() -> NoReturn:
    sys.stderr.write("nothing was changed\n")
    raise typer.Exit(Exit.INTERNAL)
