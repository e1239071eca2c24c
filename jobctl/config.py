"""The paths of a store, and the number of CPUs. The command line builds a ``Home`` once and passes it down."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

from jobctl.errors import UsageError

#: The file in the results of a job with the rows that were not accepted.
REJECTS = "rejected.csv"


_PLACES = {
    "database": "jobctl.db",
    "lock": "daemon.lock",
    "intakes": "intakes.lock",
    "wake": "wake",
    "serve_lock": "serve.lock",
    "serve_socket": "serve.sock",
    "daemon_log": "daemon.log",
    "logs": "logs",
    "results": "results",
}


@dataclass(frozen=True, slots=True)
class Home:
    """The state directory of one store and the places in it."""

    root: Path
    database: Path = field(init=False, repr=False, compare=False)
    lock: Path = field(init=False, repr=False, compare=False)
    #: Locked, byte by byte, by submissions that write their rows in parts.
    intakes: Path = field(init=False, repr=False, compare=False)
    #: FIFO through which a command wakes the engine.
    wake: Path = field(init=False, repr=False, compare=False)
    #: Locked by the HTTP server, of which a store has at most one.
    serve_lock: Path = field(init=False, repr=False, compare=False)
    serve_socket: Path = field(init=False, repr=False, compare=False)
    daemon_log: Path = field(init=False, repr=False, compare=False)
    logs: Path = field(init=False, repr=False, compare=False)
    results: Path = field(init=False, repr=False, compare=False)
    #: The places that grow while items run; each may be a file system of its own.
    output_places: tuple[Path, Path, Path] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        for name, place in _PLACES.items():
            object.__setattr__(self, name, self.root / place)
        object.__setattr__(self, "output_places", (self.root, self.logs, self.results))

    def job_logs(self, job: int) -> Path:
        return self.logs / str(job)

    def job_results(self, job: int) -> Path:
        return self.results / str(job)

    def job_rejects(self, job: int) -> Path:
        return self.job_results(job) / REJECTS


def find_home(option: str | None = None) -> Home:
    """The store to use: ``--home``, else ``JOBCTL_HOME``, else the user's state directory (XDG).

    Raises UsageError for an empty or relative path: a relative home would mean another queue in every directory.
    """
    chosen = option if option is not None else os.environ.get("JOBCTL_HOME")
    if chosen is None:
        return Home(_default_root())
    if not chosen or not os.path.isabs(os.path.expanduser(chosen)):
        raise UsageError(
            f"the state directory must be an absolute path, not {chosen!r}",
            hint="give --home /path/to/dir or unset JOBCTL_HOME",
        )
    return Home(Path(os.path.expanduser(chosen)))


def _default_root() -> Path:
    from platformdirs import user_state_path

    try:
        root = user_state_path("jobctl", appauthor=False)
    except RuntimeError:  # a user without HOME and without an entry in the list of users
        root = Path("~")
    if not root.is_absolute() or "~" in root.parts[:2]:
        raise UsageError(
            f"there is no home directory for user {os.getuid()}: HOME is not set to an absolute path",
            hint="set JOBCTL_HOME to an absolute path, or give --home /path/to/dir",
        )
    return root


def cpu_count() -> int:
    """The number of CPUs that this process may use, which is the default number of slots."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
