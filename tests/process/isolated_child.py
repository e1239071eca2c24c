"""The attacks that a child of ``jobctl.process.isolated`` may try; run by test_isolated.py."""

import os
import signal
import sys

from jobctl.process.confined import enter


def main():
    parent, (deed,) = enter(sys.argv[1:])
    parent.send({"pid": os.getpid()}, b"body")
    DEEDS[deed]()
    os._exit(0)


def take_memory():
    held = []
    while True:
        held.append(bytearray(1 << 20))


def say_and_abort(words):
    os.write(2, words)
    os.abort()


def spin():
    while True:
        pass


def chatter():
    os.write(1, b"to stdout\n")
    while os.write(2, b"x" * 65_536):  # a limit of the size ends this
        pass


DEEDS = {
    "nothing": lambda: None,
    "memory": take_memory,
    "bad_alloc": lambda: say_and_abort(b"terminate called after throwing an instance of 'std::bad_alloc'\n"),
    "abort": lambda: say_and_abort(b"first\nassertion failed: left == right\n"),
    "segfault": lambda: os.kill(os.getpid(), signal.SIGSEGV),
    "killed": lambda: os.kill(os.getpid(), signal.SIGKILL),
    "exit": lambda: os._exit(9),
    "spin": spin,
    "sleep": signal.pause,
    "chatter": chatter,
    "garbage": lambda: os.write(int(sys.argv[3]), b"\xff" * 1000),
}
