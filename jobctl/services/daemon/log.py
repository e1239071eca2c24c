"""Read the log of the daemon in the state directory, and the older log, which has the suffix ``.1``."""

from __future__ import annotations

import contextlib
import os
import re
import select
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from jobctl.errors import NotFound
from jobctl.process.private import open_plain
from jobctl.process.reader import check_reader
from jobctl.process.watch import Watch

if TYPE_CHECKING:
    from jobctl.domain.documents.daemon import DaemonLogDocument, DaemonLogLineDocument, LogLineBlock

_BLOCK = 1 << 16
_LINE = re.compile(r"(?P<at>\d{4}-\d\d-\d\dT[\d:.]+Z) (?:(?P<source>[a-z]+): )?(?P<message>.*)", re.DOTALL)


def last_lines(log: Path, count: int | None) -> list[str]:
    """Return the last ``count`` lines (None = all) of the log and the older log. Raises NotFound if there is no log."""
    if not log.exists():
        raise NotFound(
            f"there is no log of a daemon at {log}",
            hint="a daemon in the foreground logs to its terminal, and under systemd to: journalctl --user -u jobctl",
        )
    lines = _tail(log, count)
    aside = log.with_name(f"{log.name}.1")
    if aside.exists() and (count is None or len(lines) < count):
        lines = _tail(aside, None if count is None else count - len(lines)) + lines
    return lines


def _tail(path: Path, count: int | None) -> list[str]:
    """Return the last lines of a file, which is read from its end and only as far as needed."""
    if count == 0:
        return []
    with path.open("rb") as file:
        at = file.seek(0, os.SEEK_END)
        data = b""
        while at and (count is None or data.count(b"\n") <= count):
            step = min(_BLOCK, at)
            at = file.seek(at - step)
            data = file.read(step) + data
    lines = data.decode("utf-8", "replace").splitlines()
    return lines if count is None else lines[-count:]


def follow(log: Path, pipes: Sequence[int] = ()) -> Iterator[str]:
    """Yield lines as they are written, also to the next log when this one is renamed; ends when the store is removed.

    Raises BrokenPipeError when one of the ``pipes`` has lost its reader.
    """
    with Watch(log.parent, (log.name,)) as watch, contextlib.ExitStack() as opened:
        file = opened.enter_context(log.open("rb"))
        file.seek(0, os.SEEK_END)
        rest = b""
        while True:
            is_replaced = _is_replaced(log, file.fileno())  # asked before the read, so that the last line is not missed
            rest += file.read()
            *lines, rest = rest.split(b"\n")
            yield from (line.decode("utf-8", "replace") for line in lines)
            if is_replaced:
                opened.close()
                file = opened.enter_context(log.open("rb"))
                continue
            _wait(watch, pipes)
            if not log.parent.exists():  # the store was removed, and no event will come from a new one
                return


def _wait(watch: Watch, pipes: Sequence[int]) -> None:
    """Wait until the log changes. Raises BrokenPipeError when one of the pipes has lost its reader."""
    if watch.fileno() < 0 or not pipes:
        watch.wait(None)
        return
    poll = select.poll()
    poll.register(watch.fileno(), select.POLLIN)
    for pipe in pipes:
        poll.register(pipe, 0)
    poll.poll()
    watch.drain()
    check_reader(pipes)


def _is_replaced(log: Path, descriptor: int) -> bool:
    try:
        return not os.path.samestat(os.stat(log), os.fstat(descriptor))
    except FileNotFoundError:
        return False


def document(log: Path, lines: Sequence[str]) -> DaemonLogDocument:
    """Return ``jobctl.daemon_log/1``: some lines of the log."""
    return {"schema": "jobctl.daemon_log/1", "log": str(log), "lines": [_parts(line) for line in lines]}


def line_document(line: str) -> DaemonLogLineDocument:
    """Return ``jobctl.daemon_log_line/1``: one line of a log that is followed."""
    return {"schema": "jobctl.daemon_log_line/1", **_parts(line)}


def _parts(line: str) -> LogLineBlock:
    """Split a line into time, source and message. A line of another form has only a message."""
    found = _LINE.fullmatch(line)
    if found is None:
        return {"at": None, "source": None, "message": line}
    return {"at": found["at"], "source": found["source"], "message": found["message"]}


_OF_A_JOB = re.compile(rb"^\S+ supervisor: (?P<text>.*\b(?:job|item) (?P<job>\d+)\b.*)$", re.MULTILINE)


def blank_lines(log: Path, jobs: Sequence[int]) -> None:
    """Overwrite the log lines about these jobs: the jobs are removed, and the lines name programs of their items.

    Each line is overwritten in place with the same number of bytes, so a daemon can append to the log meanwhile.
    """
    numbers = set(jobs)
    for path in (log, log.with_name(f"{log.name}.1")):
        with contextlib.suppress(OSError), open(open_plain(str(path), os.O_RDWR), "r+b") as file:
            for line in _OF_A_JOB.finditer(file.read()):
                if int(line["job"]) in numbers:
                    os.pwrite(file.fileno(), b"-" * len(line["text"]), line.start("text"))
