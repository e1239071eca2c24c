"""The HTTP server: polls of a job, watchers of one, and uploads."""

from __future__ import annotations

import contextlib
import json
import os
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks import peers
from benchmarks.figure import Figure, Scale
from benchmarks.pairs import Paired, compare, compare_all
from benchmarks.usage import environment, measure, peak_kib

TITLE = "the HTTP server, compared with an empty endpoint of FastAPI and with jobctl submit"
NOTES = """
Requests per second are those of `wrk` with eight connections over TCP, with a token, and of one job that is done. The
endpoint that they are compared with is `async def empty(): return {}` under uvicorn, with the same parser of HTTP, in
turn with ours. 304 is the answer to `If-None-Match`.

The watchers read the stream of events of a job of `true` while it runs. CPU time is that of supervisor and engine
together, without the items; two jobs that nobody watches show how much equal runs differ.

The upload is one `curl` at the Unix socket, and the commit is as durable as that of `jobctl submit`.
"""
ROOT = Path(__file__).parents[1]
#: A smaller difference cannot be told from that of two equal runs.
_NOISE = 1.05
_WATCHERS = 1_000
_SETTINGS = """
[recipe.load]
command = ["true", "{id}"]
http = true
hold = true
"""


def run(scale: Scale) -> list[Figure]:
    """Measure polls, watchers and uploads, each with a server of its own."""
    with tempfile.TemporaryDirectory(dir=os.environ.get("BENCH_DIR")) as folder:
        bench = _Bench(Path(folder))
        return [*_polls(bench, scale), *_watchers(bench, scale), *_uploads(bench, scale)]


class _Bench:
    """A folder with settings and stores."""

    def __init__(self, root: Path) -> None:
        self.root = root
        settings = root / "config" / "jobctl"
        settings.mkdir(parents=True)
        (settings / "config.toml").write_text(_SETTINGS)

    def env(self, store: str) -> dict[str, str]:
        """The environment of commands on a store."""
        return environment({"JOBCTL_HOME": str(self.root / store), "XDG_CONFIG_HOME": str(self.root / "config")})

    def call(self, store: str, *words: str) -> str:
        """Run a command and return its output."""
        argv = [*peers.jobctl(), *words]
        return subprocess.run(
            argv, env=self.env(store), cwd=self.root, check=True, capture_output=True, text=True
        ).stdout.strip()

    @contextlib.contextmanager
    def serving(self, store: str) -> Iterator[_Served]:
        """Run ``jobctl serve`` with a token that has no limit worth mentioning."""
        made = self.call(
            store, "serve", "token", "add", "bench", "--scope", "control", "--all", "--rate", "1000000/s", "--json"
        )
        argv = [*peers.jobctl(), "--json", "serve", "--listen", "127.0.0.1:0"]
        server = subprocess.Popen(argv, env=self.env(store), cwd=self.root, stdout=subprocess.PIPE, text=True)
        try:
            assert server.stdout is not None
            yield _Served(server.pid, json.loads(server.stdout.readline()), _token_in(json.loads(made)))
        finally:
            server.terminate()
            server.wait(60)


def _token_in(document: dict[str, object]) -> str:
    return next(str(value) for value in document.values() if str(value).startswith("jobctl_"))


class _Served:
    """A running server."""

    def __init__(self, pid: int, ready: dict[str, object], token: str) -> None:
        self.pid = pid
        urls = ready["urls"]
        assert isinstance(urls, list)
        self.url = str(urls[0]).rstrip("/")
        self.socket = str(ready["socket"])
        self.token = token


def _polls(bench: _Bench, scale: Scale) -> Iterator[Figure]:
    names = ("GET /v1/jobs/1, of an empty endpoint", "304 of it, of an empty endpoint")
    if not peers.program("wrk"):
        yield from (peers.missing(name, "wrk") for name in names)
        return
    (bench.root / "few.txt").write_text("".join(f"{n}\n" for n in range(20)))
    bench.call("polls", "run", "few.txt", "-q", "--", "true")
    with bench.serving("polls") as served, _empty_endpoint() as empty:
        token = f"Authorization: Bearer {served.token}"
        url = f"{served.url}/v1/jobs/1"
        with urllib.request.urlopen(
            urllib.request.Request(url, headers={"Authorization": token.split(": ")[1]})
        ) as answer:
            etag = answer.headers["ETag"]
        seconds = scale.of(5, 2)
        acts = [
            _requests(url, seconds, token),
            _requests(url, seconds, token, f"If-None-Match: {etag}"),
            _requests(empty, seconds),
        ]
        full, known, theirs = compare_all(acts, scale.pairs)
    for name, ours, target in zip(names, (full, known), (0.5, 0.7), strict=True):
        pair = Paired(ours, theirs)
        detail = f"{statistics.median(ours):,.0f}/s against {statistics.median(theirs):,.0f}/s; {len(ours)} pairs"
        yield Figure(name, pair.ratio, "x", target, True, detail)


def _requests(url: str, seconds: int, *headers: str) -> Callable[[], float]:
    words = [word for header in headers for word in ("-H", header)]

    def measured() -> float:
        argv = [peers.program("wrk"), "-t1", "-c8", f"-d{seconds}s", *words, url]
        said = subprocess.run(argv, check=True, capture_output=True, text=True).stdout
        found = re.search(r"Requests/sec:\s+([0-9.]+)", said)
        if found is None or "Socket errors" in said:
            raise RuntimeError(said)
        return float(found[1])

    return measured


@contextlib.contextmanager
def _empty_endpoint() -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    argv = [sys.executable, "-m", "benchmarks._empty_endpoint", str(port)]
    server = subprocess.Popen(argv, cwd=ROOT, env=environment({}))
    try:
        _wait_for(port)
        yield f"http://127.0.0.1:{port}/"
    finally:
        server.terminate()
        server.wait(60)


def _wait_for(port: int) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
            return
        time.sleep(0.05)
    raise RuntimeError("the empty endpoint does not start")


def _watchers(bench: _Bench, scale: Scale) -> Iterator[Figure]:
    rows, watchers = scale.of(3_000, 800), scale.of(_WATCHERS, 100)
    (bench.root / "rows.txt").write_text("".join(f"{n}\n" for n in range(rows)))
    bench.call("watched", "daemon", "start", "--slots", "2")
    try:
        daemon = json.loads(bench.call("watched", "daemon", "status", "--json"))["pid"]
        pids = [daemon, *_children(daemon)]
        with bench.serving("watched") as served:
            idle_kib = peak_kib(served.pid)
            counts = [watchers, 0, 0]
            taken = compare_all([_job(bench, served, pids, count) for count in counts], scale.of(7, 3))
            most_kib = peak_kib(served.pid)
    finally:
        bench.call("watched", "daemon", "stop", "--now")
    watched, alone, again = taken
    name = f"CPU of the daemon, {rows:,} rows, {watchers:,} watchers"
    yield Paired(watched, alone).figure(name, _NOISE, "µs", rows / 1e6)
    yield Paired(again, alone).figure("the same, two jobs that nobody watches", None, "µs", rows / 1e6)
    detail = f"{idle_kib / 1024:.0f} MiB without a watcher"
    yield Figure(f"largest memory of the server, {watchers:,} watchers", most_kib / 1024, "MiB", 150, detail=detail)


def _job(bench: _Bench, served: _Served, pids: list[int], watchers: int) -> Callable[[], float]:
    """Run a job under the eyes of watchers; the value is the CPU time of the daemon in seconds."""

    def run_one() -> float:
        job = bench.call("watched", "submit", "rows.txt", "-q", "--hold", "--", "true")
        with _watching(served, job, watchers) if watchers else contextlib.nullcontext():
            before = sum(map(_cpu_s, pids))
            bench.call("watched", "resume", job)
            bench.call("watched", "wait", job)
            return sum(map(_cpu_s, pids)) - before

    return run_one


@contextlib.contextmanager
def _watching(served: _Served, job: str, count: int) -> Iterator[None]:
    host, _, port = served.url.removeprefix("http://").rpartition(":")
    argv = [
        sys.executable,
        "-m",
        "benchmarks._watchers",
        host,
        port,
        f"/v1/jobs/{job}/events",
        served.token,
        str(count),
    ]
    clients = subprocess.Popen(argv, cwd=ROOT, env=environment({}), stdout=subprocess.PIPE, text=True)
    assert clients.stdout is not None
    if clients.stdout.readline() != "ready\n":
        raise RuntimeError("the watchers have no streams")
    yield
    received, _ = clients.communicate(timeout=120)
    if int(received or 0) < 3 * count:  # it was submitted, resumed, and has ended
        raise RuntimeError(f"{count} watchers have received {received} events")


def _uploads(bench: _Bench, scale: Scale) -> Iterator[Figure]:
    rows = scale.of(1_000_000, 50_000)
    name = f"{rows:,} rows by POST, of jobctl submit"
    if not peers.program("curl"):
        yield peers.missing(name, "curl")
        return
    path = bench.root / "plain.csv"
    with open(path, "w", encoding="utf-8") as file:
        file.write("id,url,text\n")
        file.writelines(f"{n},https://example.org/items/{n},item number {n}\n" for n in range(1, rows + 1))
    with bench.serving("uploads") as served:
        pair = compare(lambda: _post(served, path), lambda: _submit(bench, path), scale.pairs)
        most_kib = peak_kib(served.pid)
    yield pair.figure(name, 1.3, "s")
    yield Figure(f"largest memory of the server, {rows:,} rows", most_kib / 1024, "MiB", 200)


def _post(served: _Served, path: Path) -> float:
    url = "http://jobctl/v1/recipes/load/jobs"
    options = [
        "--unix-socket",
        served.socket,
        "-sS",
        "--fail-with-body",
        "-X",
        "POST",
        "-T",
        str(path),
        "-o",
        os.devnull,
    ]
    return measure([peers.program("curl"), *options, "-H", "Content-Type: text/csv", "-H", "Expect:", url]).wall_s


def _submit(bench: _Bench, path: Path) -> float:
    argv = [*peers.jobctl(), "submit", str(path), "-q", "--hold", "--", "true", "{id}"]
    return measure(argv, env=bench.env("uploads"), cwd=bench.root).wall_s


def _children(pid: int) -> list[int]:
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _cpu_s(pid: int) -> float:
    """Return the CPU seconds of a process without its children, to the nanosecond."""
    threads = Path(f"/proc/{pid}/task").glob("*/schedstat")
    return sum(int(thread.read_text().split()[0]) for thread in threads) / 1e9
