"""Routes that act on jobs, and the change of rules with a condition on the revision."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from jobctl.config import Home
from jobctl.store import jobs, journal
from tests.factories import JobMaker, make_store
from tests.http.serving import serving


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[httpx.Client, JobMaker]]:
    """A server, and the maker of jobs in its store."""
    home = Home(tmp_path_factory.mktemp("control") / "state")
    store = make_store(home)
    with serving(home) as client:
        yield client, store


def failed_job(store: JobMaker) -> int:
    """A finished job with two failed items and one that never ran."""
    job = store.job("sffu", state="partial", started_at=1, finished_at=2)
    for item, code in ((2, "exit_22"), (3, "timeout")):
        store.failure(job, 1, code=code, samples=f"[{item}]")
    return job


def test_a_job_is_paused_and_resumed(place: tuple[httpx.Client, JobMaker]) -> None:
    client, store = place
    job = store.job("qq")
    paused = client.post(f"/v1/jobs/{job}/pause", json={"reason": "the disk"})
    assert (paused.status_code, paused.json()["schema"]) == (200, "jobctl.pause/1")
    row = jobs.load(store.database, job)
    assert row is not None
    assert row.state == "paused"
    assert journal.entries(store.database, job, None)[-1].reason == "the disk"
    assert client.post(f"/v1/jobs/{job}/resume").json()["jobs"][0]["changed"] is True


def test_rules_change_if_the_job_is_as_the_caller_has_read_it(place: tuple[httpx.Client, JobMaker]) -> None:
    client, store = place
    job = store.job("qq")
    etag = client.get(f"/v1/jobs/{job}").headers["etag"]
    changed = client.patch(f"/v1/jobs/{job}", json={"slots": 8, "timeout": "5m"}, headers={"If-Match": etag})
    assert changed.status_code == 200, changed.text
    assert (changed.json()["policy"]["slots"], changed.json()["policy"]["timeout_s"]) == (8, 300)
    late = client.patch(f"/v1/jobs/{job}", json={"slots": 2}, headers={"If-Match": etag})
    assert (late.status_code, late.json()["code"]) == (412, "job_changed")
    assert client.get(f"/v1/jobs/{job}").json()["policy"]["slots"] == 8
    none = client.patch(f"/v1/jobs/{job}", json={"slots": None, "max_failures": "none"}, headers={"If-Match": "*"})
    assert none.json()["policy"]["slots"] is None


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"slots": 0},
        {"slots": "many"},
        {"slot": 4},
        {"timeout": "soon"},
        {"env": ["A=b"]},
        {"cwd": "/"},
        {"leftovers": "keep"},
        [],
        None,
    ],
)
def test_wrong_rules_change_nothing_and_are_named(place: tuple[httpx.Client, JobMaker], body: object) -> None:
    client, store = place
    job = store.job("q")
    before = jobs.revision(store.database, job)
    response = client.patch(f"/v1/jobs/{job}", json=body)
    assert response.status_code == 422, response.text
    if body and isinstance(body, dict):
        assert next(iter(body)) in response.text
    assert jobs.revision(store.database, job) == before


def test_a_retry_begins_a_round_with_other_rules(place: tuple[httpx.Client, JobMaker]) -> None:
    client, store = place
    job = failed_job(store)
    wrong = client.post(f"/v1/jobs/{job}/retry", json={"cause": ["exit_9"]})
    assert (wrong.status_code, wrong.json()["detail"]) == (409, f"job {job} has no failure 'exit_9'")
    done = client.post(f"/v1/jobs/{job}/retry", json={"state": ["failed"], "attempts": 7, "timeout": "10m"})
    assert (done.status_code, done.headers["location"]) == (202, f"/v1/jobs/{job}")
    (retried,) = done.json()["retried"]
    assert (retried["round"], retried["items"], retried["policy"]["attempts"]) == (2, 2, 7)
    again = client.post(f"/v1/jobs/{job}/retry")
    assert (again.status_code, again.json()["detail"]) == (409, f"job {job} is queued, not done")


def test_an_undo_without_a_way_back_says_so(place: tuple[httpx.Client, JobMaker]) -> None:
    client, store = place
    job = failed_job(store)
    response = client.post(f"/v1/jobs/{job}/undo", json={"state": ["failed"]})
    assert response.status_code == 422
    assert "no way back" in client.post(f"/v1/jobs/{job}/undo").json()["detail"]


def test_a_cancel_of_what_is_done_changes_nothing(place: tuple[httpx.Client, JobMaker]) -> None:
    client, store = place
    job = failed_job(store)
    response = client.post(f"/v1/jobs/{job}/cancel", json={"reason": "late"})
    assert response.status_code == 200
    assert response.json()["cancelled"][0]["cancelled"] is False


@pytest.mark.parametrize("verb", ["cancel", "pause", "resume", "retry", "undo"])
def test_a_job_that_does_not_exist_and_a_body_that_does_not_fit(
    place: tuple[httpx.Client, JobMaker], verb: str
) -> None:
    client, _ = place
    assert client.post(f"/v1/jobs/4711/{verb}").status_code == 404
    response = client.post(f"/v1/jobs/4711/{verb}", json={"command": ["rm"]})
    assert response.status_code == 422
    assert response.json()["errors"][0]["name"] == "command"
    assert (
        client.post(f"/v1/jobs/1/{verb}", content=b"{", headers={"Content-Type": "application/json"}).status_code == 422
    )
    assert client.get(f"/v1/jobs/1/{verb}").status_code == 405
