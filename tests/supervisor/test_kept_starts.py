"""The ring of starts after a kill, and the cases in which it is ignored."""

import os

import pytest

from jobctl.process import identity
from jobctl.supervisor import kept_starts
from jobctl.supervisor.kept_starts import KeptStarts, begun


@pytest.fixture
def path(tmp_path):
    return str(tmp_path / "starts")


def test_recorded_starts_are_read_although_the_writer_closed_nothing(path):
    ring = KeptStarts(path)
    ring.note(1, 17, 1)
    ring.note(2, 3, 2)
    assert begun(path, ring.name) >= {(1, 17, 1), (2, 3, 2)}
    assert (1, 18, 1) not in begun(path, ring.name)
    assert os.stat(path).st_mode & 0o777 == 0o600


def test_the_next_supervisor_of_a_boot_continues_where_the_last_one_died(path):
    first = KeptStarts(path)
    first.note(1, 1, 1)
    second = KeptStarts(path)
    second.note(1, 2, 1)
    assert second.name == first.name
    assert begun(path, second.name) >= {(1, 1, 1), (1, 2, 1)}


def test_the_newest_starts_replace_the_oldest(path):
    ring = KeptStarts(path)
    for item in range(70_000):
        ring.note(1, item, 1)
    found = begun(path, ring.name)
    assert (1, 69_999, 1) in found and (1, 5_000, 1) in found
    assert (1, 1, 1) not in found


def test_a_ring_of_another_name_is_ignored(path):
    ring = KeptStarts(path)
    assert begun(path, "somebody else's") is None
    assert begun(path, "") is None
    os.unlink(path)
    assert begun(path, ring.name) is None


def test_a_ring_of_another_boot_is_ignored_and_replaced(path, monkeypatch):
    ring = KeptStarts(path)
    ring.note(1, 1, 1)
    for module in (identity, kept_starts):
        monkeypatch.setattr(module, "boot_id", lambda: "another boot")
    assert begun(path, ring.name) is None
    assert KeptStarts(path).name != ring.name
    assert (1, 1, 1) not in begun(path, KeptStarts(path).name)


def test_a_torn_ring_is_ignored(path):
    ring = KeptStarts(path)
    os.truncate(path, 4096)
    assert begun(path, ring.name) is None


@pytest.mark.parametrize("plant", ["symlink", "hardlink", "fifo", "directory"])
def test_something_else_in_its_place_is_left_alone(path, tmp_path, plant):
    precious = tmp_path / "precious"
    precious.write_text("precious")
    {"symlink": os.symlink, "hardlink": os.link}.get(plant, lambda *_: None)(precious, path)
    if plant == "fifo":
        os.mkfifo(path)
    elif plant == "directory":
        os.mkdir(path)
    ring = KeptStarts(path)
    ring.note(1, 1, 1)
    assert ring.name == ""
    assert precious.read_text() == "precious"
