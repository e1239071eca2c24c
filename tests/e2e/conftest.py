"""A store of its own per test, the installed ``jobctl``, and nothing left behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from jobctl.config import Home
from jobctl.process import moment
from jobctl.process.daemon_handle import DaemonHandle, lock_holder
from jobctl.process.start_options import StartOptions
from jobctl.process.sweep import sweep
from jobctl.services.status.document import job_document
from jobctl.store.opening.open import open_database
from tests import forking
from tests.wait import wait_until

PATIENCE_S = 60


class Cli:
    """The command in a store of its own."""

    #: Commands are forked from a process that has loaded jobctl; otherwise each one starts the installed program.
    forks = True

    def __init__(self, root: Path, work: Path) -> None:
        self.home = Home(root)
        self.work = work
        self.env = {
            "PATH": os.environ["PATH"],
            "HOME": str(work),
            "LANG": "C.UTF-8",
            "JOBCTL_HOME": str(root),
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        self.program = [sys.executable, "-m", "jobctl"]
        script = Path(sysconfig.get_path("scripts")) / "jobctl"
        if script.exists():
            self.program = [str(script)]

    def __call__(self, *args, check=0, stdin=None, env=None, timeout=PATIENCE_S):
        """Run a command; ``check`` is the exit code it must have (None = any)."""
        words, env = list(map(str, args)), self.env | (env or {})
        if self.forks and forking.can_fork(env):
            done = forking.run(words, stdin=stdin, cwd=self.work, env=env, timeout=timeout)
        else:
            done = self._start_and_wait(words, stdin, env, timeout)
        if check is not None:
            assert done.returncode == check, f"{args}: exit {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done

    def _start_and_wait(self, words, stdin, env, timeout):
        return subprocess.run(
            [*self.program, *words],
            input=stdin,
            stdin=subprocess.DEVNULL if stdin is None else None,
            capture_output=True,
            text=True,
            errors="surrogateescape",
            cwd=self.work,
            env=env,
            timeout=timeout,
        )

    def start(self, *args, **options):
        """Start a command and do not wait for it."""
        return subprocess.Popen(
            [*self.program, *map(str, args)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=self.work,
            env=self.env,
            **options,
        )

    def shell(self, text):
        """Run a line as a person types it into a shell."""
        return subprocess.run(
            ["/bin/sh", "-c", text],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            cwd=self.work,
            env=self.env,
            timeout=PATIENCE_S,
        )

    def submit(self, *args, **options):
        """Submit; the job's number."""
        return int(self("submit", *args, **options).stdout)

    def status(self, job):
        """The status document of a job."""
        return json.loads(self("status", job, "--json", check=None).stdout)

    def document(self, job):
        """The status document of a job, read in this process: for waits, which look many times."""
        database = open_database(self.home)
        try:
            return job_document(database, self.home, job, moment.now())
        finally:
            database.close()

    def file(self, name, text):
        """Write an input file."""
        path = self.work / name
        path.write_text(text, encoding="utf-8")
        return path

    def rows(self, sql, *parameters):
        """Look into the store."""
        database = open_database(self.home)
        try:
            return database.execute(sql, parameters).fetchall()
        finally:
            database.close()

    def daemon_pid(self):
        """The supervisor."""
        return lock_holder(self.home.lock)

    def engine_pid(self):
        """The engine."""
        return self.rows("SELECT engine_pid FROM daemon")[0][0]

    def wait_state(self, job, *states):
        """Wait until the job is in one of these states."""
        found = []

        def reached():
            found[:] = self.rows("SELECT state FROM jobs WHERE id = ?", job)
            return found[0][0] in states

        wait_until(reached, PATIENCE_S, f"job {job} to be {' or '.join(states)}")
        return found[0][0]

    def close(self):
        """End whatever runs for this store."""
        daemon = DaemonHandle.find(self.home.lock) if self.home.root.exists() else None
        if daemon is not None:
            daemon.send(signal.SIGKILL)
            daemon.wait_gone(PATIENCE_S)
            daemon.close()
        if self.home.root.exists():
            assert sweep(StartOptions(self.home, 1).store_id, grace_s=0.1, folder=str(self.home.root)) == []


@pytest.fixture
def cli(tmp_path):
    work = tmp_path / "work"
    work.mkdir()
    made = Cli(tmp_path / "home", work)
    yield made
    made.close()
