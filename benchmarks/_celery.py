"""Runs COUNT calls through celery with a prefork worker of WORKERS processes, and prints the seconds per call.

The broker and the results are a separate Redis with a socket in FOLDER. The calls are in the queue before the worker
starts, and the time begins with the first result.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import redis
from celery import Celery

from benchmarks import peers
from benchmarks._functions import nothing

_POLL_S = 0.01
_TIMEOUT_S = 300
_SOCKET = os.environ.get("BENCH_REDIS", "")
app = Celery(
    "benchmarks._celery", broker=f"redis+socket://{_SOCKET}", backend=f"redis+socket://{_SOCKET}?virtual_host=1"
)
app.conf.broker_connection_retry_on_startup = True
task = app.task(nothing, name="nothing")


def main() -> None:
    """``COUNT WORKERS FOLDER``."""
    count, workers, folder = int(sys.argv[1]), sys.argv[2], Path(sys.argv[3])
    socket = str(folder / "redis")
    environment = {**os.environ, "BENCH_REDIS": socket}
    server = [peers.program("Redis"), "--port", "0", "--unixsocket", socket, "--dir", str(folder), "--save", ""]
    with subprocess.Popen(server, stdout=subprocess.DEVNULL) as running:
        try:
            again = [sys.executable, "-m", "benchmarks._celery", "--inside", str(count), workers]
            subprocess.run(again, env=environment, check=True)
        finally:
            running.terminate()


def inside(count: int, workers: str) -> None:
    """Run the calls while the server is running."""
    _until(lambda: Path(_SOCKET).exists())
    for number in range(count):
        task.delay(str(number))
    results = redis.Redis(unix_socket_path=_SOCKET, db=1)
    argv = [sys.executable, "-m", "celery", "-A", "benchmarks._celery", "worker", "-c", workers, "-l", "CRITICAL"]
    with subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as worker:
        try:
            _until(lambda: results.dbsize() > 0)
            first, began = results.dbsize(), time.perf_counter()
            _until(lambda: results.dbsize() >= count)
            sys.stdout.write(f"{(time.perf_counter() - began) / (count - first)}\n")
        finally:
            worker.terminate()


def _until(condition: object) -> None:
    deadline = time.monotonic() + _TIMEOUT_S
    while not condition():  # type: ignore[operator]
        if time.monotonic() > deadline:
            raise TimeoutError("celery did not finish in time")
        time.sleep(_POLL_S)


if __name__ == "__main__":
    if sys.argv[1] == "--inside":
        inside(int(sys.argv[2]), sys.argv[3])
    else:
        main()
