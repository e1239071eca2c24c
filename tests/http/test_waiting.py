"""Conditional requests, and requests that wait for a change."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

import httpx
import pytest

from jobctl.config import Home
from jobctl.store import jobs, sqlite
from jobctl.store.opening.glance import Glance, Seen
from tests.factories import JobMaker, make_store
from tests.http.doors import token_for
from tests.http.serving import serving
from tests.wait import wait_until


def end(store: JobMaker, job: int, **columns: object) -> None:
    """Change a job as the engine does."""
    with store.database.transaction():
        jobs.update(store.database, job, **columns)


def finish(store: JobMaker, job: int, state: str) -> None:
    """End a job of one queued item."""
    end(store, job, state=state, queued=0, succeeded=1, finished_at=1_795_458_600_000_000)


def test_the_etag_of_a_job_stays_until_the_job_changes(home: Home, store: JobMaker) -> None:
    job, other = store.job("qq"), store.job("q")
    with serving(home) as client:
        first = client.get(f"/v1/jobs/{job}")
        known = {"If-None-Match": first.headers["etag"]}
        assert client.get(f"/v1/jobs/{job}", headers=known).status_code == 304
        end(store, other, priority=7)
        store.daemon(heartbeat_at=1_795_458_511_004_001)
        assert client.get(f"/v1/jobs/{job}", headers=known).status_code == 304
        end(store, job, priority=8)
        changed = client.get(f"/v1/jobs/{job}", headers=known)
        assert changed.status_code == 200
        assert changed.json()["priority"] == 8
        assert changed.headers["etag"] != first.headers["etag"]


def test_one_etag_means_one_body(home: Home, store: JobMaker) -> None:
    job = store.job("rrs", state="running", started_at=1_795_458_511_004_000)
    bodies: dict[str, bytes] = {}
    with serving(home) as client:
        for priority in range(20):
            response = client.get(f"/v1/jobs/{job}")
            assert bodies.setdefault(response.headers["etag"], response.content) == response.content
            if priority % 3 == 0:
                end(store, job, priority=priority)


def test_what_a_client_wrote_is_in_its_next_answer(home: Home, store: JobMaker) -> None:
    job = store.job("qq")
    with serving(home) as client:
        for slots in range(1, 30):
            client.patch(f"/v1/jobs/{job}", json={"slots": slots})
            assert client.get(f"/v1/jobs/{job}").json()["policy"]["slots"] == slots


def test_a_wait_ends_when_the_job_is_done(home: Home, store: JobMaker) -> None:
    job = store.job("q")
    with serving(home) as client, ThreadPoolExecutor(1) as pool:
        waiting: Future[httpx.Response] = pool.submit(client.get, f"/v1/jobs/{job}?wait=60")
        end(store, job, priority=3)  # it continues to wait
        finish(store, job, "cancelled")
        assert waiting.result().json()["state"] == "cancelled"


def test_a_busy_moment_of_the_database_does_not_end_a_wait(
    home: Home, store: JobMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    job, looks = store.job("q"), 0

    def seen(glance: Glance, number: int) -> Seen | None:
        nonlocal looks
        looks += 1
        raise sqlite.Error("database is locked")

    monkeypatch.setattr(Glance, "job", seen)
    with serving(home) as client, ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(client.get, f"/v1/jobs/{job}?wait=60")
        wait_until(lambda: looks or waiting.done(), what="a look at the job")
        finish(store, job, "cancelled")
        assert waiting.result().json()["state"] == "cancelled"


def test_a_wait_with_an_etag_ends_with_the_next_change(home: Home, store: JobMaker) -> None:
    job = store.job("q")
    with serving(home) as client, ThreadPoolExecutor(1) as pool:
        etag = client.get(f"/v1/jobs/{job}").headers["etag"]
        waiting = pool.submit(client.get, f"/v1/jobs/{job}?wait=60", headers={"If-None-Match": etag})
        end(store, job, priority=3)
        assert waiting.result().json()["priority"] == 3
        etag = client.get(f"/v1/jobs/{job}").headers["etag"]
        assert client.get(f"/v1/jobs/{job}?wait=0.2", headers={"If-None-Match": etag}).status_code == 304


def test_many_waits_need_one_thread(home: Home, store: JobMaker, own_threads: Callable[[], list[str]]) -> None:
    job = store.job("q")
    with serving(home) as client, ThreadPoolExecutor(30) as pool:
        client.get(f"/v1/jobs/{job}")
        waiting = [pool.submit(client.get, f"/v1/jobs/{job}?wait=60") for _ in range(30)]
        wait_until(lambda: "jobctl-changes" in own_threads(), what="the watch")
        assert own_threads().count("jobctl-changes") == 1
        finish(store, job, "succeeded")
        assert {response.result().json()["state"] for response in waiting} == {"succeeded"}


def test_a_store_that_is_removed_or_replaced_is_noticed(home: Home, store: JobMaker) -> None:
    job = store.job("q")
    with serving(home) as client:
        for _ in range(2):
            assert client.get(f"/v1/jobs/{job}").status_code == 200
        store.database.close()
        home.root.rename(home.root.with_name("elsewhere"))
        assert client.get(f"/v1/jobs/{job}").status_code == 404
        another = make_store(home)
        number = another.job("ss", name="another")
        assert client.get(f"/v1/jobs/{number}").json()["name"] == "another"


def test_answers_say_when_to_ask_again(home: Home, store: JobMaker) -> None:
    live, done = store.job("q"), store.job("s", state="succeeded", finished_at=1_795_458_600_000_000)
    with serving(home) as client:
        assert 1 <= int(client.get(f"/v1/jobs/{live}").headers["retry-after"]) <= 60
        assert "retry-after" not in client.get(f"/v1/jobs/{done}").headers
        links = client.get(f"/v1/jobs/{done}").json()["links"]
        assert links["self"] == f"/v1/jobs/{done}"
        for name in ("items", "causes", "explain", "report"):
            assert client.get(links[name]).status_code == 200


def test_the_quick_answer_is_that_of_the_route(home: Home, store: JobMaker) -> None:
    job = store.job("s", state="succeeded", finished_at=1_795_458_600_000_000)
    with serving(home) as client:
        client.get(f"/v1/jobs/{job}")
        by_route = client.get(f"/v1/jobs/{job}?wait=0")
        quick = client.get(f"/v1/jobs/{job}")
        assert quick.content == by_route.content
        assert dict(quick.headers) == dict(by_route.headers)
        for given in (quick.headers["etag"], "*", f'"x", W/{quick.headers["etag"]}'):
            known = {"If-None-Match": given}
            answers = [client.get(f"/v1/jobs/{job}{query}", headers=known) for query in ("?wait=0", "")]
            assert [(each.status_code, each.content) for each in answers] == [(304, b"")] * 2
            assert dict(answers[0].headers) == dict(answers[1].headers)
        assert client.head(f"/v1/jobs/{job}").headers["content-length"] == str(len(quick.content))
        assert client.get(f"/v1/jobs/{job}", headers={"If-None-Match": '"x"'}).status_code == 200


def test_a_token_that_sees_only_its_own_jobs_gets_no_kept_answer(home: Home, store: JobMaker) -> None:
    job = store.job("q")
    everyone, own = token_for(home, "everyone", sees_all=True), token_for(home, "own")
    with serving(home, tcp=True) as client:
        for _ in range(3):
            assert client.get(f"/v1/jobs/{job}", headers=everyone).status_code == 200
            assert client.get(f"/v1/jobs/{job}", headers=own).status_code == 404
            assert client.get(f"/v1/jobs/{job}").status_code == 401
        listed = client.get("/v1/jobs", headers=own).json()
        assert (listed["jobs"], listed["jobs_selected"], listed["jobs_total"]) == ([], 0, 0)
        assert client.get("/v1/jobs", headers=everyone).json()["jobs_total"] == 1
