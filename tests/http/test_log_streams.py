"""Outputs that are followed while items write them."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterator

import httpx
import pytest

from jobctl.config import Home
from jobctl.http import log_streams
from jobctl.http.server import Server
from jobctl.store import jobs as job_rows
from tests.factories import JobMaker
from tests.http.serving import serving
from tests.http.sse import events_of
from tests.wait import wait_until

_STREAM = {"Accept": "text/event-stream"}


@pytest.fixture
def client(home: Home, store: JobMaker) -> Iterator[httpx.Client]:
    with serving(home) as found:
        yield found


class Writer:
    """A running attempt of an item, whose output this process writes."""

    def __init__(self, home: Home, store: JobMaker, job: int, attempt: int = 1) -> None:
        self._store, self._job, self._attempt = store, job, attempt
        folder = home.job_logs(job)
        folder.mkdir(parents=True, exist_ok=True)
        self._path = folder / f"{attempt}.out"
        self._path.touch()
        store.attempt(job, 1, attempt, ending=None, pid=os.getpid(), log=attempt)

    def write(self, data: bytes) -> None:
        with self._path.open("ab") as file:
            file.write(data)

    def end(self, *, state: int = 3) -> None:
        """End the attempt, and the item with it unless it runs again."""
        length = self._path.stat().st_size
        self._store.attempt(self._job, 1, self._attempt, ending=0, log=self._attempt, out_len=length)
        with self._store.database.transaction():
            self._store.database.execute(
                "UPDATE items SET state = ?, due_at = ? WHERE job = ?", (state, 1 if state == 2 else None, self._job)
            )
            job_rows.update(self._store.database, self._job, priority=self._attempt)


def _address(job: int, query: str = "") -> str:
    return f"/v1/jobs/{job}/items/1/logs/stdout{query}"


def test_an_output_is_followed_to_its_end(home: Home, client: httpx.Client, store: JobMaker) -> None:
    job = store.job("r", state="running")
    writer = Writer(home, store, job)
    writer.write(b"one\n")
    with client.stream("GET", _address(job, "?attempt=1"), headers=_STREAM) as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        pieces = events_of(response)
        first = next(pieces)
        assert (first.id, first.data) == ("1:4", {"attempt": 1, "offset": 4, "text": "one\n", "over": False})
        writer.write(b"tw\xc3")
        assert next(pieces).data == {"attempt": 1, "offset": 6, "text": "tw", "over": False}
        writer.write(b"\xb6\n")
        assert next(pieces).data == {"attempt": 1, "offset": 9, "text": "ö\n", "over": False}
        writer.end()
        assert [piece.data for piece in pieces] == [{"attempt": 1, "offset": 9, "text": "", "over": True}]


def test_a_client_resumes_after_the_bytes_that_it_has(home: Home, client: httpx.Client, store: JobMaker) -> None:
    job = store.job("r", state="running")
    writer = Writer(home, store, job)
    writer.write(b"0123456789")
    for query, headers in (
        ("?offset=4", {}),
        ("?attempt=1&offset=4", {}),
        ("?offset=0", {"Last-Event-ID": "1:4"}),
    ):
        with client.stream("GET", _address(job, query), headers=_STREAM | headers) as response:
            assert next(events_of(response)).data["text"] == "456789"
    writer.end()
    assert client.get(_address(job, "?attempt=1&offset=10"), headers=_STREAM).status_code == 204
    assert client.get(_address(job), headers=_STREAM | {"Last-Event-ID": "1:10"}).status_code == 204
    assert client.get(_address(job), headers=_STREAM | {"Last-Event-ID": "x"}).status_code == 422


def test_all_attempts_of_an_item_are_followed_and_one_where_it_is_named(
    home: Home, client: httpx.Client, store: JobMaker
) -> None:
    job = store.job("r", state="running")
    writer = Writer(home, store, job)
    writer.write(b"first")
    with (
        client.stream("GET", _address(job), headers=_STREAM) as every,
        client.stream("GET", _address(job, "?attempt=1"), headers=_STREAM) as one,
    ):
        pieces = events_of(every)
        assert next(pieces).data["text"] == "first"
        writer.end(state=1)
        writer = Writer(home, store, job, attempt=2)
        writer.write(b"second")
        writer.end()
        assert [piece.data["over"] for piece in events_of(one)] == [False, True]
        found = [(piece.data["attempt"], piece.data["text"]) for piece in pieces]
        assert [each for each in found if each[1]] == [(2, "second")]


def test_an_item_that_has_not_begun_is_waited_for_and_one_that_does_not_exist_is_not(
    home: Home, client: httpx.Client, store: JobMaker
) -> None:
    job = store.job("q", state="running")
    assert client.get(f"/v1/jobs/{job}/items/2/logs/stdout", headers=_STREAM).status_code == 404
    with client.stream("GET", _address(job), headers=_STREAM) as response:
        writer = Writer(home, store, job)
        writer.write(b"here")
        writer.end()
        assert next(events_of(response)).data["text"] == "here"


def test_there_are_only_so_many_and_each_leaves_its_place(
    home: Home, client: httpx.Client, store: JobMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_streams, "MOST", 1)
    job = store.job("r", state="running")
    Writer(home, store, job).write(b"x")
    with client.stream("GET", _address(job), headers=_STREAM) as response:
        pieces = events_of(response)  # a reader that is thrown away closes its stream
        next(pieces)
        refused = client.get(_address(job), headers=_STREAM)
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "5")

    def is_served() -> bool:
        with client.stream("GET", _address(job), headers=_STREAM) as again:
            return again.status_code == 200

    wait_until(is_served, what="the end of the first stream")


def test_the_end_of_the_server_ends_them(home: Home, store: JobMaker) -> None:
    job = store.job("r", state="running")
    Writer(home, store, job).write(b"x")
    with serving(home) as client:
        stream = client.stream("GET", _address(job), headers=_STREAM)
        pieces = events_of(stream.__enter__())
        next(pieces)
    # The end of the block waits for the server, which waits for its streams.


def test_a_stream_that_the_end_of_the_event_loop_has_left_behind_ends_with_the_server(
    home: Home, store: JobMaker, own_threads: Callable[[], list[str]]
) -> None:
    job = store.job("r", state="running")
    Writer(home, store, job).write(b"x")
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    streams = log_streams.LogStreams(Server(home))
    pieces = streams.pieces(log_streams.LogPlace(job, 1, "out"))
    loop.run_until_complete(anext(pieces))
    for task in asyncio.all_tasks(loop):
        task.cancel()
    loop.run_until_complete(asyncio.sleep(0))
    loop.close()
    assert own_threads() == ["jobctl-output"]
    streams.close()
    wait_until(lambda: not own_threads(), what="the end of the thread")
