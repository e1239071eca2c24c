"""A large file by POST, compared with ``jobctl submit`` of the same file: a part of the benchmark of HTTP."""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks import peers
from benchmarks.figure import Figure
from benchmarks.pairs import compare
from benchmarks.usage import environment, measure, peak_kib

_RECIPE = '[recipe.load]\ncommand = ["true", "{id}"]\nhttp = true\n'
_PATIENCE_S = 30.0


def figures(rows: int, pairs: int) -> list[Figure]:
    """Measure the time of an upload of so many rows as CSV against that of submit, and the memory of the server."""
    with tempfile.TemporaryDirectory(dir=os.environ.get("BENCH_DIR")) as folder:
        bench = _Bench(Path(folder), rows)
        pair = compare(bench.post_s, bench.submit_s, pairs)
        return [
            pair.figure(f"{rows:,} rows of CSV by POST, of submit", 1.3, "µs", rows / 1e6),
            Figure(f"largest memory of the server, {rows:,} rows by POST", max(bench.memory) / 1024, "MiB", 200),
        ]


class _Bench:
    """A file, and the two ways to accept it, each into a new store."""

    def __init__(self, root: Path, rows: int) -> None:
        self._root = root
        self._path = root / "rows.csv"
        self.memory: list[int] = []
        with open(self._path, "w", encoding="utf-8") as file:
            file.write("id,url,text\n")
            file.writelines(f"{n},https://example.org/items/{n},item number {n}\n" for n in range(rows))
        config = root / "config" / "jobctl"
        config.mkdir(parents=True)
        (config / "config.toml").write_text(_RECIPE, encoding="utf-8")

    def submit_s(self) -> float:
        """Submit the file; returns the seconds."""
        with tempfile.TemporaryDirectory(dir=self._root) as store:
            argv = [*peers.jobctl(), "submit", str(self._path), "-q", "--recipe", "load"]
            return measure(argv, env=self._env(store), cwd=self._root).wall_s

    def post_s(self) -> float:
        """Send the file to a server that runs; returns the seconds until its answer."""
        address = "http://jobctl/v1/recipes/load/jobs"
        with tempfile.TemporaryDirectory(dir=self._root) as store, self._serving(store) as (server, socket):
            argv = ["curl", "-fsS", "--unix-socket", socket, "-H", "Content-Type: text/csv", "-H", "Expect:"]
            used = measure([*argv, "-X", "POST", "-T", str(self._path), address])
            self.memory.append(peak_kib(server))
            return used.wall_s

    @contextmanager
    def _serving(self, store: str) -> Iterator[tuple[int, str]]:
        with tempfile.TemporaryDirectory(prefix="jobctl-") as folder:  # the path of a socket is short
            socket = f"{folder}/s"
            argv = [*peers.jobctl(), "serve", "--no-tcp", "--socket", socket, "-q"]
            server = subprocess.Popen(argv, env=environment(self._env(store)), cwd=self._root)
            try:
                until = time.monotonic() + _PATIENCE_S
                while not os.path.exists(socket) and time.monotonic() < until:
                    time.sleep(0.05)
                yield server.pid, socket
            finally:
                server.terminate()
                server.wait(_PATIENCE_S)

    def _env(self, store: str) -> dict[str, str]:
        return {"JOBCTL_HOME": store, "XDG_CONFIG_HOME": str(self._root / "config")}
