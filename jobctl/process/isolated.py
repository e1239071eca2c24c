"""A child process that parses untrusted files: its memory and time are bounded, and its crash becomes a message.

Libraries in C++ and Rust may abort, crash or allocate gigabytes because of a few bytes in a file. In a child, only the
child dies. ``IsolatedChild`` starts it and reads its frames; ``jobctl.process.confined`` is the side inside the child.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Literal, Self

from jobctl.process.frames import read_frame
from jobctl.process.start_options import python_argv

#: The number of last bytes of the child's stdout and stderr that are read to explain a crash.
_TAIL_BYTES = 4_096
#: The messages of C++, Rust and Python when they run out of memory.
_OUT_OF_MEMORY = (b"bad_alloc", b"memory allocation of", b"out of memory", b"MemoryError", b"annot allocate memory")

Reason = Literal["memory", "time", "crash"]


@dataclass(frozen=True, slots=True)
class ChildBounds:
    """Limits of a child: bytes of memory, and seconds of processor time from one frame to the next."""

    memory: int
    cpu_s: int


class ChildEnded(Exception):
    """The child ended before its work was done. ``reason`` is the bound that it exceeded, or a crash."""

    def __init__(self, reason: Reason, text: str) -> None:
        super().__init__(text)
        self.reason: Reason = reason


class IsolatedChild:
    """A child that runs ``module.main()`` with the given arguments and sends frames; use it as a context manager.

    The child's first arguments are the two bounds and the descriptor to which it writes frames; ``confined.enter``
    reads them. The descriptors in ``files`` stay open under the same numbers. The child is in a session of its own, so
    Ctrl-C reaches only the parent. It ends with the parent, which holds the other end of its standard input.
    """

    def __init__(
        self, module: str, arguments: list[str], files: tuple[int, ...], bounds: ChildBounds, env: Mapping[str, str]
    ) -> None:
        self._output = tempfile.TemporaryFile()  # noqa: SIM115 - closed by close
        reader, writer = os.pipe()
        try:
            self._child = subprocess.Popen(
                python_argv(module, str(bounds.memory), str(bounds.cpu_s), str(writer), *arguments),
                stdin=subprocess.PIPE,
                stdout=self._output,
                stderr=self._output,
                env={**os.environ, **env},
                start_new_session=True,
                pass_fds=(writer, *files),
            )
        except BaseException:
            os.close(reader)
            self._output.close()
            raise
        finally:
            os.close(writer)
        self._frames = os.fdopen(reader, "rb", 1 << 18)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: type[BaseException] | BaseException | TracebackType | None) -> None:
        self.close()

    def frames(self) -> Iterator[tuple[dict[str, Any], bytes]]:
        """The frames of the child until it ends well. Raises ChildEnded if it ends otherwise."""
        try:
            while (frame := read_frame(self._frames)) is not None:
                yield frame
        except ValueError as error:  # the child has overwritten its own memory
            raise ChildEnded("crash", f"sent garbage: {error}") from error
        code = self._child.wait()
        if code:
            raise self._error_for(code)

    def _error_for(self, code: int) -> ChildEnded:
        tail = self._output_tail()
        if any(words in tail for words in _OUT_OF_MEMORY):
            return ChildEnded("memory", "")
        if code == -signal.SIGPROF:
            return ChildEnded("time", "")
        if code == -signal.SIGKILL:
            return ChildEnded("crash", "was killed (SIGKILL), perhaps because the machine ran out of memory")
        last = tail.decode("utf-8", "replace").strip().rpartition("\n")[2][:200]
        return ChildEnded("crash", f"ended with {_name(code)}{f': {last}' if last else ''}")

    def _output_tail(self) -> bytes:
        size = self._output.seek(0, os.SEEK_END)
        self._output.seek(max(0, size - _TAIL_BYTES))
        return self._output.read()

    def close(self) -> None:
        """Kill the child, even if its work is not done."""
        self._child.kill()
        self._child.wait()
        self._frames.close()
        self._output.close()
        if self._child.stdin is not None:
            with contextlib.suppress(BrokenPipeError):
                self._child.stdin.close()


def _name(code: int) -> str:
    if code > 0:
        return f"exit code {code}"
    try:
        return signal.Signals(-code).name
    except ValueError:
        return f"signal {-code}"
