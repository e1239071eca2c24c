"""The session that every command uses: the global options, the store, and the output.

Data go to standard output, messages to standard error.
"""

from __future__ import annotations

import itertools
import os
import sys
from contextlib import AbstractContextManager, nullcontext
from functools import cached_property
from typing import TYPE_CHECKING, Any, TextIO

from jobctl.config import Home, find_home
from jobctl.errors import JobctlError, NotFound
from jobctl.process import moment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import TypeVar

    from typer import Context

    from jobctl.domain.documents.all import Document, ListHead
    from jobctl.render.look import Look

    T = TypeVar("T")

#: The heading of the options that a session keeps, which every command has.
GLOBAL_PANEL = "Global options"
#: The key of the arguments of a command in ``Context.meta``, as they were typed.
ARGUMENTS = "jobctl.arguments"


def now_us() -> int:
    """The present in microseconds UTC."""
    return moment.now()


class Session:
    """The global options of a command line, with the store and the output that follow from them."""

    def __init__(self, arguments: Sequence[str] = ()) -> None:
        self._arguments = tuple(arguments)
        self.home_option: str | None = None
        self.json = False
        self.no_color = False
        self.no_pager = False
        self.plain = False
        self.quiet = False
        self.verbose = False
        #: Whether JSON was printed. An error document after half a document would make the output unreadable.
        self.has_emitted = False

    @property
    def wants_json(self) -> bool:
        """Whether JSON was asked for, also by a command line that cannot be parsed, or not yet.

        Words of another command, which follow ``--``, do not count.
        """
        return self.json or "--json" in self._own

    @property
    def wants_full_help(self) -> bool:
        """Whether a help page is the complete one; ``-h`` alone asks for one screen."""
        return "--help" in self._own or "help" in self._own

    @property
    def _own(self) -> Sequence[str]:
        """The words before ``--``."""
        words = self._arguments
        return words[: words.index("--") if "--" in words else None]

    @cached_property
    def home(self) -> Home:
        """The store to work on."""
        return find_home(self.home_option)

    @property
    def program(self) -> str:
        """The command line of jobctl for this store."""
        if self.home_option is None:
            return "jobctl"
        import shlex

        return f"jobctl --home {shlex.quote(self.home_option)}"

    def if_store_exists(self, read: Callable[[], T], empty: T) -> T:
        """Return the result of ``read``; for a home without a store, print a note and return ``empty``."""
        try:
            return read()
        except NotFound as error:
            self.note(f"{error.message}\n  {self.localise(error.hint)}")
            return empty

    def localise(self, command: str | None) -> str | None:
        """A hint in which ``jobctl`` has the options that name this store."""
        if command is None or self.home_option is None:
            return command
        return command.replace("jobctl ", f"{self.program} ")

    def command_line_with(self, *more: str) -> str:
        """The command line as it was typed, with more words, as a hint: without the options that name the store."""
        import shlex

        words = list(self._arguments)
        for place in [place for place, word in enumerate(words) if word == "--home"][::-1]:
            del words[place : place + 2]
        words = [word for word in words if not word.startswith("--home=")]
        return shlex.join(("jobctl", *words, *more))

    def say(self, text: str) -> None:
        """Print a line of output on stdout. On a terminal, control characters in names have no effect."""
        if sys.stdout.isatty():
            from jobctl.render.inert import inert_log

            text = inert_log(text)
        sys.stdout.write(text + "\n")

    def emit_line(self, document: Document) -> None:
        """Print one of several JSON documents, on one line of stdout."""
        from jobctl.render.machine import dumps, for_terminal

        self.has_emitted = True
        text = dumps(document)
        sys.stdout.write((for_terminal(text) if sys.stdout.isatty() else text) + "\n")

    def emit(self, document: Document) -> None:
        """Print a JSON document on stdout."""
        from jobctl.render.machine import dumps

        self.has_emitted = True
        sys.stdout.write(dumps(document, indent=sys.stdout.isatty()) + "\n")

    def emit_list(self, head: ListHead, name: str, entries: Iterable[Any]) -> int:
        """Print a JSON document whose last key is a list of any length, which is never held in memory.

        Returns the number of entries. An error before the first entry is raised before anything is printed.
        """
        from jobctl.render.machine import dumps, for_terminal

        on_terminal = sys.stdout.isatty()
        between = ",\n  " if on_terminal else ", "
        count = 0
        rest = iter(entries)
        first = list(itertools.islice(rest, 1))
        self.has_emitted = True
        sys.stdout.write(f"{dumps(head)[:-1]}, {dumps(name)}: [")
        for count, entry in enumerate(itertools.chain(first, rest), 1):
            text = for_terminal(dumps(entry)) if on_terminal else dumps(entry)
            sys.stdout.write((between if count > 1 else "") + text)
        sys.stdout.write("]}\n")
        return count

    def note(self, text: str) -> None:
        """Print a message on stderr, unless ``--quiet`` was given."""
        if not self.quiet:
            self.warn(text)

    def note_unless_empty(self, text: str) -> None:
        """Print a message as ``note`` does; an empty one prints nothing."""
        if text:
            self.note(text)

    def warn(self, text: str) -> None:
        """Print a message on stderr, also with ``--quiet``, because the command does not do all that was requested."""
        from jobctl.render.inert import inert_log

        sys.stderr.write(inert_log(text) + "\n")

    def colors(self, stream: TextIO) -> bool:
        """Return whether to use colours: options, NO_COLOR, FORCE_COLOR, settings, then the kind of stream decide."""
        if self.no_color or self.plain or os.environ.get("NO_COLOR"):
            return False
        if os.environ.get("FORCE_COLOR"):
            return True
        if self._color_setting in ("always", "never"):
            return self._color_setting == "always"
        return stream.isatty() and os.environ.get("TERM") not in (None, "", "dumb")

    @cached_property
    def _color_setting(self) -> str | None:
        return self.output_setting("color")

    def output_setting(self, key: str) -> str | None:
        """A setting of the section output. Settings with mistakes are reported by the commands that need them."""
        from jobctl.services.settings.settings import load_settings

        try:
            found: str | None = load_settings(os.environ, os.getcwd()).value("output", key)
        except (JobctlError, OSError):
            return None
        return found

    def paging(self) -> AbstractContextManager[None]:
        """Let the user's pager show what the block prints, if it is longer than the screen.

        Nothing is paged off a terminal, on one that cannot redraw lines, as JSON, or with ``--no-pager``.
        """
        if self.no_pager or "--no-pager" in self._own or self.wants_json or not self.is_screen(sys.stdout):
            return nullcontext()
        from jobctl.cli.pager import paging  # few commands print on a terminal more than fits on it

        return paging(lambda: self.output_setting("pager"), self.note)

    def is_terminal(self, stream: TextIO) -> bool:
        """Return whether a stream is a terminal and ``--plain`` was not given, so that tables are drawn."""
        return stream.isatty() and not self.plain

    def look(self, stream: TextIO) -> Look:
        """Return the abilities of a stream: its size, colours and characters."""
        from jobctl.render.look import look_of

        return look_of(stream, color=self.colors(stream), terminal=self.is_terminal(stream))

    def colorless_look(self, stream: TextIO) -> Look:
        """The look of a stream for text that has no colours, so the settings need not be read."""
        from jobctl.render.look import look_of

        return look_of(stream, color=False, terminal=self.is_terminal(stream))

    def is_screen(self, stream: TextIO) -> bool:
        """Return whether a stream is a terminal on which lines can be redrawn."""
        return self.is_terminal(stream) and os.environ.get("TERM") not in (None, "", "dumb")


def session(ctx: Context) -> Session:
    """The session of a command."""
    found = ctx.find_root().obj
    assert isinstance(found, Session)
    return found
