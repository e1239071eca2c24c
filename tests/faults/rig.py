"""One store under test: the installed program, a workload, a witness outside the store, and ways to hurt it."""

from __future__ import annotations

import contextlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

from jobctl.config import Home
from jobctl.errors import JobctlError
from jobctl.process import lock
from jobctl.process.daemon import start_detached
from jobctl.process.start_options import StartOptions
from jobctl.process.sweep import sweep
from jobctl.store import sqlite
from jobctl.store.opening.open import open_database
from tests.faults import proc
from tests.wait import wait_until

ITEM = Path(__file__).with_name("item.sh")
UNDO = Path(__file__).with_name("undo.sh")
PATIENCE_S = 120.0
SLOTS = 6
#: Of an item that fails by itself.
ATTEMPTS = 2
#: (kind, weight) of the items of a job.
MIX = (("true", 70), ("nap", 12), ("long", 2), ("fail", 8), ("big", 3), ("escape", 3), ("stubborn", 2))
#: Items that change user, limits, session or parent, stall, leave children and write anywhere.
HOSTILE = (
    *(("true", 30), ("user", 8), ("user_session", 6), ("limits", 8), ("limits_parent", 8), ("session_parent", 8)),
    *(("background", 8), ("daemon", 8), ("stall", 6), ("deaf", 6), ("scribble", 6), ("nested", 6), ("fail", 6)),
)
#: (what a call does, weight).
CALLS = (("true", 84), ("nap", 4), ("fail", 5), ("exit", 2), ("die", 1), ("scribble", 2), ("nested", 1), ("child", 1))
#: Ways of an item that ends at once and leaves nothing: for faults that want many commits, not many processes.
QUICK = (("true", 90), ("fail", 10))


class Skip(Exception):
    """This machine cannot run the trial; the text says what it lacks."""


@dataclass(frozen=True)
class Accepted:
    """A job whose number was printed."""

    job: int
    rows: int
    at_most_once: bool = False
    calls: bool = False  # of a function, in warm workers: they do not know their attempt
    undo_of: int = 0  # the job whose rows it takes back
    is_undone: bool = False  # at the end of the trial, every row that succeeded must have been taken back


class Seen(NamedTuple):
    """A line that an item wrote."""

    word: str  # start, end, overlap
    job: int
    item: int
    attempt: int
    pid: int


class TakenBack(NamedTuple):
    """A line that the undo of a row wrote."""

    row: str  # of which job and item
    job: int  # the undo job, and its item
    item: int
    token: str


class Rig:
    """A store, its daemon and its witness."""

    def __init__(self, rng: random.Random, number: int = 0) -> None:
        self.place = Path(tempfile.mkdtemp(prefix="jobctl-faults-"))
        self.rng = rng
        self.number = number
        self.home = Home(self.place / "home")
        (self.place / "alive").mkdir()
        self.place.chmod(0o711)  # items may be of another user
        self.env = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.place),
            "LANG": "C.UTF-8",
            "JOBCTL_HOME": str(self.home.root),
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONPATH": os.pathsep.join(filter(None, map(os.path.abspath, sys.path))),
        }
        self.launcher: tuple[str, ...] = ()  # in front of the command that starts a daemon
        self.accepted: list[Accepted] = []
        self.notes: list[str] = []  # violations seen while the trial ran

    def put_on(self, directory: Path) -> None:
        """Keep the store there instead."""
        self.home = Home(directory / "home")
        self.env["JOBCTL_HOME"] = str(self.home.root)

    # ---- commands ----

    def command(self, *words: object) -> list[str]:
        """The command line of a command on this store."""
        return [sys.executable, "-m", "jobctl", *map(str, words)]

    def jobctl(self, *words: object, timeout: float = PATIENCE_S) -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        return subprocess.run(
            self.command(*words),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            cwd=self.place,
            env=self.env,
            timeout=timeout,
        )

    def begin(self, *words: object, stdout: int = subprocess.DEVNULL) -> subprocess.Popen[str]:
        """Start a command and go on; what it complains about can be read."""
        return subprocess.Popen(
            self.command(*words),
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=subprocess.PIPE,
            text=True,
            cwd=self.place,
            env=self.env,
        )

    def rows_file(self, count: int, mix: tuple[tuple[str, int], ...] = MIX) -> Path:
        """An input file of ``count`` rows whose kinds are drawn from a mix."""
        kinds = self.rng.choices([kind for kind, _ in mix], [weight for _, weight in mix], k=count)
        path = self.place / f"rows{len(list(self.place.glob('rows*')))}.csv"
        path.write_text("kind,id\n" + "".join(f"{kind},{number}\n" for number, kind in enumerate(kinds)))
        return path

    def submit_words(self, rows: Path, *options: str) -> list[str]:
        """The arguments that submit a file of items."""
        defaults = ("--attempts", str(ATTEMPTS), "--backoff", "0.02sx1", "--grace", "0.3s", "--cwd", str(self.place))
        if "--leftovers" not in options:
            defaults += ("--leftovers", "end")  # some of them leave a process that lasts
        return [
            "submit",
            str(rows),
            *defaults,
            *options,
            "--",
            "sh",
            str(ITEM),
            "{kind}",
            "{#}",
            str(self.place),
            "faults.item",
        ]

    def submit(self, count: int = 120, *options: str, mix: tuple[tuple[str, int], ...] = MIX) -> Accepted:
        """Submit a job and keep that it was acknowledged."""
        done = self.jobctl(*self.submit_words(self.rows_file(count, mix), *options))
        assert done.returncode == 0, f"submit: exit {done.returncode}: {done.stderr}"
        return self.acknowledge(done.stdout, count, at_most_once="--on-crash" in options)

    def submit_calls(self, count: int) -> Accepted:
        """Submit calls of a function in the same way."""
        shutil.copy(ITEM.with_name("called.py"), self.place)
        number = 1 + max((accepted.job for accepted in self.accepted), default=0)
        options = ("--call", "called:work", "--env", f"CAMPAIGN_JOB={number}", "--grace", "0.3s")
        retries = ("--attempts", ATTEMPTS, "--backoff", "0.02sx1", "--cwd", self.place)
        done = self.jobctl("submit", self.rows_file(count, CALLS), *options, *retries)
        assert done.returncode == 0, f"submit: exit {done.returncode}: {done.stderr}"
        return self.acknowledge(done.stdout, count, calls=True)

    def acknowledge(self, stdout: str, count: int, *, at_most_once: bool = False, calls: bool = False) -> Accepted:
        """A number was printed: from now on the job must exist."""
        accepted = Accepted(int(stdout), count, at_most_once, calls)
        self.accepted.append(accepted)
        return accepted

    def submit_with_undo(self, count: int, *options: str, mix: tuple[tuple[str, int], ...]) -> Accepted:
        """Submit a job whose rows ``undo.sh`` takes back."""
        accepted = self.submit(count, "--undo", f"sh {UNDO} {{#}} {self.place}", *options, mix=mix)
        self.accepted[-1] = replace(accepted, is_undone=True)
        return self.accepted[-1]

    def acknowledge_undo_jobs(self, job: int) -> list[int]:
        """Keep that the undo jobs of a job exist that were not known yet; the numbers of all of them."""
        known = {accepted.job for accepted in self.accepted}
        found = self.rows("SELECT id, total FROM jobs WHERE undo_of = ? ORDER BY id", job)
        self.accepted += [Accepted(number, rows, undo_of=job) for number, rows in found if number not in known]
        return [number for number, _ in found]

    # ---- the daemon ----

    def start(self, *, engine: tuple[str, ...] = (), slots: int = SLOTS) -> int:
        """Start a daemon, its engine by the words ``engine`` in front; the supervisor's pid."""
        if self.launcher:
            return self._launch()
        open_database(self.home, create=True).close()
        options = StartOptions(self.home, slots)
        if engine:
            words = options.supervisor_argv()
            options = replace(options, engine=(*engine, *words[words.index("--") + 1 :]))
        return start_detached(options)

    def _launch(self) -> int:
        argv = [*self.launcher, *self.command("daemon", "start", "--slots", SLOTS)]
        done = subprocess.run(argv, cwd=self.place, env=self.env, capture_output=True, text=True, timeout=PATIENCE_S)
        if done.returncode:
            raise JobctlError(done.stderr)
        pid = self.supervisor()
        if pid is None:
            raise JobctlError("it was up and is gone already")
        return pid

    def start_again(self, deadline_s: float = PATIENCE_S) -> int:
        """Start a daemon unless one is up, as often as it takes; the supervisor's pid."""
        found: list[int] = []

        def is_up() -> bool:
            reap()
            pid = self.supervisor()
            if pid is None:
                try:
                    pid = self.start()
                except JobctlError:
                    return False
            found[:] = [pid]
            return True

        wait_until(is_up, deadline_s, "a daemon to be up")
        return found[0]

    def supervisor(self) -> int | None:
        """Holder of the daemon lock."""
        return lock.holder(str(self.home.lock)) or None

    def engine(self) -> int | None:
        """The engine's process, found among the children of the supervisor."""
        supervisor = self.supervisor()
        for pid in [] if supervisor is None else proc.children(supervisor):
            if proc.variable(pid, "JOBCTL_ENGINE") is not None and not proc.is_dead(pid):
                return pid
        return None

    def whole_tree(self) -> list[int]:
        """Supervisor, engine and every process below them."""
        supervisor = self.supervisor()
        return [] if supervisor is None else proc.family(supervisor)

    def wait_down(self) -> None:
        """Wait until no process has the lock."""
        wait_until(lambda: self.supervisor() is None, PATIENCE_S, "the lock to be free")

    # ---- looking ----

    def rows(self, sql: str, *parameters: object) -> list[tuple]:
        """Look into the database, through the one way of opening it."""
        database = open_database(self.home)
        try:
            return database.execute(sql, parameters).fetchall()
        finally:
            database.close()

    def is_done(self) -> bool:
        """Whether every accepted job is terminal."""
        try:
            states = dict(self.rows("SELECT id, finished_at IS NOT NULL FROM jobs"))
        except sqlite.OperationalError:
            return False
        return all(states.get(accepted.job, 1) for accepted in self.accepted)

    def wait_done(self, deadline_s: float = PATIENCE_S) -> None:
        """Wait until every accepted job is terminal; a daemon that has ended meanwhile is a violation of its own."""
        try:
            wait_until(self.is_done, deadline_s, "the jobs to end")
        except AssertionError as late:
            raise AssertionError(f"{late}\n{self.picture()}") from None

    def picture(self) -> str:
        """The facts that a person would look at first."""
        jobs = (
            "SELECT id, state, queued, running, retrying, succeeded, failed, stop FROM jobs WHERE finished_at IS NULL"
        )
        live = "SELECT job, item, state, attempt, epoch, due_at FROM items WHERE state < 3 LIMIT 5"
        daemon = "SELECT pid, engine_pid, state, heartbeat_at, pressure FROM daemon"
        found = [str(self.rows(sql)) for sql in (jobs, live, daemon)]
        found.append(f"now {time.time_ns() // 1000}, supervisor {self.supervisor()}, engine {self.engine()}")
        found += [f"{pid} {proc.stat_of(pid)[:1]} {proc.command(pid)}" for pid in self.whole_tree()]
        return "\n".join([*found, self.home.daemon_log.read_text()[-1500:]])

    def finished(self) -> int:
        """Attempts that are over, as far as the witness can tell."""
        return sum(seen.word == "end" for seen in self.witness())

    def witness(self) -> list[Seen]:
        """The lines of the items, in the order in which they were written."""
        try:
            text = (self.place / "witness").read_text()
        except FileNotFoundError:
            return []
        lines = (line.split() for line in text.splitlines())
        return [Seen(word, *map(int, numbers)) for word, *numbers in lines]

    def taken_back(self) -> list[TakenBack]:
        """The lines of ``undo.sh``, in the order in which they were written."""
        path = self.place / "undone"
        lines = (line.split() for line in path.read_text().splitlines()) if path.exists() else iter(())
        return [TakenBack(row, int(job), int(item), token) for row, job, item, token in lines]

    def recorded(self) -> set[tuple]:
        """Every recorded outcome: what a reader saw is promised to stay."""
        return set(self.rows("SELECT job, item, attempt, ending, code FROM attempts WHERE ending IS NOT NULL"))

    def status(self, job: int) -> dict:
        """The status document of a job."""
        return json.loads(self.jobctl("status", job, "--json").stdout)

    def leftovers(self) -> list[int]:
        """Living processes of this store that are not its daemon: by cookie, by tag and by their command line."""
        store, daemon = self.store_id(), (self.supervisor(), self.engine())
        mark = f"{self.place}/alive/hostile."
        carriers = [
            pid
            for pid in proc.all_pids()
            if pid not in daemon and (proc.belongs(pid, store) or proc.mentions(pid, mark))
        ]
        return [pid for pid in carriers if not proc.is_dead(pid) and "strace" not in proc.command(pid)]

    def store_id(self) -> str:
        """The mark that the processes of this store carry."""
        return StartOptions(self.home, 1).store_id

    # ---- the end ----

    def close(self, *, keep: bool = False) -> None:
        """End whatever is left and remove the store."""
        with contextlib.suppress(OSError):
            for pid in self.whole_tree():
                kill(pid)
            if self.home.root.exists():
                sweep(self.store_id(), grace_s=0.0, folder=str(self.home.root))
        reap()
        if not keep:
            shutil.rmtree(self.place, ignore_errors=True)


def kill(pid: int | None, number: int = signal.SIGKILL) -> None:
    """Signal a process that may be gone; a SIGKILL has done its work when this returns."""
    if pid:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
        if number == signal.SIGKILL:
            wait_until(lambda: proc.is_dead(pid), PATIENCE_S, f"the end of process {pid}")


def nothing_spent(rig: Rig, own_codes: tuple[int, ...] = (0, 3), killed_by: tuple[int, ...] = ()) -> None:
    """Note every recorded attempt that the item did not end itself: such an end must not count as its failure."""
    for item, attempt, ending, code, message in rig.rows("SELECT item, attempt, ending, code, message FROM attempts"):
        if not (ending == 0 and code in own_codes) and not (ending == 1 and code in killed_by):
            rig.notes.append(f"item {item}: attempt {attempt} was spent: ending {ending}, code {code}, {message}")


def reap() -> None:
    """Take in the ends of daemons whose parent we are or have become."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def need(program: str) -> str:
    """Path of a program; Skip when the machine does not have it."""
    found = shutil.which(program)
    if found is None:
        raise Skip(f"no {program} here")
    return found


def need_root() -> None:
    """Skip unless we may mount."""
    if os.geteuid() != 0:
        raise Skip("needs root")


def pause(rng: random.Random, longest_s: float) -> None:
    """Let a random time pass: the moment of the fault is what a trial varies."""
    time.sleep(rng.uniform(0.0, longest_s))
