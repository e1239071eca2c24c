"""Who comes in: tokens and their scopes, Host and Origin, links and cookies, rates."""

import asyncio
import contextlib
import os
import socket
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.responses import StreamingResponse

from jobctl.config import Home
from jobctl.http.access import Reader
from jobctl.http.access_log import AccessLog
from jobctl.http.app import make_app
from jobctl.http.doors import Doors
from jobctl.http.server import Server
from jobctl.http.sessions import LINK_S, Sessions
from jobctl.process import moment
from jobctl.services.serve.options import ServeLimits
from jobctl.services.tokens import revoke_token
from jobctl.store import jobs, journal
from tests.factories import JobMaker
from tests.http.doors import token_for
from tests.http.serving import PATIENCE_S, serving_app
from tests.wait import wait_until


class Site:
    """A server over TCP, its client and its state."""

    def __init__(self, client: httpx.Client, server: Server) -> None:
        self.client = client
        self.server = server

    def get(self, path: str, **headers: str) -> httpx.Response:
        return self.client.get(path, headers={name.replace("_", "-"): text for name, text in headers.items()})

    def sign_in(self) -> None:
        """Give the client the cookie of a browser."""
        self.client.get("/open", params={"key": self.server.doors.sessions.new_link()})


@pytest.fixture
def site(home: Home, store: JobMaker) -> Iterator[Site]:
    server = Server(home, doors=Doors(home, urls=("http://127.0.0.1:1",)))
    with serving_app(make_app(server), tcp=True, ending=server.changes.close) as client:
        yield Site(client, server)


def code(response: httpx.Response) -> tuple[int, str]:
    return response.status_code, response.json()["code"]


def test_without_a_token_the_answer_says_how_to_get_one(site: Site) -> None:
    response = site.get("/v1/jobs")
    assert response.status_code == 401
    assert response.headers["www-authenticate"] == 'Bearer realm="jobctl"'
    assert "jobctl serve token add" in response.json()["hint"]


def test_a_wrong_token_is_refused(site: Site) -> None:
    for text in ("Bearer x", "Bearer jobctl_x", "Basic cm9vdDo=", "Bearer", "", "bearer jobctl_" + "x" * 300):
        response = site.get("/v1/jobs", Authorization=text)
        assert response.status_code == 401
        assert 'error="invalid_token"' in response.headers["www-authenticate"]


def test_a_scope_includes_those_before_it(site: Site, home: Home, store: JobMaker) -> None:
    job = store.job("q", owner="r")
    store.job("q", owner="c")
    read, control = token_for(home, "r", "read"), token_for(home, "c", "control")
    assert site.client.get(f"/v1/jobs/{job}", headers=read).status_code == 200
    refused = site.client.post(f"/v1/jobs/{job}/pause", headers=read)
    assert code(refused) == (403, "wrong_scope")
    assert 'error="insufficient_scope", scope="control"' in refused.headers["www-authenticate"]
    assert site.client.get("/v1/jobs/last", headers=control).status_code == 200
    assert site.client.post("/v1/jobs/last/pause", headers=control).status_code in (200, 202)


def test_a_token_sees_its_own_jobs_and_with_all_every_job(site: Site, home: Home, store: JobMaker) -> None:
    mine, other = store.job("q", owner="ci", name="mine"), store.job("q", owner="web", name="other")
    person = store.job("q", name="person")
    ci, everything = token_for(home, "ci"), token_for(home, "watch", "read", sees_all=True)
    assert site.client.get("/v1/jobs/mine", headers=ci).json()["job"] == mine
    assert site.client.get("/v1/jobs/last", headers=ci).json()["job"] == mine
    for job in (other, person, "other", "person", 999, "1-3", "1.1", "9" * 30):
        response = site.client.get(f"/v1/jobs/{job}", headers=ci)
        assert response.status_code == 404, job
        assert "mine" not in response.text and "newest" not in response.text
        assert site.client.post(f"/v1/jobs/{job}/cancel", headers=ci).status_code == 404, job
    listed = site.client.get("/v1/jobs", headers=ci).json()
    assert [job["job"] for job in listed["jobs"]] == [mine]
    assert len(site.client.get("/v1/jobs", headers=everything).json()["jobs"]) == 3


def test_the_journal_names_the_token(site: Site, home: Home, store: JobMaker) -> None:
    job = store.job("q", owner="ci")
    assert site.client.post(f"/v1/jobs/{job}/pause", headers=token_for(home, "ci")).is_success
    actors = [entry.actor for entry in journal.entries(store.database, job) if entry.event == "paused"]
    assert actors == ["token ci"]


def test_a_revoked_token_counts_no_more_from_the_next_request_on(site: Site, home: Home) -> None:
    ci = token_for(home, "ci")
    assert site.client.get("/v1/jobs", headers=ci).status_code == 200
    revoke_token(home, "ci", moment.now())
    assert code(site.client.get("/v1/jobs", headers=ci)) == (401, "invalid_token")


HOSTS = (
    ("127.0.0.1:8421", 401),
    ("localhost", 401),
    ("LOCALHOST:9", 401),
    ("[::1]:8421", 401),
    ("evil.example", 421),
    ("127.0.0.1.evil.example", 421),
    ("localhost.evil.example:8421", 421),
    ("127.0.0.1:8421@evil.example", 400),
    ("127.0.0.1:x", 400),
    ("a b", 400),
)


def test_a_request_must_be_for_this_server(site: Site) -> None:
    for host, status in HOSTS:
        assert site.get("/v1/jobs", Host=host).status_code == status, host
        assert site.get("/open?key=x", Host=host).status_code == (status if status != 401 else 403), host


ORIGINS: tuple[tuple[dict[str, str], bool], ...] = (
    ({"Origin": "http://{host}", "Sec-Fetch-Site": "same-origin"}, True),
    ({"Origin": "http://{host}"}, True),
    ({"Sec-Fetch-Site": "none"}, True),
    ({"Origin": "http://evil.example", "Sec-Fetch-Site": "cross-site"}, False),
    ({"Origin": "http://127.0.0.1:9", "Sec-Fetch-Site": "same-site"}, False),
    ({"Origin": "http://{host}", "Sec-Fetch-Site": "cross-site"}, False),
    ({"Origin": "null"}, False),
    ({"Origin": "http://{host}.evil.example"}, False),
    ({"Origin": "http://["}, False),
)


def test_pages_of_other_origins_change_nothing(site: Site, home: Home, store: JobMaker) -> None:
    job, ci = store.job("q", owner="ci"), token_for(home, "ci")
    host = site.client.base_url.netloc.decode()
    for headers, is_own in ORIGINS:
        sent = {name: text.replace("{host}", host) for name, text in headers.items()}
        by_token = site.client.post(f"/v1/jobs/{job}/pause", headers=sent | ci)
        site.sign_in()
        by_cookie = site.client.post(f"/v1/jobs/{job}/resume", headers=sent)
        for response in (by_token, by_cookie):
            assert response.is_success if is_own else code(response) == (403, "wrong_origin"), headers


def test_a_request_with_a_cookie_says_where_it_comes_from(site: Site, store: JobMaker) -> None:
    job = store.job("q")
    site.sign_in()
    assert site.get(f"/v1/jobs/{job}").status_code == 200
    assert code(site.client.post(f"/v1/jobs/{job}/pause")) == (403, "wrong_origin")
    assert code(site.get(f"/v1/jobs/{job}", Sec_Fetch_Site="cross-site")) == (403, "wrong_origin")


def test_a_link_signs_one_browser_in_once(site: Site) -> None:
    link = f"/open?key={site.server.doors.sessions.new_link()}"
    first = site.client.get(link)
    assert (first.status_code, first.headers["location"]) == (303, "/")
    cookie = first.headers["set-cookie"]
    assert "HttpOnly" in cookie and "samesite=strict" in cookie.lower() and "Secure" not in cookie
    assert first.headers["referrer-policy"] == "no-referrer" and first.headers["cache-control"] == "no-store"
    assert site.get("/v1/jobs").status_code == 200
    site.client.cookies.clear()
    assert code(site.client.get(link)) == (403, "link_used")
    assert code(site.client.get("/open")) == (403, "link_used")
    assert site.get("/v1/jobs").status_code == 401


def test_a_browser_signs_out(site: Site) -> None:
    site.sign_in()
    kept = dict(site.client.cookies)
    own = {"Origin": str(site.client.base_url).rstrip("/")}
    assert site.client.post("/sign-out", headers=own).status_code == 303
    site.client.cookies.clear()
    site.client.cookies.update(kept)
    assert site.get("/v1/jobs").status_code == 401


def test_a_stream_ends_when_its_token_is_revoked(home: Home, store: JobMaker) -> None:
    server = Server(home)
    app = make_app(server)

    async def events() -> AsyncIterator[bytes]:
        yield b"data: first\n\n"
        await asyncio.Event().wait()

    @app.get("/events-of-a-test")
    async def stream(found: Reader) -> StreamingResponse:
        return StreamingResponse(events(), media_type="text/event-stream")

    headers = {name: token_for(home, name) for name in ("ci", "other")}
    with (
        serving_app(app, tcp=True, ending=server.changes.close) as client,
        client.stream("GET", "/events-of-a-test", headers=headers["ci"]) as ended,
        client.stream("GET", "/events-of-a-test", headers=headers["other"]) as open_still,
    ):
        received, others = ended.iter_bytes(), open_still.iter_bytes()
        assert (next(received), next(others)) == (b"data: first\n\n",) * 2
        revoke_token(home, "ci", moment.now())
        assert list(received) == [], "it ends as a complete answer does"
        revoke_token(home, "other", moment.now())
        assert list(others) == []


def test_links_and_sessions_end_and_are_few() -> None:
    now = [0.0]
    sessions = Sessions(lambda: now[0])
    old = sessions.new_link()
    now[0] += LINK_S + 1
    assert sessions.open(old) is None
    first = sessions.new_link()
    for _ in range(100):
        sessions.new_link()
    assert sessions.open(first) is None
    key = sessions.open(sessions.new_link())
    assert key is not None
    found = sessions.find(key)
    assert found is not None and sessions.is_valid(found)
    now[0] += 13 * 3600
    assert sessions.find(key) is None and not sessions.is_valid(found)


def test_links_are_made_through_the_socket_alone(site: Site, home: Home) -> None:
    everything = token_for(home, "root", "control", sees_all=True)
    assert site.client.post("/v1/links", headers=everything).status_code == 403


def test_one_token_cannot_take_all_connections(home: Home, store: JobMaker) -> None:
    store.job("q")
    greedy, other = token_for(home, "greedy"), token_for(home, "other")
    server = Server(home, doors=Doors(home, ServeLimits(max_connections=5)))
    with (
        serving_app(make_app(server), tcp=True, ending=server.changes.close) as client,
        contextlib.ExitStack() as streams,
    ):
        stream = {**greedy, "Accept": "text/event-stream"}
        first = streams.enter_context(client.stream("GET", "/v1/events", headers=stream))
        streams.enter_context(client.stream("GET", "/v1/events", headers=stream))
        refused = client.get("/v1/jobs", headers=greedy)
        assert code(refused) == (429, "too_many_requests")
        assert "2 requests of this token are under way" in refused.json()["detail"]
        assert client.get("/v1/jobs", headers=other).status_code == 200
        first.close()  # the connection; its place is free again
        wait_until(lambda: client.get("/v1/jobs", headers=greedy).status_code == 200, PATIENCE_S, "a free place")


def test_one_request_too_many_is_told_to_wait(site: Site, home: Home) -> None:
    slow = token_for(home, "slow", rate="2/h")
    first = site.client.get("/v1/jobs", headers=slow)
    assert first.status_code == 200
    assert first.headers["ratelimit-policy"] == '"requests";q=1;w=1800'
    assert first.headers["ratelimit"].startswith('"requests";r=0;t=')
    refused = site.client.get("/v1/jobs", headers=slow)
    assert code(refused) == (429, "too_many_requests")
    assert 0 < int(refused.headers["retry-after"]) <= 1800
    assert refused.headers["ratelimit"].startswith('"requests";r=0;t=')
    assert site.client.get("/v1/jobs", headers=token_for(home, "other")).status_code == 200, "others have their own"


def test_a_browser_and_a_token_with_its_name_have_limits_of_their_own(site: Site, home: Home) -> None:
    site.sign_in()
    named = token_for(home, "browser")
    quotas = [
        int(response.headers["ratelimit"].partition("r=")[2].partition(";")[0])
        for response in (site.client.get("/v1/jobs"), httpx.get(site.client.base_url.join("/v1/jobs"), headers=named))
    ]
    assert quotas[0] == quotas[1], "the second request would have one less"


@pytest.mark.parametrize(
    ("method", "path", "rules"),
    [
        ("PATCH", "/v1/jobs/{}", {"json": {"priority": 1}}),
        ("PATCH", "/v1/jobs/{}", {"json": {"nice": -1}}),
        ("POST", "/v1/jobs/{}/retry", {"json": {"priority": 1}}),
        ("POST", "/v1/jobs/{}/undo", {"json": {"priority": 1}}),
        ("POST", "/jobs/{}/set", {"data": {"priority": "+1"}}),
        ("POST", "/jobs/{}/retry", {"data": {"priority": "1"}}),
    ],
)
def test_a_token_raises_no_priority_later(
    site: Site, home: Home, store: JobMaker, method: str, path: str, rules: dict[str, Any]
) -> None:
    job = store.job("qf", owner="ci")
    refused = site.client.request(method, path.format(job), headers=token_for(home, "ci"), **rules)
    assert refused.status_code == 422
    assert "not raise it" in refused.text
    row = jobs.load(store.database, job)
    assert row is not None
    assert row.priority == 0


@pytest.mark.parametrize(
    ("method", "path", "given"),
    [
        ("GET", "/v1/jobs/{}/items", {"params": {"where": "x == '~' or x ~ '(a+)+$'"}}),
        ("GET", "/v1/jobs/{}/causes", {"params": {"where": "x @ '(a+)+$'"}}),
        ("GET", "/jobs/{}/items", {"params": {"where": "x ~ '(a+)+$'"}}),
        ("POST", "/v1/jobs/{}/cancel", {"json": {"where": "x ~ '(a+)+$'"}}),
        ("POST", "/v1/jobs/{}/retry", {"json": {"where": "x ~ '(a+)+$'"}}),
        ("POST", "/v1/jobs/{}/undo", {"json": {"where": "x ~ '(a+)+$'"}}),
        ("POST", "/jobs/{}/retry", {"data": {"where": "x ~ '(a+)+$'"}}),
    ],
)
def test_a_regular_expression_of_a_token_cannot_stop_the_server(
    site: Site, home: Home, store: JobMaker, method: str, path: str, given: dict[str, Any]
) -> None:
    job = store.job("qf", owner="ci")
    refused = site.client.request(method, path.format(job), headers=token_for(home, "ci"), **given)
    assert refused.status_code == 422
    assert "cannot come from a token" in refused.text


def test_a_token_lowers_the_priority_of_its_job(site: Site, home: Home, store: JobMaker) -> None:
    job = store.job("qf", owner="ci")
    changed = site.client.patch(f"/v1/jobs/{job}", headers=token_for(home, "ci"), json={"priority": -3})
    assert changed.status_code == 200, changed.text


@pytest.mark.parametrize("damage", ["gone", "damaged"])
def test_a_store_that_cannot_be_read_is_not_a_job_that_does_not_exist(
    site: Site, home: Home, store: JobMaker, damage: str
) -> None:
    ci = token_for(home, "ci")
    store.database.close()
    for file in home.root.glob("jobctl.db*"):
        file.unlink()
    if damage == "damaged":
        home.database.write_bytes(b"no database" * 1_000)
        home.database.chmod(0o600)
    response = site.client.get("/v1/jobs/1", headers=ci)
    assert code(response) == (503, "store")
    assert str(home.root) not in response.text
    assert "retry-after" in response.headers


def test_a_log_that_nobody_reads_breaks_no_connection() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    stream = os.fdopen(writer, "w")
    AccessLog(stream).note({"path": "/", "method": "GET"}, None, 200, 0, 0.1)
    with contextlib.suppress(BrokenPipeError):
        stream.close()


def test_every_answer_has_the_headers_of_security(site: Site, home: Home) -> None:
    for path in ("/v1/jobs", "/nothing", "/open", "/healthz"):
        headers = site.client.get(path, headers=token_for(home, path.strip("/").replace("/", ".") or "x")).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert "default-src 'none'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]


def test_the_use_of_a_token_is_noted_once(site: Site, home: Home, store: JobMaker) -> None:
    ci = token_for(home, "ci")

    def used() -> int | None:
        found: int | None = store.database.scalar("SELECT used_at FROM access_tokens")
        return found

    site.client.get("/v1/jobs", headers=ci)
    wait_until(used, what="the note")
    noted = used()
    site.client.get("/v1/jobs", headers=ci)
    assert used() == noted


def test_a_body_that_is_too_large_is_refused(home: Home, store: JobMaker) -> None:
    job = store.job("q")
    limits = ServeLimits(max_body=1_000)
    server = Server(home, doors=Doors(home, limits))

    def endless() -> Iterator[bytes]:
        for _ in range(100):
            yield b" " * 100

    with serving_app(make_app(server), ending=server.changes.close) as client:
        path = f"/v1/jobs/{job}/pause"
        types = {"Content-Type": "application/json"}
        told = client.post(path, content=b" " * 2_000, headers=types)
        assert code(told) == (413, "too_large")
        assert code(client.post(path, content=endless(), headers=types)) == (413, "too_large")
        assert client.get(f"/v1/jobs/{job}").status_code == 200


def test_a_body_that_comes_too_slowly_is_refused(home: Home, store: JobMaker, tmp_path: Path) -> None:
    server = Server(home, doors=Doors(home, ServeLimits(client_timeout_s=0.3)))
    path = tmp_path / "s"
    head = b"POST /v1/jobs/1/pause HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{"
    with serving_app(make_app(server), at=path, ending=server.changes.close), socket.socket(socket.AF_UNIX) as slow:
        slow.settimeout(PATIENCE_S)
        slow.connect(str(path))
        slow.sendall(head)
        answer = b""
        while piece := slow.recv(65_536):
            answer += piece
        assert answer.startswith(b"HTTP/1.1 408 ") and b"too_slow" in answer
