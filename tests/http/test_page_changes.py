"""The streams that tell an open page of changes."""

from __future__ import annotations

from collections.abc import Iterator

import httpx

from jobctl.config import Home
from jobctl.store import jobs
from tests.factories import JobMaker, make_store
from tests.http.serving import serving


def names_of(response: httpx.Response) -> Iterator[str]:
    """The names of the events of a stream."""
    return (line.removeprefix("event: ") for line in response.iter_lines() if line.startswith("event: "))


def test_a_page_of_a_job_hears_of_its_changes(home: Home, store: JobMaker) -> None:
    job = store.job("sq", state="running")
    with serving(home) as client, client.stream("GET", f"/jobs/{job}/changes") as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        events = names_of(response)
        assert next(events) == "changed"
        with store.database.transaction():
            jobs.update(store.database, job, priority=7)
        assert next(events) == "changed"


def test_a_job_that_does_not_exist_has_no_stream(home: Home, store: JobMaker) -> None:
    store.job("s")
    with serving(home) as client:
        assert client.get("/jobs/9/changes").status_code == 404


def test_a_list_hears_of_a_store_that_is_made_later(home: Home) -> None:
    with serving(home) as client, client.stream("GET", "/changes") as response:
        events = names_of(response)
        make_store(home).job("s")
        assert next(events) == "changed"


def test_a_request_for_the_headers_alone_ends(home: Home, store: JobMaker) -> None:
    job = store.job("s")
    with serving(home) as client:
        assert [client.head(path).status_code for path in ("/changes", f"/jobs/{job}/changes")] == [200, 200]
