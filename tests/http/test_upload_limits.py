"""What an upload may take: rows, room, places; and where it waits."""

from __future__ import annotations

import errno
import gzip
import os
import socket
import stat
import threading
from functools import partial

import anyio
import anyio.to_thread
import pytest

from jobctl.errors import NoRoom
from jobctl.http.access import Caller
from jobctl.http.app import make_app
from jobctl.http.doors import Doors
from jobctl.http.intake.spool import Spool
from jobctl.http.intake.state import LONG, Intake
from jobctl.http.server import Server
from jobctl.process import space
from jobctl.services.serve.options import ServeLimits
from jobctl.store.opening.folder import prepare_home
from jobctl.store.opening.open import open_database
from tests.http.serving import serving_app
from tests.wait import wait_until

LIMITS = ServeLimits(max_body=100_000, max_rows=1_000, max_uploads=1, client_timeout_s=60)
TO = "/v1/jobs?command=%5B%22true%22,%22%7Bid%7D%22%5D"
CSV = {"Content-Type": "text/csv"}


@pytest.fixture
def client(home):
    server = Server(home, doors=Doors(home, LIMITS))
    with serving_app(make_app(server), ending=server.changes.close) as client:
        yield client


def counts(home):
    database = open_database(home)
    try:
        return [database.scalar(f"SELECT count(*) FROM {table}") for table in ("jobs", "items", "prunings")]
    finally:
        database.close()


def test_an_upload_is_bounded(client, home, monkeypatch):
    def send(content, status, **headers):
        response = client.post(TO, content=content, headers=CSV | headers)
        assert response.status_code == status, response.text
        return response

    rows = b"id\n" + b"".join(b"%d\n" % n for n in range(1_000))
    send(rows, 202)
    assert send(rows + b"x\n", 413).json()["detail"] == "the body has more than 1,000 rows"
    bomb = gzip.compress(b"id\n" + b"1\n" * 3_000_000)
    assert len(bomb) < LIMITS.max_body
    send(bomb, 413)
    send(b"id\n" + b"x" * 200_000, 413)
    send(iter([b"id\n", *[b"x" * 50_000] * 4]), 413)
    assert counts(home) == [1, 1_000, 0]
    monkeypatch.setattr(space, "above_floor", lambda _folder: 10)
    problem = send(rows, 507).json()
    assert (problem["code"], problem["hint"]) == ("no_room", "make room, then send it again; nothing was accepted")
    assert counts(home) == [1, 1_000, 0]


def test_uploads_at_the_same_time_are_bounded(client):
    with socket.socket(socket.AF_UNIX) as slow:
        slow.connect(client._transport._pool._uds)
        head = f"POST {TO} HTTP/1.1\r\nHost: x\r\nContent-Type: text/csv\r\nContent-Length: 5\r\n"
        slow.sendall(f"{head}Expect: 100-continue\r\n\r\n".encode())
        assert slow.recv(1_000).startswith(b"HTTP/1.1 100")
        response = client.post(TO, content=b"id\n1\n", headers=CSV)
        assert (response.status_code, response.headers["retry-after"]) == (503, "5")
        slow.sendall(b"id\n1\n")
        assert slow.recv(1_000).startswith(b"HTTP/1.1 202")
    assert client.post(TO, content=b"id\n1\n", headers=CSV).status_code == 202


def test_an_upload_waits_in_a_file_without_a_name(home):
    prepare_home(home)
    spool = Spool(home, None)
    spool.write(b"abc")
    with open(spool.path, "rb") as file:
        facts = os.fstat(file.fileno())
        assert file.read() == b"abc"
    assert (stat.S_IMODE(facts.st_mode), facts.st_nlink, os.listdir(home.root)) == (0o600, 0, [])
    assert spool.head(2) == b"ab"
    spool.close()


def test_a_file_system_without_unnamed_files_serves_as_well(home, monkeypatch):
    opened = os.open

    def refuse(path, flags, *mode, **options):
        if flags & os.O_TMPFILE == os.O_TMPFILE:
            raise OSError(errno.EOPNOTSUPP, "no")
        return opened(path, flags, *mode, **options)

    monkeypatch.setattr(os, "open", refuse)
    spool = Spool(home, None)
    spool.write(b"abc")
    assert (spool.head(9), os.listdir(home.root)) == (b"abc", [])
    spool.close()


def test_a_disk_that_fills_up_while_an_upload_comes(home, monkeypatch):
    spool = Spool(home, None)

    def fail(*_):
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(os, "write", fail)
    with pytest.raises(NoRoom, match="there is too little room for this upload: "):
        spool.write(b"abc")
    monkeypatch.undo()
    spool.close()


def test_a_token_reads_one_long_file_at_a_time(home):
    """So the files of another token do not wait for all of its files."""
    begun, go_on = [], threading.Event()

    def read(name):
        begun.append(name)
        assert go_on.wait(60)

    async def main():
        server = Server(home)
        intake = Intake(server)
        async with anyio.create_task_group() as group:
            for name, token in (("a1", "a"), ("a2", "a"), ("a3", "a"), ("b1", "b"), ("c1", "c")):
                group.start_soon(intake.read, Caller("x", "submit", token), LONG, partial(read, name))
            for count, size in ((2, LONG), (3, 1)):
                if size < LONG:
                    group.start_soon(intake.read, Caller("x", "submit", "a"), size, partial(read, "short"))
                await anyio.to_thread.run_sync(wait_until, lambda count=count: len(begun) == count)
            assert sorted(begun) == ["a1", "b1", "short"]
            go_on.set()
        await server.close()

    anyio.run(main)
    assert sorted(begun) == ["a1", "a2", "a3", "b1", "c1", "short"]
