"""Finds the programs and packages that jobctl is compared with."""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
from pathlib import Path

from benchmarks.figure import Figure

#: Programs by the name that figures use, and the Debian package that has them.
PROGRAMS = {
    "xargs": ("xargs", "findutils"),
    "make": ("make", "make"),
    "GNU parallel": ("parallel", "parallel"),
    "task-spooler": ("tsp", "task-spooler"),
    "Redis": ("redis-server", "redis-server"),
    "wrk": ("wrk", "wrk"),
    "curl": ("curl", "curl"),
}
#: Python packages, all of the extra ``bench``.
PACKAGES = {"HyperQueue": "hyperqueue", "huey": "huey", "celery": "celery", "redis-py": "redis"}


def program(name: str) -> str:
    """Return the path of a program; empty if it is not installed."""
    return shutil.which(PROGRAMS[name][0], path=os.environ.get("PATH", os.defpath)) or ""


def is_here(name: str) -> bool:
    """Return True if a program or package is installed."""
    return bool(program(name)) if name in PROGRAMS else importlib.util.find_spec(PACKAGES[name]) is not None


def missing(figure: str, peer: str, unit: str = "x") -> Figure:
    """Return the figure to print if the program or package that it needs is missing."""
    source = f"apt install {PROGRAMS[peer][1]}" if peer in PROGRAMS else "pip install 'jobctl[bench]'"
    return Figure(figure, None, unit, detail=f"{peer} is not installed: {source}")


def jobctl() -> list[str]:
    """Return the command line of this jobctl as a user starts it."""
    script = Path(sys.executable).with_name("jobctl")
    return [str(script)] if script.exists() else [sys.executable, "-m", "jobctl"]
