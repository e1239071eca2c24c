"""The checker hears it if a row is forgotten, is taken back twice, or has two tokens."""

import random
import shutil

import pytest

from tests.faults.check import violations
from tests.faults.rig import Rig
from tests.faults.test_check import write
from tests.faults.undoing import take_back_the_rest

#: The campaign belongs to the second stage, so do the tests of its checker.
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A store in which a job was taken back in two undo jobs, and a copy of all of it."""
    rig = Rig(random.Random(3))
    rig.submit_with_undo(12, mix=(("true", 3), ("fail", 1)))
    rig.start()
    rig.wait_done()
    assert rig.jobctl("undo", 1).returncode == 0
    take_back_the_rest(rig, 1)
    assert rig.jobctl("daemon", "stop").returncode == 0
    copy = tmp_path_factory.mktemp("copy") / "place"
    shutil.copytree(rig.place, copy, ignore=shutil.ignore_patterns("wake"))
    yield rig, copy
    rig.close()


@pytest.fixture
def rig(finished):
    """The finished store as it was, whatever the test before planted."""
    rig, copy = finished
    shutil.rmtree(rig.home.root)
    shutil.copytree(copy / "home", rig.home.root)
    shutil.copy(copy / "undone", rig.place / "undone")
    return rig


def heard(rig):
    return [sentence for sentence in violations(rig) if sentence.startswith("C10")]


def say(rig, line):
    with (rig.place / "undone").open("a") as file:
        file.write(line)


def test_nothing_is_heard_when_all_is_well(rig):
    assert [accepted.undo_of for accepted in rig.accepted] == [0, 1, 1], "an undo failed, and a second one took its row"
    assert violations(rig) == []


def test_a_second_token(rig):
    seen = rig.taken_back()[0]
    say(rig, f"{seen.row} {seen.job} {seen.item} another\n")
    assert heard(rig) == [f"C10 row {seen.row} was taken back with 2 tokens: {sorted([seen.token, 'another'])}"]


def test_a_row_that_is_forgotten(rig):
    seen = rig.taken_back()[-1]
    write(rig, f"UPDATE items SET state = 5 WHERE job = {seen.job} AND item = {seen.item}")
    assert f"C10 row {seen.row} was taken back 0 times" in heard(rig)


def test_a_row_that_two_items_took_back(rig):
    first = rig.taken_back()[0]
    other = next(seen for seen in rig.taken_back() if seen.item != first.item)
    path = rig.place / "undone"
    path.write_text(path.read_text().replace(f"{other.row} {other.job} ", f"{first.row} {other.job} "))
    assert f"C10 row {first.row} was taken back 2 times" in heard(rig)


def test_a_row_that_did_not_succeed(rig):
    ((item,),) = rig.rows("SELECT min(item) FROM items WHERE job = 1 AND state = 4")
    say(rig, f"1.{item} 2 1 token\n")
    assert f"C10 row 1.{item} did not succeed, and its undo ran" in heard(rig)


def test_a_row_that_the_file_lacks(rig):
    path = rig.home.job_results(1) / "undone.csv"
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:-1]))
    assert "undone.csv has" in heard(rig)[0]
