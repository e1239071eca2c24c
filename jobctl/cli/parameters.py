"""The options and arguments of a command, in the words of its help page."""

from __future__ import annotations

from typing import Any

from typer.core import TyperOption

#: The dashes that a word processor or a web page puts in place of - and --.
LONG_DASHES = ("\u2013", "\u2014", "\u2212", "\u2011", "\u2012")


def is_flag(param: Any) -> bool:
    """Return whether an option takes no value."""
    return bool(getattr(param, "is_flag", False) or getattr(param, "count", False))


def long_name(param: Any) -> str:
    """The long name of an option."""
    return str(next((name for name in param.opts if name.startswith("--")), param.opts[0]))


def option_line(param: Any) -> str:
    """An option on one line, as on its help page."""
    names = ", ".join(sorted((*param.opts, *param.secondary_opts), key=len))
    takes = "" if is_flag(param) else f" {param.metavar or str(param.name).upper()}"
    return f"{names}{takes}  {param.help or ''}".rstrip()


def placeholder(param: Any) -> str:
    """The name of an argument without brackets and dots: ``JOB`` of ``[JOB]...``."""
    metavar = str(param.metavar or str(param.name).upper())
    return (
        metavar.removesuffix("...").removeprefix("[").removesuffix("]")
        if metavar.startswith("[")
        else metavar.removesuffix("...")
    )


def argument_line(param: Any) -> str:
    """An argument on one line, as on its help page."""
    return f"{param.metavar or str(param.name).upper()}  {param.help or ''}".rstrip()


def choices(param: Any) -> tuple[str, ...]:
    """The words that an option accepts, if they are few."""
    from jobctl.cli.completion.tree import option_of
    from jobctl.cli.completion.values import of_option

    return of_option(option_of(param)).words if isinstance(param, TyperOption) else ()


def choice_clause(param: Any) -> str:
    """The words that an option accepts, as the end of a sentence; empty if they are not few."""
    words = choices(param)
    return f", one of {', '.join(words)}" if words else ""
