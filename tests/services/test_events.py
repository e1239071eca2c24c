"""The stream of events: complete, in order, resumed at any id, and as it was when a later round changes the job."""

from __future__ import annotations

import json
import random
import threading
from typing import get_args

import pytest

from jobctl.domain.documents.event import EventName
from jobctl.domain.event import BODY_LIMIT, encode
from jobctl.domain.event_types import TYPES
from jobctl.domain.job_filter import JobFilter
from jobctl.domain.notify import NotifyOptions
from jobctl.domain.policy import Backoff, Policy
from jobctl.domain.selection import Selection
from jobctl.domain.spans import spans_of
from jobctl.errors import UsageError
from jobctl.services import notify
from jobctl.services.control import cancel_items, pause, prune, rules
from jobctl.services.control.prune_choice import PruneOptions
from jobctl.services.control.retry import retry
from jobctl.services.events import LAST_EVENTS, EventReader, EventStream, WantedEvents, first_id
from jobctl.store import event_ids, journal, requests
from jobctl.store.requests import Request
from tests.engine.bench import SECOND, Bench
from tests.executors.fake import Play
from tests.schemas import check

EVERYTHING = WantedEvents(items=True)
TWICE = Policy(attempts=2, backoff=Backoff(0.01, 1, 0.01))


def read(bench, wanted=EVERYTHING, since=0):
    """All events after an id, as a new reader finds them."""
    reader = EventReader(bench.database, wanted, since)
    found = []
    while page := reader.read():
        found += page
    return found


def types(events):
    return [event["type"] for event in events]


@pytest.fixture
def bench(tmp_path):
    """Items that succeed, one that fails for good, and one that fails at each attempt."""
    script = {2: Play(code=65, err=b"bad row 17\n"), 3: Play(code=1, err=b"no luck\n")}
    return Bench(tmp_path, script=lambda d: script.get(d.item, Play()))


def test_a_job_from_its_submission_to_its_end(bench):
    bench.submit(rows=4, policy=TWICE)
    bench.work_off()
    events = [check("event-1", event) for event in read(bench)]
    assert types(events)[:2] == ["job.submitted", "job.started"]
    assert types(events)[-1] == "job.partial"
    assert sorted(types(events)[2:-1]) == [
        *("item.failed", "item.failed", "item.retrying", "item.succeeded", "item.succeeded", "job.failures"),
    ]
    assert [event["id"] for event in events] == sorted({event["id"] for event in events})
    (retried,) = [event for event in events if event["type"] == "item.retrying"]
    assert retried["data"]["item"] == 3 and retried["data"]["outcome"]["code"] == "exit_1"
    assert retried["data"]["message"].endswith(", runs again: exit_1: no luck")
    assert types(read(bench, WantedEvents())) == [each for each in types(events) if not each.startswith("item.")]


def test_each_type_is_in_the_table_and_in_the_document():
    assert set(get_args(EventName)) == set(TYPES)
    assert all(name.startswith(("job.", "item.", "delivery.", "queue.", "store.")) for name in TYPES)


def test_the_end_of_a_round_is_the_notification_and_stays_as_it_was(bench):
    job = bench.submit(rows=4, policy=TWICE, notify=NotifyOptions(commands=("true",)))
    bench.work_off()
    before = [event for event in read(bench) if event["type"] == "job.partial"]
    retry(bench.home, job, Selection(), now=bench.now)
    bench.work_off()
    ends = [event for event in read(bench) if event["type"] == "job.partial"]
    bodies = [row[0] for row in bench.database.execute("SELECT body FROM deliveries ORDER BY round")]
    assert [encode(event) for event in ends] == bodies
    assert ends[:1] == before and [event["data"]["round"] for event in ends] == [1, 2]
    assert "job.retried" in types(read(bench))


def test_the_end_is_kept_also_if_nobody_is_notified(bench):
    job = bench.submit(rows=4, policy=TWICE)
    bench.work_off()
    (before,) = [event for event in read(bench) if event["type"] == "job.partial"]
    assert before["data"]["counts"]["failed"] == 2
    retry(bench.home, job, Selection(), now=bench.now)
    assert before in read(bench)


def test_an_end_that_an_older_version_wrote_is_told_by_its_notification_or_its_line(bench):
    bench.submit(rows=1, notify=NotifyOptions(commands=("true",)))
    bench.submit(rows=1)
    bench.work_off()
    with bench.database.transaction():
        bench.database.execute("UPDATE journal SET body = NULL")
        bench.database.execute("UPDATE deliveries SET body = json_remove(body, '$.schema', '$.id')")
    notified, other = [event for event in read(bench) if event["type"] == "job.succeeded"]
    assert notified["data"]["counts"]["succeeded"] == 1 and notified["schema"] == "jobctl.event/1"
    assert other["data"]["message"].startswith("succeeded") and other["data"]["round"] == 1


def _unreadable(*_):
    raise TypeError("a cell of another type")


@pytest.mark.parametrize("is_known", [True, False])
def test_a_job_with_damaged_causes_ends_and_has_its_event(bench, monkeypatch, is_known):
    if not is_known:
        monkeypatch.setattr("jobctl.store.ended_job.ended_job", _unreadable)
    bench.submit(rows=4, policy=TWICE, notify=NotifyOptions(commands=("true",)), key="k")
    while not bench.job(1).counts.failed:
        bench.tick()
    with bench.database.transaction():
        bench.database.execute("UPDATE failures SET samples = x'ff00', message = x'fe', code = 7")
    bench.work_off()
    (end,) = [event for event in read(bench) if event["type"] == "job.partial"]
    assert end["data"]["counts"]["failed"] == 2
    assert bench.database.scalar("SELECT body FROM deliveries") == encode(check("event-1", end))


def test_every_failure_is_counted_at_1_10_100(tmp_path):
    bench = Bench(tmp_path, script=lambda _: Play(code=1, err=b"boom\n"), slots=4)
    job = bench.submit(rows=120, policy=Policy(attempts=1))
    bench.work_off()
    marks = [event for event in read(bench) if event["type"] == "job.failures"]
    assert [len(str(event["data"]["details"]["failed"])) for event in marks] == [1, 2, 3]
    assert all(event["data"]["reason"] == "exit_1: boom" for event in marks)
    retry(bench.home, job, Selection(items=spans_of([1])), now=bench.now)
    bench.work_off()
    marks = [event for event in read(bench) if event["type"] == "job.failures"]
    assert [event["data"]["round"] for event in marks] == [1, 1, 1, 2], "each round counts its own failures"


def test_commands_of_people_say_by_whom_and_why(bench):
    job = bench.submit(rows=3, hold=True)
    pause.resume(bench.home, [job], now=bench.now)
    pause.pause(bench.home, [job], reason="too slow", now=bench.now)
    rules.set_rules(bench.home, job, {"slots": "1"}, now=bench.now)
    pause.pause_queue(bench.home, "mail", reason="full", now=bench.now)
    pause.pause_queue(bench.home, "mail", reason="again", now=bench.now)
    rules.set_queue(bench.home, "mail", {"slots": "2"}, now=bench.now)
    pause.resume_queue(bench.home, "mail", now=bench.now)
    events = [check("event-1", event) for event in read(bench)]
    assert types(events) == [
        *("job.submitted", "job.held", "job.resumed", "job.paused", "job.rules_changed"),
        *("queue.paused", "queue.set", "queue.resumed"),
    ]
    assert [event["data"]["reason"] for event in events][3:7] == ["too slow", "slots=1", "full", "slots=2"]
    assert all(event["data"]["actor"] for event in events)
    assert events[5]["data"]["message"].startswith("queue mail paused by ")
    assert events[5]["data"]["id"] is None and events[5]["data"]["queue"] == "mail"
    of_queue = WantedEvents(filter=JobFilter(queue="mail"))
    assert types(read(bench, of_queue)) == ["queue.paused", "queue.set", "queue.resumed"]
    assert types(read(bench, WantedEvents(frozenset({job})))) == types(events)[:5]


def test_the_cancel_of_a_job_and_of_items(bench):
    job = bench.submit(rows=400)
    bench.tick(2)
    with bench.database.transaction():
        requests.add(bench.database, Request(job, None, requests.CANCEL, False, "me", "enough"), bench.now)
    bench.work_off()
    events = read(bench)
    assert "job.cancel_requested" in types(events) and types(events)[-1] == "job.cancelled"
    ends = {}
    for event in events:
        if event["type"] in ("item.succeeded", "item.failed", "item.unprocessed"):
            ends.setdefault(event["data"]["item"], []).append(event["type"])
    assert sorted(ends) == list(range(1, 401)) and all(len(each) == 1 for each in ends.values())
    assert types(events).count("item.unprocessed") == bench.job(job).counts.unprocessed > 300


def test_a_set_of_cancelled_items_is_one_event(bench):
    job = bench.submit(rows=30)
    with bench.database.transaction():
        journal.note(bench.database, job, journal.ITEMS_CANCELLED, at=bench.now, actor="me", reason="why", items=7)
        journal.note(bench.database, job, journal.CANCELLED, at=bench.now, actor="me", reason="why", item=17)
    several, one = read(bench)[-2:]
    assert several["data"]["message"] == "7 items cancelled by me: why"
    assert one["data"]["message"] == "item 17 cancelled by me: why" and one["data"]["item"] == 17
    assert cancel_items.journal.ITEMS_CANCELLED == "items_cancelled"


def test_deliveries_are_events(bench):
    job = bench.submit(rows=1, notify=NotifyOptions(commands=("false",)))
    bench.work_off()
    with bench.database.transaction():
        for state in ("delivered", "dead", "disabled"):
            journal.note(bench.database, job, f"notify_{state}", at=bench.now, actor="engine", reason="x: HTTP 200")
        bench.database.execute("UPDATE deliveries SET state = 'dead', next_at = NULL, settled_at = 1")
    (delivery,) = bench.database.execute("SELECT id FROM deliveries").fetchone()
    notify.resend(bench.home, delivery, now=bench.now)
    found = [event for event in read(bench) if event["type"].startswith("delivery.")]
    assert types(found) == [f"delivery.{verb}" for verb in ("delivered", "dead", "disabled", "resent")]
    for event in found:
        check("event-1", event)


def test_a_word_of_a_newer_version_and_damaged_lines_are_shown(bench):
    job = bench.submit(rows=1)
    with bench.database.transaction():
        journal.note(bench.database, job, "teleported", at=bench.now, actor="me", reason="why")
        columns = "id, at, job, item, actor, event, reason, data, body"
        insert = f"INSERT INTO journal ({columns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
        number = event_ids.take(bench.database, 3)
        bench.database.execute(insert, (number - 2, 1 << 62, job, "x", b"\xff", "finished", "nonsense", "{", b"{"))
        bench.database.execute(insert, (number - 1, -1, job, None, "a", "finished", "partial", "[]", b"\xff\x00"))
        bench.database.execute(insert, (number, 1, job, None, "a", "items_cancelled", "", '{"items": "many"}', None))
        bench.database.execute(
            "INSERT INTO outcomes VALUES (?, ?, 1, 5, x'0102')", (event_ids.take(bench.database, 5), job)
        )
    found = [check("event-1", event) for event in read(bench, WantedEvents(items=True))]
    assert types(found)[1:] == ["job.noted", "job.noted", "job.partial", "item.cancelled"]
    assert found[1]["data"]["message"] == "teleported by me: why"


def test_an_event_is_bounded(bench):
    job = bench.submit(rows=1)
    with bench.database.transaction():
        data = {"policy_before": ["x" * 90] * 1000}
        journal.note(bench.database, job, "rules_changed", at=bench.now, actor="a" * 9_000, reason="r" * 90_000, **data)
    assert all(len(encode(event)) < BODY_LIMIT for event in read(bench))


# ---- resuming ----


class _Walk:
    """Random commands on a store, and readers that stop and resume while they run."""

    def __init__(self, bench, seed):
        self.bench = bench
        self.rng = random.Random(seed)
        self.jobs = []

    def step(self):
        bench, rng = self.bench, self.rng
        deed = rng.randrange(8)
        if deed == 0 or not self.jobs:
            self.jobs.append(bench.submit(rows=rng.randint(1, 12), policy=TWICE, queue=rng.choice(("default", "q"))))
        elif deed == 1:
            job = rng.choice(self.jobs)
            if bench.job(job).finished_at is not None and bench.job(job).counts.failed:
                retry(bench.home, job, Selection(), now=bench.now)
        elif deed == 2:
            pause.pause(bench.home, [rng.choice(self.jobs)], reason="r", now=bench.now)
        elif deed == 3:
            pause.resume(bench.home, self.jobs, now=bench.now)
        elif deed == 4 and rng.random() < 0.3:
            with bench.database.transaction():
                request = Request(rng.choice(self.jobs), None, requests.CANCEL, False, "me", "enough")
                requests.add(bench.database, request, bench.now)
        elif deed == 5:
            rules.set_queue(bench.home, "q", {"slots": rng.choice(("1", "none"))}, now=bench.now)
        else:
            bench.tick(rng.randint(1, 4))


@pytest.mark.parametrize("seed", range(4))
def test_readers_that_stop_and_resume_at_random_ids_see_what_one_reader_sees(tmp_path, seed):
    bench = Bench(tmp_path, script=lambda d: Play(code=1, err=b"no\n") if d.item % 3 == 0 else Play(), slots=3)
    walk = _Walk(bench, seed)
    choices = [
        *(EVERYTHING, WantedEvents(), WantedEvents(frozenset({1}), items=True), WantedEvents(frozenset({1, 3}))),
        *(WantedEvents(frozenset({2, 3}), items=True), WantedEvents(filter=JobFilter(queue="q"), items=True)),
        WantedEvents(items=True, sees=lambda job: job % 2 == 1),
    ]
    followers = [(wanted, [], EventReader(bench.database, wanted, 0)) for wanted in choices]
    for _ in range(120):
        walk.step()
        for wanted, seen, reader in followers:
            if walk.rng.random() < 0.4:
                seen += reader.read(walk.rng.randint(1, 7))
            if seen and walk.rng.random() < 0.2:  # it dies, and another one continues after an event that it has seen
                del seen[walk.rng.randrange(len(seen)) + 1 :]
                reader.__init__(bench.database, wanted, seen[-1]["id"])
    pause.resume(bench.home, walk.jobs, now=bench.now)
    bench.work_off()
    for wanted, seen, reader in followers:
        while page := reader.read(walk.rng.randint(1, 50)):
            seen += page
        assert seen == read(bench, wanted)
        assert reader.position == event_ids.last(bench.database)
    whole = read(bench)
    for wanted in choices[2:5]:
        assert read(bench, wanted) == [
            event for event in whole if event["data"]["id"] in wanted.jobs and (wanted.items or not _is_outcome(event))
        ]


def _is_outcome(event):
    return "outcome" in event["data"]


def test_a_prune_while_a_reader_follows(bench):
    first = bench.submit(rows=600)
    bench.work_off()
    second = bench.submit(rows=2)
    bench.work_off()
    whole = read(bench)
    reader = EventReader(bench.database, EVERYTHING, 0)
    seen = reader.read(10)
    stream = EventStream(bench.home, WantedEvents(frozenset({first, second})), since=0)
    later = bench.now + 3600 * SECOND
    prune.prune(bench.home, PruneOptions(jobs=(first,)), now=later)
    seen += [event for page in iter(reader.read, []) for event in page]
    assert seen == whole[:10] + [event for event in whole[10:] if event["data"]["id"] == second]
    with stream:
        assert stream.missing() == [first] and stream.is_over()
        assert {event["data"]["id"] for event in stream} == {second}
    with EventStream(bench.home, WantedEvents(), since=0) as stream:
        assert stream.note() == f"events up to the id {whole[-1]['id'] - 6} may be missing: their jobs were removed"
    bench.submit(rows=1)
    assert read(bench)[-1]["id"] > whole[-1]["id"]


# ---- streams ----


def test_a_stream_begins_where_it_says(bench):
    job = bench.submit(rows=1)
    for _ in range(LAST_EVENTS):
        rules.set_queue(bench.home, "mail", {"slots": "2"}, now=bench.now)
    with EventStream(bench.home) as stream:
        assert len(stream.read()) == LAST_EVENTS
        assert "jobctl events --since 0" in stream.note()
    with EventStream(bench.home, WantedEvents(frozenset({job}))) as stream:
        assert types(stream.read()) == ["job.submitted"] and not stream.note()
    with EventStream(bench.home, since=LAST_EVENTS - 1) as stream:
        assert len(stream.read()) == 2 and stream.position == LAST_EVENTS + 1
    with pytest.raises(UsageError, match=f"the last event of this store has the id {LAST_EVENTS + 1}"):
        EventStream(bench.home, since=LAST_EVENTS + 2)


def test_since_is_an_id_or_a_time(bench):
    bench.submit(rows=1)
    early = bench.now
    bench.now += 3600 * SECOND
    bench.submit(rows=1)
    assert first_id(bench.home, None, bench.now) is None
    assert first_id(bench.home, "41", bench.now) == 41
    assert first_id(bench.home, "10m", bench.now) == 1
    assert first_id(bench.home, "2h", bench.now) == 0
    assert first_id(bench.home, "10m", bench.now + 7200 * SECOND) == 2
    assert early < bench.now
    for wrong in ("x", "-1", "9" * 40, "10 parsecs"):
        with pytest.raises(UsageError, match="--since"):
            first_id(bench.home, wrong, bench.now)


def test_a_stream_ends_when_its_jobs_are_done_and_may_be_read_by_several_threads(bench):
    job = bench.submit(rows=5)
    seen = []

    def follow():
        with stream:
            seen.extend(stream)

    stream = EventStream(bench.home, WantedEvents(frozenset({job}), items=True))  # made by another thread
    follower = threading.Thread(target=follow)
    follower.start()
    bench.work_off()
    follower.join(120)
    assert not follower.is_alive()
    assert seen == read(bench)


def test_a_wait_ends_with_a_change(bench):
    with EventStream(bench.home, since=0) as stream:
        assert not stream.read()
        changer = threading.Timer(0.2, lambda: rules.set_queue(bench.home, "mail", {"slots": "2"}, now=bench.now))
        changer.start()
        while not stream.read():
            stream.wait(60)
        changer.join()


def test_the_memory_of_a_reader_does_not_depend_on_the_events(bench):
    bench.submit(rows=5)
    with bench.database.transaction():
        from jobctl.store import outcomes

        for first in range(1, 200_000, 20_000):
            outcomes.record(bench.database, 1, bench.now, [outcomes.Section(5, range(first, first + 20_000), 0)])
    reader = EventReader(bench.database, EVERYTHING, 0)
    count = len(reader.read(100))
    assert count == 100
    reader = EventReader(bench.database, EVERYTHING, event_ids.last(bench.database) - 150)
    assert len(reader.read()) == 150
    assert json.dumps(reader.read()) == "[]"
