"""Submit: a large file into the store, compared with the least work that Python and SQLite can do for it."""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks import peers
from benchmarks.figure import Figure, Scale
from benchmarks.pairs import Paired, compare
from benchmarks.usage import Usage, measure

TITLE = "large files into the store"
NOTES = """
The times of jobctl include the validation of every row, the fingerprint, and a commit that survives a power cut.

The loops that it is compared with write to the same schema with the same settings and check nothing: `csv.reader` ->
`json.dumps` -> one `executemany` transaction, and `orjson.loads` -> `orjson.dumps` -> the same. The fourth figure
compares the cost of a row at ten times the size.
"""
ROOT = Path(__file__).parents[1]


def run(scale: Scale) -> list[Figure]:
    """Measure three columns as CSV, plain and quoted, and as JSON lines; then ten times as many rows."""
    rows = scale.of(1_000_000, 50_000)
    with tempfile.TemporaryDirectory(dir=os.environ.get("BENCH_DIR")) as folder:
        bench = _Bench(Path(folder), rows)
        figures = [
            bench.against("plain.csv", "csv.reader + json.dumps", 1.2, scale.pairs),
            bench.against("quoted.csv", "csv.reader + json.dumps", 1.2, scale.pairs),
            bench.against("rows.jsonl", "orjson", 2.0, scale.pairs),
        ]
        return [*figures, *bench.growth(10 * rows, 3)]


class _Bench:
    """Files of rows, and the two programs that store them."""

    def __init__(self, root: Path, rows: int) -> None:
        self._root = root
        self._rows = rows
        self._memory: list[int] = []

    def against(self, name: str, peer: str, target: float, pairs: int) -> Figure:
        """Compare our submit of a file with the loop that checks nothing."""
        path = self._make(name, self._rows)
        pair = compare(self._wall(self._submit, path), self._wall(self._bare, path), pairs)
        path.unlink()
        return pair.figure(f"{self._rows:,} rows of {name}, of {peer}", target, "µs", self._rows / 1e6)

    def growth(self, many: int, pairs: int) -> Iterator[Figure]:
        """Compare the cost of a row in a file ten times as large, and measure the memory."""
        small, large = self._make("plain.csv", self._rows), self._make("large.csv", many)
        self._memory.clear()
        taken = [(self._submit(large).wall_s / many, self._submit(small).wall_s / self._rows) for _ in range(pairs)]
        pair = Paired([a for a, _ in taken], [b for _, b in taken])
        yield pair.figure(f"a row of {many:,}, of one of {self._rows:,}", 1.15, "µs", 1e-6)
        yield Figure(f"largest memory, {many:,} rows", max(self._memory) / 1024, "MiB", 150)
        yield Figure(f"rows per second, {many:,} rows", 1 / statistics.median(a for a, _ in taken), "/s")

    def _make(self, name: str, rows: int) -> Path:
        path = self._root / name
        with open(path, "w", encoding="utf-8") as file:
            if not name.endswith(".jsonl"):
                file.write("id,url,text\n")
            file.writelines(map(_LINES[name], range(1, rows + 1)))
        return path

    def _wall(self, act: Callable[[Path], Usage], path: Path) -> Callable[[], float]:
        return lambda: act(path).wall_s

    def _submit(self, path: Path) -> Usage:
        with tempfile.TemporaryDirectory(dir=self._root) as store:
            argv = [*peers.jobctl(), "submit", str(path), "-q", "--", "true", "{id}"]
            usage = measure(argv, env={"JOBCTL_HOME": store}, cwd=self._root)
        self._memory.append(usage.max_rss_kib)
        return usage

    def _bare(self, path: Path) -> Usage:
        with tempfile.TemporaryDirectory(dir=self._root) as store:
            return measure([sys.executable, "-m", "benchmarks._bare_submit", path, store], cwd=ROOT)


def _plain(n: int) -> str:
    return f"{n},https://example.org/items/{n},item number {n}\n"


_LINES: dict[str, Callable[[int], str]] = {
    "plain.csv": _plain,
    "large.csv": _plain,
    "quoted.csv": lambda n: f'{n},"https://example.org/items/{n}","item ""{n}"", of many"\n',
    "rows.jsonl": lambda n: f'{{"id": {n}, "url": "https://example.org/items/{n}", "text": "item number {n}"}}\n',
}
