"""A process of the daemon without a free descriptor: it can import nothing, and continues."""

from __future__ import annotations

import subprocess
import sys

import pytest

# The program opens files until no descriptor is free. Then an import of a module that is not loaded fails.
_PROGRAM = """
import os, resource, select, sys
from jobctl.process import own_log
from jobctl.supervisor import streams
from jobctl.supervisor.attempts import Attempts

def log_unexpected():
    try:
        raise ValueError("the error")
    except ValueError as error:
        attempts.log_unexpected(error, "a worker")

def say_traceback():
    try:
        raise ValueError("the error")
    except ValueError:
        own_log.say_traceback()

def punch():
    streams.punch(output, 0, 1 << 16)

attempts = Attempts("store", None, lambda *event: None, select.poll())
output = os.open(sys.argv[2], os.O_RDWR | os.O_CREAT)
os.ftruncate(output, 1 << 16)
resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
try:
    while True:
        os.open("/dev/null", os.O_RDONLY)
except OSError:
    pass
assert "traceback" not in sys.modules and "ctypes" not in sys.modules
globals()[sys.argv[1]]()
print("continues")
"""


@pytest.mark.parametrize(
    ("function", "logged"),
    [
        ("log_unexpected", "supervisor: a worker: ValueError('the error')\n"),
        ("say_traceback", "ValueError('the error')\n"),
        ("punch", ""),
    ],
)
def test_a_process_without_a_free_descriptor_continues_after(tmp_path, function, logged):
    words = [sys.executable, "-I", "-c", _PROGRAM, function, str(tmp_path / "output")]
    ended = subprocess.run(words, capture_output=True, text=True, timeout=60)
    assert (ended.stdout, ended.stderr) == ("continues\n", logged)
