"""Events as pages of JSON and as streams."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice

import httpx
import pytest

from jobctl.config import Home
from jobctl.services.tokens import NewToken, add_token, read_token, revoke_token
from jobctl.store import event_ids, journal, outcomes
from jobctl.store import jobs as job_rows
from jobctl.store.outcomes import Section
from tests.factories import SUBMITTED_AT, JobMaker
from tests.http.serving import serving
from tests.http.sse import events_of

_STREAM = {"Accept": "text/event-stream"}


@pytest.fixture
def client(home: Home, store: JobMaker) -> Iterator[httpx.Client]:
    with serving(home) as found:
        yield found


def note(store: JobMaker, job: int, event: str = "paused", **values: object) -> int:
    """A line of the journal; its id."""
    with store.database.transaction():
        return journal.note(store.database, job, event, at=SUBMITTED_AT, actor="alice", **values)


def settle(store: JobMaker, job: int, items: range) -> int:
    """Outcomes of items; the id of the last one."""
    with store.database.transaction():
        outcomes.record(store.database, job, SUBMITTED_AT, [Section(3, items, 1)])
        return event_ids.last(store.database)


def end(store: JobMaker, job: int) -> int:
    """The end of a job whose items are done, in one transaction as the engine writes it; the id of its event."""
    with store.database.transaction():
        job_rows.update(store.database, job, state="succeeded", finished_at=SUBMITTED_AT)
        return journal.note(
            store.database, job, "finished", at=SUBMITTED_AT, actor="engine", reason="succeeded", round=1
        )


def test_a_page_has_the_events_after_an_id_and_leads_to_the_next_one(client: httpx.Client, store: JobMaker) -> None:
    job, other = store.job("ss"), store.job("s")
    ids = [note(store, job, event) for event in ("submitted", "paused", "resumed")]
    note(store, other)
    first = client.get(f"/v1/jobs/{job}/events?limit=2")
    assert [event["id"] for event in first.json()["events"]] == ids[:2]
    assert first.json()["schema"] == "jobctl.events/1"
    assert [event["type"] for event in first.json()["events"]] == ["job.submitted", "job.paused"]
    second = client.get(first.links["next"]["url"])
    assert [event["id"] for event in second.json()["events"]] == ids[2:]
    assert "next" not in second.links
    assert client.get(f"/v1/jobs/{job}/events?since={second.json()['next']}").json()["events"] == []
    assert [event["data"]["id"] for event in client.get("/v1/events").json()["events"]] == [job, job, job, other]


def test_items_have_events_only_for_those_who_ask(client: httpx.Client, store: JobMaker) -> None:
    job = store.job("ss")
    note(store, job)
    settle(store, job, range(1, 3))
    assert len(client.get(f"/v1/jobs/{job}/events").json()["events"]) == 1
    found = client.get(f"/v1/jobs/{job}/events?items=true").json()["events"]
    assert [(event["type"], event["data"].get("item")) for event in found] == [
        ("job.paused", None),
        ("item.succeeded", 1),
        ("item.succeeded", 2),
    ]


def test_a_request_can_wait_for_the_next_event(home: Home, client: httpx.Client, store: JobMaker) -> None:
    job = store.job("q", state="running")
    assert client.get(f"/v1/jobs/{job}/events?wait=0.01").json()["events"] == []
    with ThreadPoolExecutor() as threads:
        waiting = threads.submit(client.get, f"/v1/jobs/{job}/events?wait=60")
        number = note(store, job)
        assert [event["id"] for event in waiting.result().json()["events"]] == [number]


def test_a_stream_has_the_same_events_and_goes_on_with_those_that_happen(client: httpx.Client, store: JobMaker) -> None:
    job = store.job("qqq", state="running")
    before = note(store, job, "submitted")
    with client.stream("GET", f"/v1/jobs/{job}/events?items=true", headers=_STREAM) as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        assert response.headers["cache-control"] == "no-store"
        events = events_of(response)
        first = next(events)
        assert (first.id, first.name) == (str(before), "job.submitted")
        assert first.data == client.get(f"/v1/jobs/{job}/events").json()["events"][0]
        note(store, store.job("q"))  # of another job
        last = settle(store, job, range(1, 4))
        assert [next(events).data["id"] for _ in range(3)] == [last - 2, last - 1, last]
        paused = note(store, job)
        assert next(events).id == str(paused)


def test_the_stream_of_a_job_ends_with_it_and_a_client_that_has_all_of_it_gets_204(
    client: httpx.Client, store: JobMaker
) -> None:
    job = store.job("s", state="running")
    address = f"/v1/jobs/{job}/events"
    with client.stream("GET", address, headers=_STREAM) as response:
        last = end(store, job)
        found = list(events_of(response))
    assert [event.id for event in found] == [str(last)]
    assert client.get(address, headers=_STREAM | {"Last-Event-ID": str(last)}).status_code == 204
    with client.stream("GET", address, headers=_STREAM) as response:  # from the beginning
        assert [event.id for event in events_of(response)] == [str(last)]


def test_last_event_id_counts_more_than_since_because_a_browser_repeats_the_address(
    client: httpx.Client, store: JobMaker
) -> None:
    job = store.job("s", state="succeeded", finished_at=SUBMITTED_AT)
    ids = [note(store, job) for _ in range(3)]
    headers = _STREAM | {"Last-Event-ID": str(ids[1])}
    with client.stream("GET", f"/v1/jobs/{job}/events?since=0", headers=headers) as response:
        assert [event.id for event in events_of(response)] == [str(ids[2])]


def test_a_stream_of_all_jobs_begins_with_what_happens_next(client: httpx.Client, store: JobMaker) -> None:
    job = store.job("q")
    note(store, job)
    with client.stream("GET", "/v1/events", headers=_STREAM) as response:
        events = events_of(response)
        number = note(store, job, "resumed")
        assert next(events).id == str(number)
    with client.stream("GET", "/v1/events?since=0", headers=_STREAM) as response:
        assert next(events_of(response)).name == "job.paused"


def test_clients_that_begin_at_different_ids_all_get_what_follows(client: httpx.Client, store: JobMaker) -> None:
    job = store.job("s", state="running")
    ids = [note(store, job) for _ in range(40)]
    streams = [
        client.stream("GET", f"/v1/jobs/{job}/events?since={since}", headers=_STREAM) for since in (0, *ids[::10])
    ]
    responses = [stream.__enter__() for stream in streams]
    readers = [events_of(response) for response in responses]
    assert next(readers[0]).id == str(ids[0])  # one of them reads, the others have not looked yet
    ids += [note(store, job) for _ in range(5)]
    ids.append(end(store, job))
    found = [[int(event.id) for event in reader] for reader in readers]
    assert found == [ids[1:], *([number for number in ids if number > since] for since in ids[:40:10])]


@pytest.mark.parametrize("last", ["-1", "x", "1.5", "99999999999999999999", "7000"])
def test_an_id_that_cannot_be_is_refused(client: httpx.Client, store: JobMaker, last: str) -> None:
    job = store.job("q")
    for address in ("/v1/events", f"/v1/jobs/{job}/events"):
        assert client.get(address, headers=_STREAM | {"Last-Event-ID": last}).status_code == 422
        assert client.get(f"{address}?since={last}").status_code == 422


def test_streams_are_for_those_who_name_their_media_type(client: httpx.Client, store: JobMaker) -> None:
    job = store.job("s", state="succeeded", finished_at=SUBMITTED_AT)
    note(store, job)
    for accept, kind in (
        ("*/*", "application/json"),
        ("text/event-stream;q=0", "application/json"),
        ("text/html, text/event-stream; q=0.5", "text/event-stream"),
        ("TEXT/EVENT-STREAM", "text/event-stream"),
    ):
        response = client.get(f"/v1/jobs/{job}/events", headers={"Accept": accept})
        assert response.headers["content-type"].startswith(kind)
    assert client.head("/v1/events", headers=_STREAM).status_code == 200  # and it ends


def test_jobs_that_do_not_exist_have_no_stream_and_a_home_without_a_store_has_no_events(home: Home) -> None:
    with serving(home) as client:
        assert client.get("/v1/events").json()["events"] == []
        for address in ("/v1/events", "/v1/jobs/1/events"):
            assert client.get(address, headers=_STREAM).status_code == 404


def test_streams_end_when_the_store_is_removed(home: Home, client: httpx.Client, store: JobMaker) -> None:
    job = store.job("q", state="running")
    note(store, job)
    with client.stream("GET", f"/v1/jobs/{job}/events", headers=_STREAM) as response:
        events = events_of(response)
        next(events)
        shutil.rmtree(home.root)
        assert list(events) == []


def test_streams_end_when_the_server_stops(home: Home, store: JobMaker) -> None:
    job = store.job("q", state="running")
    note(store, job)
    with serving(home) as client:
        stream = client.stream("GET", f"/v1/jobs/{job}/events", headers=_STREAM)
        events = events_of(stream.__enter__())
        next(events)
    # The end of the block waits for the server, which waits for its streams.


@pytest.fixture
def token(home: Home, store: JobMaker) -> NewToken:
    token = read_token("app", "read", recipes=(), queue=None, rate="1000/s", sees_all=False)
    return add_token(home, token, SUBMITTED_AT)


def test_a_token_sees_the_events_of_its_own_jobs_alone(home: Home, store: JobMaker, token: NewToken) -> None:
    own, other = store.job("q", owner="app"), store.job("q")
    with serving(home, tcp=True) as client:
        client.headers["Authorization"] = f"Bearer {token.text}"
        with client.stream("GET", "/v1/events?items=true", headers=_STREAM) as response:
            number = note(store, own, "submitted")
            note(store, other, "submitted")
            settle(store, other, range(1, 2))
            with store.database.transaction():
                journal.note_of_store(store.database, "queue_paused", at=SUBMITTED_AT, actor="alice", queue="default")
            last = note(store, own)
            assert [int(event.id) for event in islice(events_of(response), 2)] == [number, last]
        assert [event["id"] for event in client.get("/v1/events").json()["events"]] == [number, last]
        assert client.get(f"/v1/jobs/{other}/events").status_code == 404


def test_a_revoked_token_ends_its_streams(home: Home, store: JobMaker, token: NewToken) -> None:
    job = store.job("q", owner="app", state="running")
    note(store, job)
    with serving(home, tcp=True) as client:
        client.headers["Authorization"] = f"Bearer {token.text}"
        with client.stream("GET", f"/v1/jobs/{job}/events", headers=_STREAM) as response:
            events = events_of(response)
            next(events)
            revoke_token(home, "app", SUBMITTED_AT)
            assert list(events) == []
        assert client.get(f"/v1/jobs/{job}/events").status_code == 401
