"""Routes that act on jobs, and the change of rules with a condition on the revision."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from jobctl.config import Home
from jobctl.process import lock, moment
from jobctl.services.submit.request import SubmitRequest
from jobctl.services.submit.submit import submit
from jobctl.sources import InputOptions
from jobctl.store import jobs, journal
from tests.factories import JobMaker, make_store
from tests.http.serving import serving
from tests.wait import wait_until


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


def test_the_name_of_a_wrong_rule_is_that_of_its_field(place: tuple[httpx.Client, JobMaker]) -> None:
    client, store = place
    problem = client.patch(f"/v1/jobs/{store.job('q')}", json={"slots": 10**30}).json()
    assert {each["name"] for each in problem["errors"]} == {"slots"}


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


def test_a_body_of_many_bytes_is_refused_before_it_is_kept(place: tuple[httpx.Client, JobMaker]) -> None:
    client, _ = place
    response = client.post("/v1/jobs/1/cancel", json={"reason": "x" * (2 << 20)})
    assert (response.status_code, response.headers["content-type"]) == (413, "application/problem+json")


@pytest.mark.slow
def test_a_cancel_without_a_daemon_ends_the_job_and_leaves_no_process(home: Home, tmp_path: Path) -> None:
    job = submitted(home, tmp_path, "id\n1\n2\n", ("true", "{id}"))
    with serving(home) as client:
        response = client.post(f"/v1/jobs/{job}/cancel", json={"reason": "not needed"})
        assert response.status_code == 202, response.text
        ended = client.get(f"/v1/jobs/{job}?wait=60").json()
        assert (ended["state"], ended["counts"]["unprocessed"]) == ("cancelled", 2)
        assert "not needed" in client.get(f"/v1/jobs/{job}/explain").text
        wait_until(lambda: lock.holder(str(home.lock)) is None, what="the end of the engine")
        wait_until(lambda: not unreaped(), what="the reaping of the engine")


def submitted(home: Home, tmp_path: Path, text: str, command: tuple[str, ...]) -> int:
    """Submit a job of a file."""
    path = tmp_path / "rows.csv"
    path.write_text(text)
    request = SubmitRequest(input=InputOptions(str(path)), command=command, cwd=str(tmp_path))
    return submit(home, request, now=moment.now(), stdin=io.BytesIO()).job


def unreaped() -> list[str]:
    """The processes that this one has started, that have ended, and that it has not waited for."""
    found = [pid for each in Path("/proc/self/task").iterdir() for pid in (each / "children").read_text().split()]
    return [pid for pid in found if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"]


def test_a_body_has_values_of_the_types_that_the_document_says(home: Home, store: JobMaker) -> None:
    job = store.job("s", state="succeeded", finished_at=1_795_458_599_000_000)
    with serving(home) as client:
        for path, body in (("cancel", {"now": 0}), ("cancel", {"reason": 1}), ("retry", {"unprocessed": "yes"})):
            assert client.post(f"/v1/jobs/{job}/{path}", json=body).status_code == 422
        assert client.patch(f"/v1/jobs/{job}", json={}).status_code == 422


@pytest.mark.parametrize("action", ["retry", "cancel", "pause", "resume", "undo"])
def test_a_body_that_is_not_json_is_refused_by_its_type(place: tuple[httpx.Client, JobMaker], action: str) -> None:
    client, store = place
    path = f"/v1/jobs/{store.job('qq')}/{action}"
    for given in ("text/plain", "application/x-www-form-urlencoded"):
        response = client.post(path, content=b"slots=2", headers={"Content-Type": given})
        assert (response.status_code, response.headers["accept"]) == (415, "application/json")
        assert "application/json" in response.json()["hint"]


def test_a_field_that_a_body_does_not_have_is_answered_with_the_one_that_was_meant(
    place: tuple[httpx.Client, JobMaker],
) -> None:
    client, store = place
    job = store.job("qq")
    for response in (
        client.post(f"/v1/jobs/{job}/retry", json={"slotz": 2}),
        client.patch(f"/v1/jobs/{job}", json={"slotz": 2}),
    ):
        assert response.status_code == 422
        assert response.json()["hint"].startswith("did you mean slots? the fields are ")
    assert client.post(f"/v1/jobs/{job}/resume", json={"slotz": 2}).json()["hint"] is None
