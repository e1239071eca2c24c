"""Writes RESULTS.md: one section per benchmark, with its machine and commit. Each section can be replaced alone."""

from __future__ import annotations

import datetime
import os
import platform
import re
import subprocess
from collections.abc import Sequence
from pathlib import Path

from benchmarks.figure import Figure
from jobctl.store import sqlite

ROOT = Path(__file__).parents[1]
PATH = Path(__file__).with_name("RESULTS.md")
_HEAD = """# Results

`python -m benchmarks` writes this page, with one section for each benchmark. Ratios are medians of paired, alternating
runs. Absolute times depend on the machine and on its other work.
"""
_SECTION = re.compile(r"(?=^## )", re.MULTILINE)


def save(name: str, title: str, figures: Sequence[Figure], notes: str, path: Path = PATH) -> None:
    """Replace or add the section of one benchmark; sections are in the order of their names."""
    text = path.read_text() if path.exists() else _HEAD
    head, *sections = _SECTION.split(text)
    by_name = {section[3:].split(":", 1)[0]: section.rstrip() + "\n" for section in sections}
    by_name[name] = section_text(name, title, figures, notes)
    path.write_text("\n".join([head.rstrip() + "\n", *(by_name[key] for key in sorted(by_name))]))


def section_text(name: str, title: str, figures: Sequence[Figure], notes: str) -> str:
    """Return the section of a benchmark as Markdown."""
    rows = [f"| {_cell(f.name)} | {f.shown} | {f.goal} | {f.verdict} | {_cell(f.detail)} |" for f in figures]
    table = "\n".join(["| figure | value | target | verdict | measured |", "|---|---:|---:|---|---|", *rows])
    parts = [f"## {name}: {title}\n", f"{provenance()}\n", f"{table}\n"]
    return "\n".join([*parts, f"{notes.strip()}\n"] if notes.strip() else parts)


def provenance() -> str:
    """Return the commit, the day and the kind of machine, without its name."""
    day = datetime.datetime.now(datetime.UTC).date().isoformat()
    system = f"{platform.system()} {platform.release().split('-')[0]} {platform.machine()}"
    software = f"Python {platform.python_version()}, SQLite {'.'.join(map(str, sqlite.VERSION))}"
    busy = f"load average {os.getloadavg()[1]:.0f}"
    return f"Commit {_commit()}, {day}; {os.cpu_count()} cores ({busy}), {system}, {software}."


def _commit() -> str:
    def git(*words: str) -> str:
        return subprocess.run(["git", "-C", ROOT, *words], capture_output=True, text=True, check=True).stdout.strip()

    try:
        changed = git("status", "--porcelain", "--untracked-files=no", "--", "jobctl")
        return git("rev-parse", "--short", "HEAD") + (" with changes" if changed else "")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
