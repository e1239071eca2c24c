"""kill -9 of the HTTP server, the engine and the supervisor during uploads: an answer is kept, nothing is left over."""

from __future__ import annotations

import os
import queue
import random
import signal
import tempfile
import threading
from collections import Counter
from functools import partial

import httpx
import pytest

from jobctl.process.daemon_handle import DaemonHandle
from tests.wait import wait_until

UPLOADS = 200
CLIENTS = 4
KILLS = 12
#: Every upload of this number is written in parts, because it is larger than what is accepted at once.
LARGE = 25
RECIPE = '[recipe.load]\ncommand = ["true", "{id}"]\nhttp = true\n'


class Doorway:
    """A server and a daemon that are killed and started again while clients upload."""

    def __init__(self, cli, folder):
        self.cli = cli
        self.socket = f"{folder}/s"
        self.random = random.Random(17)
        self.begun = threading.Semaphore(0)
        self.left = queue.SimpleQueue()
        self.answered: dict[int, int] = {}  # upload, job
        self.lost: set[int] = set()
        self.failures: list[BaseException] = []
        self._is_over = threading.Event()
        config = cli.work / ".config" / "jobctl"
        config.mkdir(parents=True)
        (config / "config.toml").write_text(RECIPE)
        cli("daemon", "start", "--slots", 4)
        self._serve()

    def _serve(self):
        self.server = self.cli.start("serve", "--socket", self.socket, "--no-tcp", "-q")

    def upload(self, client, number):
        """Send one file; returns its answer, or None if it got none."""
        rows = b"id,text\n" + b"".join(b"%d,%s\n" % (n, b"x" * 90) for n in range(self.rows_of(number)))
        options = {"name": f"u{number}"} | ({"hold": "true"} if number % LARGE == 0 else {})
        headers = {"Content-Type": "text/csv"} | ({"Idempotency-Key": f"u{number}"} if number % 2 else {})
        self.begun.release()
        try:
            return client.post("/v1/recipes/load/jobs", content=rows, params=options, headers=headers)
        except httpx.ConnectError:  # certainly nothing was accepted
            return None
        except httpx.TransportError:
            self.lost.add(number)
            return None

    @staticmethod
    def rows_of(number):
        return 60_000 if number % LARGE == 0 else 1 + number % 3

    def client(self):
        """Upload what is left, each until it has an answer. Without a key, an answer that was lost is not asked for."""
        try:
            with self._http() as client:
                while not self.left.empty():
                    number = self.left.get()
                    wait_until(partial(self._is_settled, client, number), 120, f"upload {number}")
        except BaseException as error:
            self.failures.append(error)

    def _is_settled(self, client, number):
        response = self.upload(client, number)
        if response is None:
            return number in self.lost and not number % 2
        assert response.status_code in (202, 200, 409, 429, 503), response.text
        if not response.is_success:
            return False
        self.answered[number] = response.json()["job"]
        return True

    def _http(self):
        return httpx.Client(transport=httpx.HTTPTransport(uds=self.socket), base_url="http://x", timeout=60)

    def kill_at_random(self):
        for kill in range(KILLS):
            for _ in range(self.random.randint(1, UPLOADS // KILLS)):
                self.begun.acquire(timeout=60)
            self._is_over.wait(self.random.uniform(0, 0.05))
            (self._kill_server, self._kill_engine, self._kill_server, self._kill_supervisor)[kill % 4]()

    def _kill_server(self):
        self.server.kill()
        self.server.communicate()
        self._serve()

    def _kill_engine(self):
        first = self.cli.engine_pid()
        os.kill(first, signal.SIGKILL)
        wait_until(lambda: self.cli.engine_pid() != first, 60, "a new engine")

    def _kill_supervisor(self):
        daemon = DaemonHandle.find(self.cli.home.lock)
        daemon.send(signal.SIGKILL)
        daemon.wait_gone(60)
        daemon.close()
        self.cli("daemon", "start", "--slots", 4)

    def close(self):
        self.server.terminate()
        self.server.communicate(timeout=60)
        assert self.server.returncode == 0


@pytest.fixture
def doorway(cli):
    with tempfile.TemporaryDirectory(prefix="jobctl-") as folder:
        made = Doorway(cli, folder)
        yield made
        if made.server.poll() is None:
            made.server.kill()
            made.server.communicate()


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # httpcore forgets a socket
def test_every_answer_is_a_job_and_nothing_else_is(doorway, cli):
    for number in range(UPLOADS):
        doorway.left.put(number)
    threads = [threading.Thread(target=doorway.client) for _ in range(CLIENTS)]
    for thread in threads:
        thread.start()
    doorway.kill_at_random()
    for thread in threads:
        thread.join(300)
    assert doorway.failures == []
    jobs = {job: (name, total) for job, name, total in cli.rows("SELECT id, name, total FROM jobs")}
    for number, job in doorway.answered.items():
        assert jobs[job] == (f"u{number}", doorway.rows_of(number))
    assert max(Counter(name for name, _ in jobs.values()).values()) == 1
    others = {int(name[1:]) for job, (name, _) in jobs.items() if job not in doorway.answered.values()}
    assert others <= doorway.lost  # their answers were lost on the way, and nobody asked again
    assert all(doorway.answered[number] for number in range(1, UPLOADS, 2))
    doorway.close()
    nothing_is_left(cli)
    ended = "SELECT count(*) FROM jobs WHERE state NOT IN ('succeeded', 'paused')"
    wait_until(lambda: cli.rows(ended) == [(0,)], 120, "the end of the jobs")


def nothing_is_left(cli):
    """No file of an upload, no rows of one that was killed."""
    cli("prune", "--older-than", "30d", "--yes")
    assert cli.rows("SELECT count(*) FROM items WHERE job NOT IN (SELECT id FROM jobs)") == [(0,)]
    assert cli.rows("SELECT count(*) FROM prunings") == [(0,)]
    assert [name for name in os.listdir(cli.home.root) if "upload" in name] == []
    assert cli.rows("PRAGMA integrity_check") == [("ok",)]
