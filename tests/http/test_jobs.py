"""Routes of jobs."""

from __future__ import annotations

import json

from jobctl.config import Home
from jobctl.services.status.document import status_of
from tests.factories import JobMaker
from tests.http.serving import serving


def test_a_job_is_answered_with_its_status_document(home: Home, store: JobMaker) -> None:
    job = store.job("ssf")
    with serving(home, now=lambda: 1_795_458_600_000_000) as client:
        response = client.get(f"/v1/jobs/{job}")
        assert response.status_code == 200
        (expected,) = status_of(home, [str(job)], 1_795_458_600_000_000)
        document = response.json()
        assert document.pop("links")["items"] == f"/v1/jobs/{job}/items"
        assert document == json.loads(json.dumps(expected))
        again = client.get(f"/v1/jobs/{job}", headers={"If-None-Match": response.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")


def test_errors_are_problem_documents(home: Home) -> None:
    with serving(home) as client:
        for path, method, status in (("/v1/jobs/42", "GET", 404), ("/nothing", "GET", 404), ("/v1/jobs/1", "PUT", 405)):
            response = client.request(method, path)
            assert response.status_code == status
            assert response.headers["content-type"] == "application/problem+json"
            assert response.json()["status"] == status
            assert response.json()["detail"]


def test_an_address_of_tcp_needs_a_token(home: Home, store: JobMaker) -> None:
    with serving(home, tcp=True) as client:
        response = client.get("/v1/jobs/1")
        assert response.status_code == 401
