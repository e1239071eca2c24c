"""``python -m tests.faults --trials N --seed S [--only T1,T4] [--sample] [--full]``: hurt jobctl and look."""

from __future__ import annotations

import argparse
import os
import random
import sys
import time

from tests.faults import catalogue
from tests.faults.campaign import FAULTS, Fault, Tally, adopt_orphans, run_fault, table


def main() -> int:
    """Run what was asked for; 1 when anything was violated."""
    options = _parse()
    chosen = _chosen(options.only)
    adopt_orphans()
    print(f"seed {options.seed}, {time.strftime('%Y-%m-%d')}, {os.uname().release}, {os.cpu_count()} CPUs", flush=True)
    tallies = []
    for fault in chosen:
        tally = run_fault(fault, _count(fault, options), options.seed, options.first)
        _say(tally)
        tallies.append(tally)
    print("\n" + table(tallies))
    return int(any(tally.bad for tally in tallies))


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--trials", type=int, help="of each fault")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 31))
    parser.add_argument("--only", help=f"some of: {', '.join(catalogue.NAMES)}; T3 means all that begin so")
    parser.add_argument("--first", type=int, default=0, help="number of the first trial, to repeat one")
    parser.add_argument("--sample", action="store_true", help="a few trials of everything, less than five minutes")
    parser.add_argument("--full", action="store_true", help="as many trials of each as the promises ask for")
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
    if options.trials is not None:
        return int(options.trials)
    if not options.full:
        return fault.sample
    return fault.full if isinstance(fault.full, int) else fault.full()


def _say(tally: Tally) -> None:
    word = f"skipped: {tally.skipped}" if tally.skipped else f"{tally.trials} trials, {len(tally.bad)} bad"
    print(f"{tally.fault.name:12} {word} in {tally.seconds:.1f} s", flush=True)
    for again, found in tally.bad[:5]:
        print(f"  again: {again}")
        for sentence in found[:6]:
            print("    " + sentence.replace("\n", "\n    "))


if __name__ == "__main__":
    sys.exit(main())
