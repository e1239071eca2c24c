"""The body of a webhook, as an independent library verifies it, is the event that the streams have."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest
from standardwebhooks import Webhook

from jobctl.store import journal
from tests.engine.receiver import Receiver
from tests.engine.test_notifier import SECRET, Desk, hook
from tests.http.serving import serving
from tests.http.sse import events_of


def test_a_verified_webhook_has_the_event_of_the_stream(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOOK_SECRET", SECRET)
    desk = Desk(tmp_path)
    with closing(Receiver()) as receiver:
        job = desk.ended_job(hook(receiver.url("/204"), secret_env="HOOK_SECRET"))
        with desk.database.transaction():  # the engine writes this line in the transaction that ends the round
            journal.note(desk.database, job, "finished", at=desk.now, actor="engine", reason="partial", round=1)
        desk.deliver()
        (got,) = receiver.requests
    event = Webhook(SECRET).verify(got.body, got.headers)
    with serving(desk.home) as client:
        path = f"/v1/jobs/{job}/events"
        assert [each for each in client.get(path).json()["events"] if each["type"] == "job.partial"] == [event]
        with client.stream("GET", path, headers={"Accept": "text/event-stream"}) as response:
            (streamed,) = [each for each in events_of(response) if each.name == "job.partial"]
    assert streamed.data == event
    assert streamed.id == str(event["id"])
