"""The messages about items that wait for processes, and about processes that were ended."""

from __future__ import annotations

import os

import pytest

from jobctl.domain.ports import Finished
from jobctl.process import leaders
from jobctl.process.leaders import Leaders, since_boot_ns
from jobctl.services.status.document import job_document
from jobctl.services.status.process_waits import process_waits
from jobctl.store import leftovers
from tests.factories import SECOND, SUBMITTED_AT
from tests.locks import held_lock
from tests.schemas import check

NOW = SUBMITTED_AT + 64 * SECOND


@pytest.fixture
def table(home):
    home.root.mkdir(exist_ok=True)
    return Leaders(str(home.root / leaders.NAME))


def attention(store, home, job):
    with held_lock(home) as pid:
        store.daemon(pid=pid, heartbeat_at=NOW)
        document = job_document(store.database, home, job, NOW)
    check("status-1", document)
    return {found["code"]: found["message"] for found in document["attention"]}


@pytest.mark.parametrize(("state", "code", "said"), [
    (leaders.WAITS, "leftovers_running", "item 2 has exited and waits for 1 process that it left behind: "),
    (leaders.STUCK, "cannot_end", "item 2 cannot be ended and keeps its slot: "),
    (leaders.BARRED, "barred", "item 2 does not start: 1 process of an earlier attempt cannot be ended"),
])  # fmt: skip
def test_each_way_to_wait_has_its_sentence(store, home, table, state, code, said):
    job = store.job("rr", state="running", started_at=SUBMITTED_AT, attempts=2)
    table.turn(table.add((job, 2, 1), os.getpid(), since_boot_ns(), 1), state, [os.getpid()])
    table.add((job, 1, 1), os.getpid(), since_boot_ns(), 2)
    table.turn(table.add((job + 1, 1, 1), os.getpid(), since_boot_ns(), 3), state, [os.getpid()])
    found = attention(store, home, job)
    assert found[code].startswith(said) and str(os.getpid()) in found[code]
    assert [each.item for each in process_waits(home, job)] == [2]


def test_many_processes_are_counted_and_a_few_are_named(store, home, table):
    job = store.job("r", state="running", started_at=SUBMITTED_AT, attempts=1)
    table.turn(table.add((job, 1, 1), 1, since_boot_ns(), 1), leaders.WAITS, [os.getpid()] * 50)
    (found,) = process_waits(home, job)
    assert found.processes == 50 and found.named.endswith(" and 43 more")


def test_doctor_names_processes_that_cannot_be_ended_while_a_daemon_is_up(home, table):
    import types

    from jobctl.services.doctor.checks.process import leftovers

    patient = types.SimpleNamespace(home=home, holder=1)
    place = table.add((4, 2, 1), os.getpid(), since_boot_ns(), 1)
    table.turn(place, leaders.WAITS, [os.getpid()])
    assert leftovers(patient).level == "ok"
    table.turn(place, leaders.STUCK, [os.getpid()])
    found = leftovers(patient)
    assert found.level == "warn" and found.message.startswith("item 4.2 cannot be ended") and "as root" in found.action


def ended(job, item, text, attempt=1):
    return Finished(job, item, attempt, 0, 0, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 2, b"", b"", left=text)


def test_ended_leftovers_are_reported_for_a_done_job_too(store, home):
    job = store.job("ss", state="succeeded", started_at=SUBMITTED_AT, finished_at=NOW, attempts=2)
    with store.database.transaction():
        leftovers.record(store.database, [ended(job, 1, "2 ffmpeg, gpg-agent"), ended(job, 2, "")])
    assert attention(store, home, job) == {
        "leftovers_ended": "2 processes that item 1 left behind were ended: ffmpeg, gpg-agent"
    }
    with store.database.transaction():
        leftovers.record(store.database, [ended(job, 2, "1 adb")])
    assert attention(store, home, job) == {"leftovers_ended": "3 processes that 2 items left behind were ended: adb"}


@pytest.mark.parametrize(("text", "parted"), [("", (1, "")), ("x y", (1, "y")), ("9" * 30, (1, "")), ("7", (7, ""))])
def test_the_text_of_a_supervisor_is_not_trusted(text, parted):
    assert leftovers.parse(text) == parted
