"""Ends a call that cannot report its own end: its process died, never became ready, or wrote impossible values."""

from __future__ import annotations

import errno
import os
import signal

from jobctl.supervisor.calls.records import is_raised
from jobctl.supervisor.protocol import fields, wire
from jobctl.supervisor.protocol import page as pages
from jobctl.supervisor.protocol.page import BrokenPage, SharedPage
from jobctl.supervisor.running import code_of

TYPE_CHECKING = False  # as typing's own, which costs a tenth of the supervisor's start to import
if TYPE_CHECKING:
    from typing import Any

_FAILED = 1
#: Signals by which a process ends itself.
_CRASHES = (signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS, signal.SIGILL, signal.SIGFPE)


class EndOfCall:
    """The end of a call that could not report it."""

    __slots__ = ("code", "ending", "flags", "raised", "text")

    def __init__(self, ending: int, code: int, flags: int = 0, *, text: str = "", raised: Any = None) -> None:
        self.ending = ending
        self.code = code
        self.flags = flags
        self.text = text
        self.raised = raised


def end_by_itself(status: int, flags: int) -> EndOfCall:
    """The call ended its process."""
    code = code_of(status)
    if os.WIFSIGNALED(status):
        return EndOfCall(wire.SIGNALLED, code, flags)
    if code:
        return EndOfCall(wire.EXITED, code, flags)
    text = "the call ended its process with exit code 0"
    return EndOfCall(wire.RAISED, _FAILED, flags, raised=("WorkerExit", text, _FAILED, None, ""))


def end_while_loading(status: int, flags: int, target: str) -> EndOfCall:
    """The process ended before any call.

    The next worker would end in the same way, unless a signal from outside ended this one.
    """
    code = code_of(status)
    if os.WIFSIGNALED(status) and code not in _CRASHES:
        text = f"the worker was ended by signal {code} while it loaded {target}; nothing was called"
        return EndOfCall(wire.RAISED, _FAILED, flags | wire.SETUP, raised=("WorkerExit", text, _FAILED, None, ""))
    how = f"was ended by signal {code}" if os.WIFSIGNALED(status) else f"ended with exit code {code}"
    return EndOfCall(wire.NOT_STARTED, errno.ENOENT, flags, text=f"the worker {how} while it loaded {target}")


def end_of_endless_load(limit_s: float, target: str) -> EndOfCall:
    """The process was ended because it did not become ready in time; nothing was called."""
    text = f"importing {target} and its setup did not end within {limit_s:.0f} s; nothing was called"
    return EndOfCall(wire.RAISED, _FAILED, wire.SETUP, raised=("TimeoutError", text, _FAILED, None, ""))


def end_of_broken(why: str) -> EndOfCall:
    """The worker sent or wrote something impossible, so nothing that it says is used any more."""
    text = f"the messages of the worker make no sense: {why}; the call may have overwritten memory or descriptors"
    return EndOfCall(wire.RAISED, _FAILED, raised=("BrokenWorker", text, _FAILED, None, ""))


def end_of_refusal(page: SharedPage) -> EndOfCall:
    """The function cannot be called, and the page says why. Raises BrokenPage if the page does not."""
    _, size, _ = page.done()
    fault = page.fault()
    raised = pages.parse_untrusted_value(page.records(0, size))
    if fault not in (pages.NOT_LOADED, pages.SETUP_RAISED) or not is_raised(raised):
        raise BrokenPage("it says that it cannot load, and not why")
    page.reset()
    if fault == pages.SETUP_RAISED:
        return EndOfCall(wire.RAISED, raised[fields.RAISED_CODE], wire.SETUP, raised=raised)
    return EndOfCall(wire.NOT_STARTED, errno.ENOENT, text=raised[fields.RAISED_MESSAGE])
