"""Commands as real processes that start in a hundredth of a second.

Starting Python and importing what a command needs takes 0.2 s of processor time, far more than most commands do.
So one process imports jobctl once and forks a child for each command, which has its own process id, working directory,
environment, descriptors and exit code. It cannot show how jobctl starts; tests of that start the program itself.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import select
import socket
import subprocess
import sys
import sysconfig
import threading
import time
from functools import cache
from pathlib import Path
from typing import NoReturn

#: Python and libraries look at these while they start, which a forked command does not do.
_OF_THE_START = ("PYTHON", "LC_", "LANG", "LD_", "TERM", "NO_COLOR", "FORCE_COLOR", "COLUMNS", "LINES")
_LENGTH = 8
_PIECE = 65_536


def can_fork(env: dict[str, str]) -> bool:
    """Whether a command with this environment is the same without a start of its own."""
    known = {"LANG": "C.UTF-8", "PYTHONDONTWRITEBYTECODE": "1"}
    return all(known.get(name) == value for name, value in env.items() if name.startswith(_OF_THE_START))


def run(args: list[str], *, stdin: str | None, cwd: Path, env: dict[str, str], timeout: float):
    """Run jobctl like ``subprocess.run`` with captured text. Raises subprocess.TimeoutExpired."""
    pipes = [os.pipe() for _ in range(3)]
    if stdin is None:
        os.close(pipes[0][0])
        pipes[0] = (os.open(os.devnull, os.O_RDONLY), pipes[0][1])
    ours = [pipes[0][1], pipes[1][0], pipes[2][0]]
    theirs = [pipes[0][0], pipes[1][1], pipes[2][1]]
    try:
        here, there = socket.socketpair()
        with here:
            with there:
                socket.send_fds(_forker(), [b"x"], [there.fileno(), *theirs])
            for descriptor in theirs:
                os.close(descriptor)
            request = json.dumps([args, os.fspath(cwd), env, _umask()]).encode()
            here.sendall(len(request).to_bytes(_LENGTH, "little") + request)
            pid = int.from_bytes(_read(here, _LENGTH), "little")
            texts = _exchange(ours, (stdin or "").encode("utf-8", "surrogateescape"), time.monotonic() + timeout)
            if texts is None or not select.select([here], [], [], timeout)[0]:
                os.kill(pid, 9)
                raise subprocess.TimeoutExpired(["jobctl", *args], timeout)
            code = os.waitstatus_to_exitcode(int.from_bytes(_read(here, _LENGTH), "little"))
    finally:
        for descriptor in ours[1:]:
            os.close(descriptor)
    out, err = (_text(data) for data in texts)
    return subprocess.CompletedProcess(["jobctl", *args], code, out, err)


def _umask() -> int:
    return int(re.search(r"^Umask:\s*(\d+)", Path("/proc/self/status").read_text(), re.MULTILINE)[1], 8)


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape").replace("\r\n", "\n").replace("\r", "\n")


def _exchange(ours: list[int], text: bytes, until: float) -> tuple[bytes, bytes] | None:
    """Write the input and read both outputs to their ends; None if that takes too long."""

    def write() -> None:
        with contextlib.suppress(BrokenPipeError), open(ours[0], "wb") as pipe:
            pipe.write(text)

    if len(text) < 4_096:  # fits into the pipe
        write()
    else:
        threading.Thread(target=write, daemon=True).start()
    found: dict[int, list[bytes]] = {ours[1]: [], ours[2]: []}
    open_ones = set(found)
    while open_ones:
        ready = select.select(list(open_ones), [], [], max(0.0, until - time.monotonic()))[0]
        if not ready:
            return None
        for descriptor in ready:
            piece = os.read(descriptor, _PIECE)
            found[descriptor].append(piece)
            if not piece:
                open_ones.remove(descriptor)
    return b"".join(found[ours[1]]), b"".join(found[ours[2]])


def _read(connection: socket.socket, count: int) -> bytes:
    data = connection.recv(count, socket.MSG_WAITALL)
    assert len(data) == count, "the process that forks the commands has died"
    return data


@cache
def _forker() -> socket.socket:
    """The connection to the process that forks, which ends with this connection."""
    ours, theirs = socket.socketpair(type=socket.SOCK_SEQPACKET)
    env = {name: value for name, value in os.environ.items() if not name.startswith(_OF_THE_START)}
    with theirs:
        process = subprocess.Popen(
            [sys.executable, __file__, str(theirs.fileno())],
            stdin=subprocess.DEVNULL,
            cwd="/",
            env=env | {"LANG": "C.UTF-8", "PYTHONDONTWRITEBYTECODE": "1"},
            pass_fds=[theirs.fileno()],
        )

    _forkers.append((ours, process))
    return ours


_forkers: list[tuple[socket.socket, subprocess.Popen[bytes]]] = []


def end() -> None:
    """End the process that forks, if there is one."""
    while _forkers:
        connection, process = _forkers.pop()
        connection.close()
        process.wait()
    _forker.cache_clear()


# ---- the process that forks ----


def _serve(door: socket.socket) -> NoReturn:
    running: dict[int, tuple[int, socket.socket]] = {}
    while True:
        ready = select.select([door, *running], [], [])[0]
        for descriptor in ready:
            if descriptor is door:
                _begin(door, running)
            else:
                pid, connection = running.pop(descriptor)
                os.close(descriptor)
                with connection, contextlib.suppress(OSError):
                    connection.sendall(os.waitpid(pid, 0)[1].to_bytes(_LENGTH, "little"))


def _begin(door: socket.socket, running: dict[int, tuple[int, socket.socket]]) -> None:
    data, descriptors, _, _ = socket.recv_fds(door, 1, 4)
    if not data:
        os._exit(0)
    connection = socket.socket(fileno=descriptors[0])
    pid = os.fork()
    if pid == 0:
        door.close()
        for pidfd, (_, other) in running.items():
            os.close(pidfd)
            other.close()
        _command(connection, descriptors[1:])
    for descriptor in descriptors[1:]:
        os.close(descriptor)
    connection.sendall(pid.to_bytes(_LENGTH, "little"))
    running[os.pidfd_open(pid)] = (pid, connection)


def _command(connection: socket.socket, descriptors: list[int]) -> NoReturn:
    try:
        request = _read(connection, int.from_bytes(_read(connection, _LENGTH), "little"))
        connection.close()
        args, cwd, env, umask = json.loads(request)
        for number, descriptor in enumerate(descriptors):
            os.dup2(descriptor, number)
            os.close(descriptor)
        os.environ.clear()
        os.environ.update(env)
        time.tzset()
        os.umask(umask)
        os.chdir(cwd)
        sys.stdin = sys.__stdin__ = os.fdopen(0, encoding="utf-8", errors="surrogateescape", closefd=False)
        sys.stdout = sys.__stdout__ = os.fdopen(1, "w", encoding="utf-8", errors="surrogateescape", closefd=False)
        sys.stderr = sys.__stderr__ = os.fdopen(2, "w", 1, encoding="utf-8", errors="backslashreplace", closefd=False)
        sys.argv[1:] = args
        from jobctl.__main__ import main

        main()
    except SystemExit:
        raise
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        os._exit(1)


def _load() -> None:
    """Import what commands import, as the installed program would find it."""
    import gc
    from importlib import import_module
    from pkgutil import walk_packages

    script = Path(sysconfig.get_path("scripts")) / "jobctl"
    sys.path[0] = os.fspath(script.parent)
    sys.argv[0] = os.fspath(script)
    import jobctl

    for name in ("domain", "process", "store", "sources", "handlers", "services", "render", "cli"):
        package = import_module(f"{jobctl.__name__}.{name}")
        for module in walk_packages(package.__path__, f"{package.__name__}."):
            if not module.name.endswith("__main__"):
                import_module(module.name)
    import typer.main

    import jobctl.__main__

    typer.main.get_command = cache(typer.main.get_command)  # the tree is built once, too
    import_module("jobctl.cli.app").command_tree()
    gc.collect()
    gc.freeze()


if __name__ == "__main__":
    _load()
    _serve(socket.socket(fileno=int(sys.argv[1])))
