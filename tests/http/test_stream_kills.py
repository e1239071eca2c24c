"""Watchers of a job while server, engine and supervisor are killed: nothing is lost, and nothing comes twice."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.e2e.conftest import Cli
from tests.http.doors import Program, program
from tests.http.sse import events_of
from tests.wait import wait_until

ROWS = 60
#: A third of the items fails, each of them twice.
ITEM = "n={}; sleep 0.1; test $((n % 3)) != 0"
PATIENCE_S = 120.0
_NO_CONTENT = 204


class Watcher(threading.Thread):
    """Reads the stream of a job as a browser does: after a break it asks again, with the last id that it has."""

    def __init__(self, socket: str, path: str) -> None:
        super().__init__(daemon=True)
        self._socket, self._path = socket, path
        self.events: list[dict] = []
        self.breaks = 0
        self.error = ""

    def run(self) -> None:
        until = time.monotonic() + PATIENCE_S
        while time.monotonic() < until:
            try:
                if self._read() == _NO_CONTENT:
                    return
            except (httpx.TransportError, OSError):  # the server is gone, or is about to come back
                self.breaks += 1
            time.sleep(0.05)
        self.error = "the stream has no end"

    def _read(self) -> int:
        headers = {"Accept": "text/event-stream"}
        if self.events:
            headers["Last-Event-ID"] = str(self.events[-1]["id"])
        transport = httpx.HTTPTransport(uds=self._socket)
        with (
            httpx.Client(transport=transport, base_url="http://jobctl", timeout=PATIENCE_S) as client,
            client.stream("GET", self._path, headers=headers) as response,
        ):
            if response.status_code == 200:
                for event in events_of(response):
                    assert event.id == str(event.data["id"])
                    self.events.append(event.data)
            return response.status_code


@pytest.fixture
def cli(tmp_path: Path) -> Iterator[Cli]:
    work = tmp_path / "work"
    work.mkdir()
    made = Cli(tmp_path / "home", work)
    yield made
    made.close()


def _wait_for(watchers: list[Watcher], count: int) -> None:
    wait_until(lambda: all(len(each.events) >= count for each in watchers), PATIENCE_S, f"{count} events")


@pytest.mark.slow
@pytest.mark.timeout(300)
# httpcore leaves the socket of a connection that is refused to the garbage collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_watchers_lose_and_repeat_nothing_whatever_is_killed(cli: Cli) -> None:
    cli.file("rows.txt", "".join(f"{n}\n" for n in range(1, ROWS + 1)))
    cli.submit("rows.txt", "--attempts", 2, "--backoff", "50ms", "--shell", ITEM)
    with program(cli.home, cli.work, "--no-tcp") as first:
        path = "/v1/jobs/1/events?items=true"
        watchers = [Watcher(first.ready["socket"], path) for _ in range(5)]
        watchers.append(Watcher(first.ready["socket"], "/v1/jobs/1/events"))
        for watcher in watchers:
            watcher.start()
        cli("daemon", "start", "--slots", 4)
        _wait_for(watchers[:5], 8)
        engine = cli.engine_pid()
        os.kill(engine, signal.SIGKILL)
        wait_until(lambda: cli.engine_pid() != engine, PATIENCE_S, "a new engine")
        _wait_for(watchers[:5], 16)
        _kill(first)
    with program(cli.home, cli.work, "--no-tcp"):
        _wait_for(watchers[:5], 24)
        os.kill(cli.daemon_pid(), signal.SIGKILL)
        wait_until(lambda: cli.daemon_pid() is None, PATIENCE_S, "the lock to be free")
        cli("daemon", "start", "--slots", 4)
        cli("wait", 1, check=None, timeout=PATIENCE_S)
        for watcher in watchers:
            watcher.join(PATIENCE_S)
        with httpx.Client(
            transport=httpx.HTTPTransport(uds=str(cli.home.serve_socket)), base_url="http://jobctl", timeout=PATIENCE_S
        ) as client:
            whole = client.get(path).json()["events"]
            lines = client.get("/v1/jobs/1/events").json()["events"]
    assert [watcher.error for watcher in watchers] == [""] * 6
    assert all(watcher.breaks for watcher in watchers), "each of them has lost its server"
    assert [watcher.events for watcher in watchers] == [whole] * 5 + [lines]
    ended = [event["data"]["item"] for event in whole if event["type"] in ("item.succeeded", "item.failed")]
    assert sorted(ended) == list(range(1, ROWS + 1))


def _kill(served: Program) -> None:
    served.process.kill()
    served.process.wait()
