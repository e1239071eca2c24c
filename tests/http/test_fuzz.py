"""Bad HTTP, hostile headers and broken bodies: never an error of the server, never a hang, and it still answers."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jobctl.config import Home
from jobctl.http.app import make_app
from jobctl.http.server import Server
from tests.factories import make_store
from tests.http.raw_requests import Recorder, exchange, requests
from tests.http.serving import serving_app

_WORDS = {"job": "1", "item": "2", "stream": "stdout", "name": "failed.csv", "file": "failed.csv", "recipe": "import"}


class Rig(NamedTuple):
    """A server, the paths of its routes, and what it did wrong."""

    address: str
    client: httpx.Client
    paths: list[str]
    recorder: Recorder


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    """A server over a store whose jobs are over: a cancel of a live job would start an engine."""
    home = Home(tmp_path_factory.mktemp("fuzz") / "state")
    store = make_store(home)
    store.job("ssf", state="partial", finished_at=1_795_458_599_000_000)
    store.job("sss", state="succeeded", finished_at=1_795_458_599_000_000)
    app = make_app(Server(home))
    recorder = Recorder(app)
    paths = [re.sub(r"\{(\w+)\}", lambda found: _WORDS.get(found[1], "1"), path) for path in app.openapi()["paths"]]
    with tempfile.TemporaryDirectory(prefix="jobctl-") as place, serving_app(recorder, at=Path(place) / "s") as client:
        yield Rig(f"{place}/s", client, sorted(paths), recorder)


@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(st.data())
def test_nothing_that_is_sent_breaks_the_server(rig: Rig, data: st.DataObject) -> None:
    exchange(rig.address, data.draw(requests(rig.paths)))
    assert rig.recorder.found == []
    assert rig.client.get("/v1/jobs/1").status_code == 200


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"",
        b"\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",  # the first bytes of TLS
        b"GET / HTTP/1.1\r\nHost: localhost\r\n" + b"X-A: b\r\n" * 20_000 + b"\r\n",
        b"GET /" + b"a" * 1_000_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"POST /v1/jobs HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1\r\na\r\n" * 5_000,
        b"GET /v1/jobs/1 HTTP/1.1\r\nHost: localhost\r\n\r\n" * 200,
        b"GET /v1/jobs/1 HTTP/1.1\nHost: localhost\n\n",
        b"POST /v1/jobs/1/retry HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\nContent-Length: 5\r\n\r\n{}",
    ],
    ids=lambda sent: repr(sent[:20]),
)
def test_known_attacks_do_not_break_the_server(rig: Rig, request_bytes: bytes) -> None:
    exchange(rig.address, request_bytes)
    assert rig.recorder.found == []
    assert rig.client.get("/v1/jobs/1").status_code == 200


def test_a_request_with_two_lengths_is_never_read_as_two_requests(rig: Rig) -> None:
    smuggled = (
        b"POST /v1/jobs HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"0\r\n\r\nGET /v1/jobs/1 HTTP/1.1\r\nHost: localhost\r\n\r\n"
    )
    assert exchange(rig.address, smuggled).count(b"HTTP/1.1 200") == 0
