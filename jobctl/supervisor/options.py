"""What a supervisor is told on its command line, and the line on which it reports that it is ready."""

from __future__ import annotations

import contextlib
import os

from jobctl.errors import UsageError
from jobctl.process.displaced import DISPLACED
from jobctl.process.own_log import say

_END_IT = "end it with: jobctl daemon stop"


class Options:
    """``lock=PATH store=ID [ready=FD] [lifeline=FD] [held=FD] [line=1] -- ENGINE ARG...``, or ``guest=FD store=ID``.

    Either with ``part=I/N``, its number of how many that share slots and folders of jobs.
    ``line`` means to wait for a daemon that is there to end; ``held`` is the lock itself, from the supervisor that
    this process was before.
    """

    def __init__(self, argv: list[str]) -> None:
        """Raises UsageError when something is missing; nobody types this by hand."""
        cut = argv.index("--") if "--" in argv else len(argv)
        words = dict(word.partition("=")[::2] for word in argv[:cut])
        self.engine = [os.fsencode(argument) for argument in argv[cut + 1 :]]
        self.guest = int(words.get("guest", "-1"))
        if "store" not in words or (self.guest < 0 and not (self.engine and "lock" in words)):
            raise UsageError("a supervisor needs lock=PATH store=ID -- ENGINE...", hint="use: jobctl daemon start")
        self.lock = words.get("lock", "")
        self.store_id = words["store"]
        number, _, count = words.get("part", "0/1").partition("/")
        self.part = int(number), int(count)  # of those that share slots and folders of jobs
        self.lifeline = int(words.get("lifeline", "-1"))
        self._reported = False
        self._ready = int(words.get("ready", "-1"))
        self.in_line = "line" in words
        self.held = int(words.get("held", "-1"))
        for fd in (self.lifeline, self._ready, self.held, self.guest):
            if fd >= 0:
                os.set_inheritable(fd, False)

    def report(self, text: str) -> None:
        """Say one line to who started us; only the first one is heard. Without anybody, a problem goes to stderr.

        That one waits its turn is not the last word: what comes of it is for the log.
        """
        if self._ready >= 0:
            line = text.encode("utf-8", "replace")
            with contextlib.suppress(OSError):  # it did not wait for us
                os.write(self._ready, line)
            os.close(self._ready)
            self._ready = -1
        elif text != "ready" and not self._reported:
            say(f"jobctl: {_sentence(text)}")
        self._reported = not text.startswith("line ")

    @property
    def inherited(self) -> set[int]:
        """Descriptors that must stay open."""
        return {fd for fd in (self.lifeline, self._ready, self.held, self.guest) if fd >= 0}


def _sentence(report: str) -> str:
    """A report in words for a person: on the way to whoever started us it is `error TEXT`, `busy PID` or `line PID`."""
    word, _, rest = report.partition(" ")
    if word == "busy":
        return f"a daemon already runs for this store (process {rest})\n  see it with: jobctl daemon status; {_END_IT}"
    if word == "displaced":
        return f"{DISPLACED.format(rest)}\n  {_END_IT}"
    if word == "line":
        return f"this daemon starts when the running one (process {rest}) has ended\n  {_END_IT}"
    return rest if word == "error" else report
