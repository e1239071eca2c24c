"""The command line of a supervisor, and the pipe on which it reports that it is ready."""

from __future__ import annotations

import contextlib
import os

from jobctl.errors import UsageError
from jobctl.process.displaced import DISPLACED
from jobctl.process.own_log import say

_END_IT = "end it with: jobctl daemon stop"


class Options:
    """``lock=PATH store=ID [ready=FD] [lifeline=FD] [held=FD] [line=1] -- ENGINE ARG...``, or ``guest=FD store=ID``.

    Both take ``part=I/N``: number and count of the supervisors that share slots and folders of jobs. ``line``: wait
    until the running daemon has ended. ``held``: the descriptor of the lock, from the supervisor that this process
    was before.
    """

    def __init__(self, argv: list[str]) -> None:
        """Raises UsageError when a word is missing. Only jobctl itself writes this command line."""
        cut = argv.index("--") if "--" in argv else len(argv)
        words = dict(word.partition("=")[::2] for word in argv[:cut])
        self.engine = [os.fsencode(argument) for argument in argv[cut + 1 :]]
        self.guest_fd = int(words.get("guest", "-1"))
        if "store" not in words or (self.guest_fd < 0 and not (self.engine and "lock" in words)):
            raise UsageError("a supervisor needs lock=PATH store=ID -- ENGINE...", hint="use: jobctl daemon start")
        self.lock = words.get("lock", "")
        self.store_id = words["store"]
        number, _, count = words.get("part", "0/1").partition("/")
        self.part = int(number), int(count)
        self.lifeline = int(words.get("lifeline", "-1"))
        self._reported = False
        self._ready = int(words.get("ready", "-1"))
        self.in_line = "line" in words
        self.lock_fd = int(words.get("held", "-1"))
        for fd in (self.lifeline, self._ready, self.lock_fd, self.guest_fd):
            if fd >= 0:
                os.set_inheritable(fd, False)

    def report(self, text: str) -> None:
        """Report one line to the process that started this one, which reads only the first. Otherwise log problems.

        After a report of ``line``, which says that this daemon waits for another, a later problem is logged as well.
        """
        if self._ready >= 0:
            line = text.encode("utf-8", "replace")
            with contextlib.suppress(OSError):  # the reader is gone
                os.write(self._ready, line)
            os.close(self._ready)
            self._ready = -1
        elif text != "ready" and not self._reported:
            say(f"jobctl: {_sentence(text)}")
        self._reported = not text.startswith("line ")

    @property
    def inherited(self) -> set[int]:
        """Descriptors that must stay open."""
        return {fd for fd in (self.lifeline, self._ready, self.lock_fd, self.guest_fd) if fd >= 0}


def _sentence(report: str) -> str:
    """A report in words for a person; on the pipe it is `error TEXT`, `busy PID`, `displaced PID` or `line PID`."""
    word, _, rest = report.partition(" ")
    if word == "busy":
        return f"a daemon already runs for this store (process {rest})\n  see it with: jobctl daemon status; {_END_IT}"
    if word == "displaced":
        return f"{DISPLACED.format(rest)}\n  {_END_IT}"
    if word == "line":
        return f"this daemon starts when the running one (process {rest}) has ended\n  {_END_IT}"
    return rest if word == "error" else report
