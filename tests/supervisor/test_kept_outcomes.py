"""Outcomes that outlive the supervisor: the next one finds them and ignores invalid ones."""

import os

import pytest

from jobctl.supervisor import kept_outcomes
from jobctl.supervisor.kept_outcomes import KeptOutcomes


@pytest.fixture
def path(tmp_path):
    return str(tmp_path / "outcomes")


def outcome(item, *, job=1, attempt=1, tail=b""):
    return (job, item, attempt, 0, 0, 1, 1_700_000_000_000_000, 5, 4, 3, 2, 1, 0, 0, 0, 0, b"", tail)


def test_unacknowledged_outcomes_are_found_although_the_writer_closed_nothing(path):
    first = KeptOutcomes(path)
    outcomes = [outcome(item) for item in range(1, 6)]
    for each in outcomes:
        first.put(each)
    assert list(KeptOutcomes(path).load()) == outcomes
    assert os.stat(path).st_mode & 0o777 == 0o600


def test_an_acknowledged_outcome_is_not_reported_again(path):
    first = KeptOutcomes(path)
    for item in range(1, 6):
        first.put(outcome(item))
    first.acknowledge([(1, 1, 1), (1, 2, 1)])
    assert [o[1] for o in KeptOutcomes(path).load()] == [3, 4, 5]
    first.acknowledge([(1, item, 1) for item in (3, 4, 5)])
    assert list(KeptOutcomes(path).load()) == []


def test_a_supervisor_that_ends_leaves_only_what_the_next_one_needs(path):
    first = KeptOutcomes(path)
    first.put(outcome(1, tail=b"last words"))
    first.close()
    assert list(KeptOutcomes(path).load()) == [outcome(1, tail=b"last words")]
    first.acknowledge([(1, 1, 1)])
    first.close()
    assert not os.path.exists(path)


def test_an_outcome_that_waits_long_keeps_its_place(path):
    first = KeptOutcomes(path)
    for item in range(1, 4):
        first.put(outcome(item))
    first.acknowledge([(1, 2, 1), (1, 3, 1)])
    assert (1, 1, 1) in {o[:3] for o in KeptOutcomes(path).load()}


def test_the_next_supervisor_acknowledges_outcomes_of_the_dead_one(path):
    KeptOutcomes(path).put(outcome(1))
    second = KeptOutcomes(path)
    assert [o[1] for o in second.load()] == [1]
    second.put(outcome(2))
    second.acknowledge([(1, 1, 1)])
    assert [o[1] for o in KeptOutcomes(path).load()] == [2]


def test_the_ring_wraps(path):
    ring = KeptOutcomes(path)
    for item in range(10_000):
        ring.put(outcome(item))
        ring.acknowledge([(1, item - 3, 1)])
    assert [o[1] for o in KeptOutcomes(path).load()] == [9_997, 9_998, 9_999]


def test_an_outcome_without_room_overwrites_nothing(path):
    ring = KeptOutcomes(path)
    for item in range(5_000):
        ring.put(outcome(item))
    found = [o[1] for o in KeptOutcomes(path).load()]
    assert found == list(range(4_096))


def test_the_end_of_a_long_last_output_is_kept(path):
    KeptOutcomes(path).put(outcome(1, tail=b"x" * 4000 + b"the end"))
    (found,) = KeptOutcomes(path).load()
    assert found[:16] == outcome(1)[:16] and found[17].endswith(b"xthe end")


def test_a_half_written_record_is_ignored(path):
    ring = KeptOutcomes(path)
    ring.put(outcome(1))
    ring.put(outcome(2))
    with open(path, "r+b") as file:
        file.seek(512 + 512)  # the second record's number
        file.write(b"\xff")
    assert [o[1] for o in KeptOutcomes(path).load()] == [1]


def test_invalid_data_in_a_record_is_ignored(path):
    ring = KeptOutcomes(path)
    ring.put(outcome(1))
    ring.put(outcome(2))
    with open(path, "r+b") as file:
        file.seek(512 + 10)
        file.write(b"\xff" * 20)
    assert [o[1] for o in KeptOutcomes(path).load()] == [2]


def test_outcomes_of_another_boot_are_ignored(path, monkeypatch):
    KeptOutcomes(path).put(outcome(1))
    monkeypatch.setattr(kept_outcomes, "boot_id", lambda: "another boot")
    later = KeptOutcomes(path)
    assert list(later.load()) == []
    later.put(outcome(2))
    assert [o[1] for o in KeptOutcomes(path).load()] == [2]


@pytest.mark.parametrize("plant", ["symlink", "hardlink", "fifo", "directory"])
def test_something_else_in_its_place_is_left_alone(path, tmp_path, plant):
    precious = tmp_path / "precious"
    precious.write_text("precious")
    {"symlink": os.symlink, "hardlink": os.link}.get(plant, lambda *_: None)(precious, path)
    if plant == "fifo":
        os.mkfifo(path)
    elif plant == "directory":
        os.mkdir(path)
    ring = KeptOutcomes(path)
    ring.put(outcome(1))
    ring.acknowledge([(1, 1, 1)])
    assert list(ring.load()) == []
    assert precious.read_text() == "precious"
