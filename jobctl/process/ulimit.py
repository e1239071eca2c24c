"""Limits of this process (ulimit) that prevent jobctl from working, with the command that raises them."""

from __future__ import annotations

import errno
import os
import resource

_LIMIT_OF_ERROR = {
    errno.EMFILE: ("too many open files", "RLIMIT_NOFILE", "-n", "1024"),
    errno.EAGAIN: ("no process can be started", "RLIMIT_NPROC", "-u", "unlimited"),
    errno.ENOMEM: ("there is not enough memory", "RLIMIT_AS", "-v", "unlimited"),
    errno.EFBIG: ("a file cannot grow", "RLIMIT_FSIZE", "-f", "unlimited"),
}


def explain(number: int) -> tuple[str, str] | None:
    """(what is wrong, what to type) for an error that a limit causes; None for other errors."""
    if number not in _LIMIT_OF_ERROR:
        return None
    what, name, option, enough = _LIMIT_OF_ERROR[number]
    limit = _limit(name)
    if limit is None:
        return None if number != errno.ENOMEM else (what, "end something, then try again")
    return f"{what}: the limit (ulimit {option}) is {limit}", f"raise it, then try again: ulimit {option} {enough}"


def in_words(problem: OSError) -> str:
    """The explanation in one line; the system's message where no limit is the cause."""
    found = explain(problem.errno or 0)
    return problem.strerror or str(problem) if found is None else "; ".join(found)


def is_out_of_files(problem: OSError) -> bool:
    """True if this process has too many open files, which waiting does not change."""
    return problem.errno == errno.EMFILE


def _limit(name: str) -> str | None:
    """The limit as the shell shows it; None if there is none."""
    value, _ = resource.getrlimit(getattr(resource, name))
    if value == resource.RLIM_INFINITY:
        return None
    unit = 1024 if name in ("RLIMIT_AS", "RLIMIT_FSIZE") else 1
    return str(value // unit)


def memory_error() -> str:
    """The message for a process that cannot import any further module."""
    what, advice = explain(errno.ENOMEM) or ("there is not enough memory", "end something, then try again")
    return f"jobctl: {what}\n  {advice}\n"


def report_out_of_memory() -> None:
    """Report that there is no memory, using as little as possible."""
    os.write(2, memory_error().encode())
