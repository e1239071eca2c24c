"""Outcomes of calls that outlive the supervisor: the next one finds them and ignores invalid ones."""

from __future__ import annotations

import os
import random

import pytest

from jobctl.supervisor.calls import kept_calls
from jobctl.supervisor.calls.kept_calls import KeptCalls, holds_any


@pytest.fixture
def path(tmp_path):
    return str(tmp_path / "calls")


def made(number, size=100):
    return (1, number, 2, 9000, 0, 0, 0, 0, (), (1, b"x" * size))


def test_unacknowledged_outcomes_are_found_although_the_writer_closed_nothing(path):
    assert not holds_any(path)
    first = KeptCalls(path)
    assert not holds_any(path)
    messages = [made(number) for number in range(1, 6)]
    for each in messages:
        first.put(each)
    assert holds_any(path)
    assert list(KeptCalls(path).load()) == messages
    assert os.stat(path).st_mode & 0o777 == 0o600


def test_an_acknowledged_outcome_is_not_reported_again(path):
    first = KeptCalls(path)
    for number in range(1, 6):
        first.put(made(number))
    first.acknowledge([1, 2])
    assert [m[1] for m in KeptCalls(path).load()] == [3, 4, 5]
    second = KeptCalls(path)
    list(second.load())
    second.acknowledge([3, 4, 5])
    assert not holds_any(path)
    assert list(KeptCalls(path).load()) == []


def test_the_ring_wraps_with_messages_of_any_length(path):
    ring = KeptCalls(path)
    sizes = random.Random(4)
    waiting = {}
    for number in range(1, 800):
        message = made(number, sizes.choice([0, 100, 30_000, 200_000]))
        ring.put(message)
        waiting[number] = message
        if len(waiting) > 8:
            gone = min(waiting)
            ring.acknowledge([gone])
            del waiting[gone]
        if number % 50 == 0:
            assert {m[1]: m for m in KeptCalls(path).load()} == waiting
    assert {m[1]: m for m in KeptCalls(path).load()} == waiting


def test_a_message_without_room_is_left_out_and_harms_nothing(path):
    ring = KeptCalls(path)
    ring.put(made(1, 3 << 20))
    ring.put(made(2, 3 << 20))
    ring.put(made(3))
    assert [m[1] for m in KeptCalls(path).load()] == [1, 3]
    ring.acknowledge([1, 2, 3])
    ring.put(made(4, 5 << 20))
    assert list(KeptCalls(path).load()) == []


def test_the_file_of_another_boot_is_ignored(path, monkeypatch):
    KeptCalls(path).put(made(1))
    monkeypatch.setattr(kept_calls, "boot_id", lambda: "another")
    assert not holds_any(path)
    assert list(KeptCalls(path).load()) == []


def test_garbage_is_left_out(path):
    first = KeptCalls(path)
    first.put(made(1))
    first.put(made(2))
    with open(path, "r+b") as file:
        file.seek(kept_calls._RING_AT + 40)
        file.write(b"\xff" * 20)
    assert [m[1] for m in KeptCalls(path).load()] in ([2], [1, 2])


def test_without_a_file_nothing_is_kept_and_nothing_fails(tmp_path):
    nowhere = KeptCalls(str(tmp_path / "no" / "calls"))
    nowhere.put(made(1))
    nowhere.acknowledge([1])
    assert list(nowhere.load()) == []
