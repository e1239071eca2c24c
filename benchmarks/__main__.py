"""``python -m benchmarks [NAME...] [--quick] [--list] [--no-save]``: measure, print, write RESULTS.md."""

from __future__ import annotations

import argparse
import importlib
import pkgutil
import sys
import time
from collections.abc import Sequence
from types import ModuleType

import benchmarks
from benchmarks import results
from benchmarks.figure import Figure, Scale


def main() -> int:
    """Run the named benchmarks, or all. Returns 1 if a target was missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="benchmarks to run (default: all)")
    parser.add_argument("--quick", action="store_true", help="fewer rows and pairs; nothing is written")
    parser.add_argument("--list", action="store_true", help="list the benchmarks and exit")
    parser.add_argument("--no-save", action="store_true", help="leave RESULTS.md as it is")
    given = parser.parse_args()
    known = find()
    if given.list:
        width = max(map(len, known))
        print("\n".join(f"{name:<{width}}  {module.TITLE}" for name, module in known.items()))
        return 0
    if strangers := [name for name in given.names if name not in known]:
        parser.error(f"no benchmark {', '.join(strangers)}; there are: {', '.join(known)}")
    scale = Scale(quick=given.quick)
    verdicts = []
    for name in given.names or known:
        figures = measure(name, known[name], scale)
        verdicts += [figure.verdict for figure in figures]
        if not (given.quick or given.no_save):
            results.save(name, known[name].TITLE, figures, getattr(known[name], "NOTES", ""))
    return 1 if "missed" in verdicts else 0


def find() -> dict[str, ModuleType]:
    """Return all benchmarks by name."""
    names = sorted(module.name for module in pkgutil.iter_modules(benchmarks.__path__))
    modules = [importlib.import_module(f"benchmarks.{name}") for name in names if not name.startswith("_")]
    found = [module for module in modules if hasattr(module, "run") and hasattr(module, "TITLE")]
    return {module.__name__.rpartition(".")[2].replace("_", "-"): module for module in found}


def measure(name: str, module: ModuleType, scale: Scale) -> Sequence[Figure]:
    """Run one benchmark and print its figures."""
    print(f"{name}: {module.TITLE}", flush=True)
    began = time.perf_counter()
    figures: Sequence[Figure] = module.run(scale)
    width = max(len(figure.name) for figure in figures)
    for figure in figures:
        print(f"  {figure.name:<{width}}  {figure.shown:>10}  {figure.goal:>12}  {figure.verdict:<12}  {figure.detail}")
    print(f"  ({time.perf_counter() - began:.0f} s)\n", flush=True)
    return figures


if __name__ == "__main__":
    sys.exit(main())
