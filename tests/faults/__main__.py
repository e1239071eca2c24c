"""``python -m tests.faults --trials N --seed S [--only T1,T4] [--full]``: hurt jobctl and look.

Without ``--trials`` and ``--full`` a few trials of everything are run, in less than five minutes.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import sys
import time
from dataclasses import asdict
from pathlib import Path

from tests.faults import catalogue
from tests.faults.campaign import FAULTS, Fault, Tally, adopt_orphans, run_fault, table
from tests.faults.rig import Skip


def main() -> int:
    """Run what was asked for; 1 when anything was violated."""
    options = _parse()
    if options.table:
        print(table(_read(options.table)))
        return 0
    chosen = _chosen(options.only)
    adopt_orphans()
    print(f"seed {options.seed}, {time.strftime('%Y-%m-%d')}, {os.uname().release}, {os.cpu_count()} CPUs", flush=True)
    tallies = []
    for fault in chosen:
        count = _count(fault, options)
        if not count:
            continue
        tally = run_fault(fault, range(options.first, options.first + count), options.seed, options.jobs)
        _say(tally)
        tallies.append(tally)
        if options.out:
            with options.out.open("a", encoding="utf-8") as file:
                file.write(json.dumps(asdict(tally)) + "\n")
    print("\n" + table(tallies))
    return int(any(tally.bad for tally in tallies))


def _read(paths: list[Path]) -> list[Tally]:
    """Tallies of one or more runs, in the order of the catalogue; trials of one fault are added up."""
    found: dict[str, Tally] = {}
    for line in "".join(path.read_text(encoding="utf-8") for path in paths).splitlines():
        tally = Tally(**json.loads(line))
        known = found.setdefault(tally.name, Tally(tally.name, tally.what))
        known.trials += tally.trials
        known.seconds += tally.seconds
        known.skipped = known.skipped or tally.skipped
        known.bad += tally.bad
        for name, values in tally.figures.items():
            known.figures.setdefault(name, []).extend(values)
    return [found[name] for name in FAULTS if name in found]


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--trials", type=int, help="of each fault")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 31))
    parser.add_argument("--only", help=f"some of: {', '.join(catalogue.NAMES)}; T3 means all that begin so")
    parser.add_argument("--first", type=int, default=0, help="number of the first trial, to repeat one")
    parser.add_argument("--jobs", type=int, default=1, help="trials at a time (default 1)")
    parser.add_argument("--full", action="store_true", help="as many trials of each as the promises ask for")
    parser.add_argument("--out", type=Path, help="append what came of each fault to this file, a line of JSON each")
    parser.add_argument("--table", type=Path, nargs="+", help="run nothing: the table of such files")
    return parser.parse_args()


def _chosen(only: str | None) -> list[Fault]:
    wanted = [name.strip() for name in only.split(",")] if only else [""]
    found = [fault for name, fault in FAULTS.items() if any(_means(word, name) for word in wanted)]
    if not found:
        sys.exit(f"no such fault; there are: {', '.join(FAULTS)}")
    return found


def _means(word: str, name: str) -> bool:
    return word in ("", name) or name.startswith(f"{word}-")


def _count(fault: Fault, options: argparse.Namespace) -> int:
    # Asked here, before the processes of the trials come to be: they all get one and the same list of crash points.
    try:
        everything = fault.full if isinstance(fault.full, int) else fault.full()
    except Skip:
        return 1  # the trial says it again
    if options.trials is not None:
        return int(options.trials)
    return everything if options.full else fault.sample


def _say(tally: Tally) -> None:
    word = f"skipped: {tally.skipped}" if tally.skipped else f"{tally.trials} trials, {len(tally.bad)} bad"
    print(f"{tally.name:14} {word} in {tally.seconds:.1f} s", flush=True)
    for again, found in tally.bad[:5]:
        print(f"  again: {again}")
        for sentence in found[:6]:
            print("    " + sentence.replace("\n", "\n    "))


if __name__ == "__main__":
    sys.exit(main())
