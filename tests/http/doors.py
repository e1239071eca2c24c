"""A server over TCP for tests of access, with tokens, and one that is the real program."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from jobctl.config import Home
from jobctl.process import moment
from jobctl.services.tokens import add_token, read_token
from tests.http.serving import PATIENCE_S


def token_for(home: Home, name: str, scope: str = "control", **options: Any) -> dict[str, str]:
    """Make a token; returns the header of its requests."""
    wanted: dict[str, Any] = {"recipes": (), "queue": None, "rate": None, "sees_all": False} | options
    made = add_token(home, read_token(name, scope, **wanted), moment.now())
    return {"Authorization": f"Bearer {made.text}"}


@dataclass
class Program:
    """``jobctl serve`` as a process."""

    process: subprocess.Popen[str]
    ready: dict[str, Any]

    def at_socket(self) -> httpx.Client:
        """A client of its Unix socket."""
        transport = httpx.HTTPTransport(uds=self.ready["socket"])
        return httpx.Client(transport=transport, base_url="http://jobctl", timeout=PATIENCE_S, trust_env=False)

    def at_address(self, **options: Any) -> httpx.Client:
        """A client of its first address."""
        return httpx.Client(base_url=self.ready["urls"][0], timeout=PATIENCE_S, trust_env=False, **options)

    def stop(self, number: int = signal.SIGTERM) -> tuple[int, str]:
        """Stop it; returns its exit code and what it has written to standard error."""
        self.process.send_signal(number)
        _, said = self.process.communicate(timeout=PATIENCE_S)
        return self.process.returncode, said


def environment(home: Home, work: Path) -> dict[str, str]:
    """The environment of a program that works on a store."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(work),
        "LANG": "C.UTF-8",
        "JOBCTL_HOME": str(home.root),
        "XDG_RUNTIME_DIR": str(work),
        "PYTHONDONTWRITEBYTECODE": "1",
    }


@contextmanager
def program(home: Home, work: Path, *words: str, **options: Any) -> Iterator[Program]:
    """Start ``jobctl serve`` at a free port and wait until it is ready; it is killed at the end of the block."""
    listen = [] if "--no-tcp" in words else ["--listen", "127.0.0.1:0"]
    options = {"env": environment(home, work), "cwd": work} | options
    started = subprocess.Popen(
        [sys.executable, "-m", "jobctl", "--json", "serve", *listen, *words],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,
    )
    try:
        assert started.stdout is not None
        assert select.select([started.stdout], [], [], PATIENCE_S)[0], "it does not get ready"
        line = started.stdout.readline()
        if not line:
            raise AssertionError(started.communicate(timeout=PATIENCE_S)[1])
        yield Program(started, json.loads(line))
    finally:
        if started.poll() is None:
            started.kill()
        started.communicate(timeout=PATIENCE_S)
