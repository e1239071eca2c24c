"""A thread that waits for descriptors is told to end."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from jobctl.process.stop_pipe import StopPipe, is_readable


def test_a_stop_makes_the_pipe_readable_and_it_stays_so() -> None:
    stop = StopPipe()
    assert not is_readable(stop.reader)
    stop.stop()
    assert is_readable(stop.reader)
    assert is_readable(stop.reader, 60.0)
    stop.close()


def test_a_thread_that_has_ended_by_itself_is_told_nothing() -> None:
    stop = StopPipe()
    stop.close()
    stop.stop()


def test_a_program_that_dies_of_sigpipe_does_not_die_of_a_stop() -> None:
    program = (
        "import signal; signal.signal(signal.SIGPIPE, signal.SIG_DFL)\n"
        "from jobctl.process.stop_pipe import StopPipe\n"
        "stop = StopPipe(); stop.close(); stop.stop()"
    )
    assert subprocess.run([sys.executable, "-c", program], timeout=60, check=False).returncode == 0


def test_descriptors_are_not_left_open() -> None:
    stop = StopPipe()
    reader = stop.reader
    stop.stop()
    stop.close()
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(reader)
