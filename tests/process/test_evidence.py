"""The evidence that a process belongs to an item of a dead supervisor, so that no other process is ended."""

from __future__ import annotations

import os
import select
import subprocess

import pytest

from jobctl.process import leaders, sweep
from jobctl.process.evidence import Evidence
from jobctl.process.identity import Handle, start_time
from jobctl.process.leaders import Leaders, since_boot_ns
from jobctl.supervisor.barred import BarredAttempts
from jobctl.supervisor.protocol import wire
from tests.wait import wait_executed

STORE = "a-store-of-test-evidence"
ATTEMPT = (3, 7, 2)


@pytest.fixture
def place(tmp_path):
    (tmp_path / "logs" / "3").mkdir(parents=True)
    return tmp_path


@pytest.fixture
def table(place):
    return Leaders(str(place / leaders.NAME))


@pytest.fixture
def sleeper():
    started = []

    def start(*words, **options):
        options.setdefault("start_new_session", True)
        started.append(subprocess.Popen(words or ("sleep", "60"), stdin=subprocess.DEVNULL, **options))
        if not words:  # others say something, or end at once
            wait_executed(started[-1].pid)
        return started[-1]

    yield start
    for each in started:
        each.kill()
        each.wait()
        if each.stdout is not None:
            each.stdout.close()


def found(place):
    return {each.pid: each.attempt for each in Evidence(STORE, str(place)).find()}


def test_a_recorded_leader_is_found_by_number_and_start_time(place, table, sleeper):
    begun = since_boot_ns()
    leader = sleeper()
    table.add(ATTEMPT, leader.pid, begun, 1)
    assert found(place) == {leader.pid: ATTEMPT}


def test_a_reused_pid_its_session_and_its_children_do_not_belong_to_the_item(place, table, sleeper):
    stranger = sleeper("sh", "-c", "sleep 60 & echo; wait", stdout=subprocess.PIPE)
    stranger.stdout.readline()
    table.add(ATTEMPT, stranger.pid, since_boot_ns() + 10**9, 1)
    assert found(place) == {}


def test_the_session_of_a_leader_that_is_gone_is_known(place, table, sleeper):
    begun = since_boot_ns()
    leader = sleeper("sh", "-c", "sleep 60 & echo $!", stdout=subprocess.PIPE)
    child = int(leader.stdout.readline())
    leader.wait()
    try:
        table.add(ATTEMPT, leader.pid, begun, 1)
        assert found(place) == {child: ATTEMPT}
    finally:
        os.kill(child, 9)


def test_no_other_evidence_is_examined_after_a_supervisor_that_ended_well(place, table, sleeper):
    sleeper(env={"JOBCTL_COOKIE": f"{STORE}.3.7.2"})
    assert list(found(place).values()) == [ATTEMPT]
    table.close()
    assert found(place) == {}


def test_a_process_older_than_the_dead_supervisor_does_not_belong_to_it(place, sleeper):
    sleeper(env={"JOBCTL_COOKIE": f"{STORE}.3.7.2"})
    table = Leaders(str(place / leaders.NAME))
    table._map[48:56] = (since_boot_ns() + 10**9).to_bytes(8, "little")
    assert found(place) == {}


@pytest.mark.parametrize(("flags", "ours"), [
    (os.O_RDWR | os.O_APPEND | os.O_NOFOLLOW, True),  # as items are given it
    (os.O_RDONLY, False), (os.O_RDONLY | os.O_NOFOLLOW, False),
    (os.O_WRONLY | os.O_APPEND, False), (os.O_RDWR, False),
])  # fmt: skip
def test_an_inherited_output_file_identifies_an_item_and_one_that_was_opened_does_not(
    place, table, sleeper, flags, ours
):
    fd = os.open(place / "logs" / "3" / "1.out", flags | os.O_CREAT, 0o600)
    holder = sleeper("sleep", "60", stdout=fd, env={})
    os.close(fd)
    assert list(found(place)) == ([holder.pid] if ours else [])


def test_descendants_of_an_item_belong_to_it(place, table, sleeper):
    begun = since_boot_ns()
    leader = sleeper("sh", "-c", "setsid env -i sleep 60 & echo $!; wait", stdout=subprocess.PIPE)
    leader.stdout.readline()
    table.add(ATTEMPT, leader.pid, begun, 1)
    assert len(found(place)) == 2 and set(found(place).values()) == {ATTEMPT}


def test_the_table_keeps_unfinished_attempts_and_reuses_places(place):
    table = Leaders(str(place / leaders.NAME))
    places = [table.add((1, item, 1), 100 + item, 5, item) for item in range(3)]
    table.remove(places[1])
    assert table.add((1, 9, 1), 109, 5, 9) == places[1]
    record = leaders.LeadersFile(str(place / leaders.NAME))
    assert [entry.attempt[1] for entry in record.entries] == [0, 9, 2]
    assert [entry.pid for entry in Leaders(str(place / leaders.NAME)).before] == [100, 109, 102]


def test_a_leader_that_works_for_one_attempt_after_another_is_found_as_the_last(place, table, sleeper):
    begun = since_boot_ns()
    leader = sleeper()
    at = table.add(ATTEMPT, leader.pid, begun, 1)
    table.rename(at, (3, 9, 1))
    table.rename(-1, (3, 10, 1))
    assert found(place) == {leader.pid: (3, 9, 1)}


def test_a_damaged_table_or_one_of_another_boot_is_ignored(place, table, monkeypatch):
    table.add(ATTEMPT, os.getpid(), 5, 1)
    monkeypatch.setattr(leaders, "boot_id", lambda: "another boot")
    assert leaders.LeadersFile(str(place / leaders.NAME)).entries == []
    assert Leaders(str(place / leaders.NAME)).before == []
    os.truncate(place / leaders.NAME, 100)
    assert leaders.LeadersFile(str(place / leaders.NAME)).since == 0


def test_more_attempts_than_the_table_has_room_for_are_not_recorded(place, table, monkeypatch):
    monkeypatch.setattr(leaders, "_ROOM", 2)
    assert [table.add((1, n, 1), n, 1, n) for n in range(4)] == [0, 1, -1, -1]
    table.turn(-1, leaders.WAITS, [1])
    table.remove(-1)


@pytest.fixture
def immortal(monkeypatch):
    """The names of a process that must not be signalled."""
    spared = []
    real = Handle.send
    monkeypatch.setattr(Handle, "send", lambda self, number: self.pid not in spared and real(self, number))
    monkeypatch.setattr(Handle, "is_refused", lambda self: self.pid in spared)
    return spared


def test_an_unkillable_process_delays_only_its_own_item_until_it_is_gone(place, table, sleeper, immortal):
    begun = since_boot_ns()
    leader, other = sleeper(), sleeper()
    table.add(ATTEMPT, leader.pid, begun, 1)
    table.add((3, 8, 1), other.pid, begun, 2)
    immortal.append(leader.pid)
    left = sweep.sweep(STORE, grace_s=30, folder=str(place))
    assert [each.pid for each in left] == [leader.pid] and other.wait(60) is not None
    following = Leaders(str(place / leaders.NAME))
    barred = BarredAttempts(STORE, str(place), following, left)
    assert [entry.state for entry in leaders.LeadersFile(str(place / leaders.NAME)).entries] == [leaders.BARRED]
    assert f"{leader.pid} sleep" in barred.sentences()[0] and "item 3.7" in barred.sentences()[0]
    told = []
    poll = select.poll()
    barred.watch(poll, 0.0)
    barred.tell_again(lambda *said: told.append(said))
    assert told == [(wire.BARRED, [ATTEMPT])] and barred.ids() == [ATTEMPT]
    immortal.clear()
    leader.kill()
    ((fd, _),) = poll.poll(30_000)
    assert barred.is_watched(fd)
    leader.wait()
    barred.look(1.0, lambda *said: told.append(said))
    assert told[1:] == [(wire.LOST, ATTEMPT)] and barred.ids() == [ATTEMPT], "until the engine has recorded it"
    barred.acknowledge([ATTEMPT])
    assert barred.ids() == [] and leaders.LeadersFile(str(place / leaders.NAME)).entries == []


def test_an_unkillable_process_of_no_known_item_keeps_the_daemon_from_starting(place, table):
    from jobctl.process.evidence import FoundProcess

    with pytest.raises(LookupError):
        BarredAttempts(STORE, str(place), table, [FoundProcess(os.getpid(), start_time(os.getpid()) or 0, None)])
