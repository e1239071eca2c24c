"""An item that tries to get away: WAY PLACE. Every process that lives on writes its number to PLACE/escaped."""

import contextlib
import os
import signal
import sys
import time

way, place = sys.argv[1:3]


def say():
    with open(f"{place}/escaped", "a", encoding="utf-8") as file:
        file.write(f"{os.getpid()}\n")


def live():
    say()
    while True:
        time.sleep(1)


def deaf():
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)


if way != "fork":
    deaf()
if os.fork() == 0:
    if way in ("setsid", "env", "closed", "chain"):
        os.setsid()
    if way == "closed":
        os.closerange(0, 256)
    if os.fork() > 0:
        os._exit(0)
    if way == "env":
        code = f"import os, time; open({place!r} + '/escaped', 'a').write(str(os.getpid()) + '\\n')\n"
        code += "while True: time.sleep(1)"
        os.execve(sys.executable, [sys.executable, "-I", "-S", "-c", code, "escape.py"], {})
    if way == "chain":
        say()
        until = time.monotonic() + 60
        while time.monotonic() < until:  # a new process every time, the old one ends
            time.sleep(0.01)
            with contextlib.suppress(OSError):
                if os.fork() > 0:
                    os._exit(0)
                say()
    live()
live()
