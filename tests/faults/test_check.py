"""The checker can fail: each of its sentences is heard when what it forbids is planted."""

import contextlib
import os
import random
import shutil
import signal
import subprocess

import pytest

from jobctl.store import sqlite
from tests.faults.check import violations
from tests.faults.rig import ITEM, Rig, Seen
from tests.wait import wait_until

#: The campaign belongs to the second stage, so do the tests of its checker.
pytestmark = pytest.mark.slow

ROWS = 12
MIX = (("true", 3), ("fail", 1))
INTERRUPTED = 4


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A store in which all went well, and a copy of all of it."""
    rig = Rig(random.Random(3))
    rig.submit(ROWS, mix=MIX)
    rig.start()
    rig.wait_done()
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
    shutil.copy(copy / "witness", rig.place / "witness")
    rig.notes.clear()
    del rig.accepted[1:]
    return rig


def write(rig, *statements):
    connection = sqlite.connect(str(rig.home.database))
    for statement in statements:
        connection.execute(statement)
    connection.commit()
    connection.close()


def edit(rig, change):
    lines = (rig.place / "witness").read_text().splitlines()
    (rig.place / "witness").write_text("".join(f"{line}\n" for line in change(lines)))


def item_in(rig, state):
    return rig.rows("SELECT min(item) FROM items WHERE state = ?", state)[0][0]


def heard(rig, code):
    return [sentence for sentence in violations(rig) if sentence.startswith(code)]


def test_nothing_is_heard_when_all_is_well(rig):
    assert violations(rig) == []
    assert len(rig.witness()) > 2 * ROWS
    assert {seen.word for seen in rig.witness()} == {"start", "end"}


def test_a_note_of_a_trial_is_a_violation(rig):
    rig.notes.append("the daemon ended")
    assert violations(rig) == ["the daemon ended"]


def test_c1_an_accepted_item_that_is_gone(rig):
    write(rig, "PRAGMA foreign_keys=OFF", f"DELETE FROM items WHERE item = {ROWS}")
    assert heard(rig, "C1")


def test_c1_an_accepted_job_that_is_gone(rig):
    rig.acknowledge("2", 5)
    assert heard(rig, "C1 job 2: 5 items accepted, None exist")


def test_c2_success_without_an_end(rig):
    item = item_in(rig, 3)
    edit(rig, lambda lines: [line for line in lines if not line.startswith(f"end 1 {item} ")])
    assert heard(rig, f"C2 item 1.{item} ")


def test_c2_success_by_the_end_of_an_earlier_attempt(rig):
    item = item_in(rig, 3)
    write(
        rig,
        f"UPDATE items SET attempt = 2 WHERE item = {item}",
        f"UPDATE attempts SET attempt = 2 WHERE item = {item}",
    )
    assert heard(rig, f"C2 item 1.{item} succeeded in attempt 2")


@pytest.mark.parametrize("change", ["SET code = 3", "SET attempt = 7"])
def test_c2_success_that_its_attempt_does_not_bear_out(rig, change):
    item = item_in(rig, 3)
    write(rig, f"UPDATE attempts {change} WHERE item = {item}")
    assert heard(rig, f"C2 item 1.{item} ")


def test_c3_more_starts_than_attempts(rig):
    item = item_in(rig, 3)
    edit(rig, lambda lines: [*lines, f"start 1 {item} 2 77"])
    assert heard(rig, f"C3 item 1.{item} started 2 times for 1 ")


def test_c3_one_attempt_started_twice(rig):
    item = item_in(rig, 4)
    edit(rig, lambda lines: [line.replace(f"start 1 {item} 2 ", f"start 1 {item} 1 ") for line in lines])
    assert heard(rig, f"C3 item 1.{item}: attempt 1 was started 2 times")


def test_c3_more_attempts_than_allowed(rig):
    item = item_in(rig, 4)
    columns = "job, item, round, slot, started_at, ending, code, duration_us, log"
    write(
        rig, f"INSERT INTO attempts (attempt, {columns}) SELECT 3, {columns} FROM attempts WHERE item = {item} LIMIT 1"
    )
    assert heard(rig, f"C3 item 1.{item} ended 3 times by itself")


def test_c3_an_interrupted_item_that_must_not_run_again(rig):
    item = item_in(rig, 4)
    rig.accepted[0] = type(rig.accepted[0])(1, ROWS, at_most_once=True)
    try:
        write(rig, f"UPDATE attempts SET ending = {INTERRUPTED} WHERE item = {item} AND attempt = 1")
        assert heard(rig, f"C3 item 1.{item} ran again although")
    finally:
        rig.accepted[0] = type(rig.accepted[0])(1, ROWS)


def test_c4_an_overlap_that_an_item_saw(rig):
    edit(rig, lambda lines: [*lines, "overlap 1 1 2 77"])
    assert heard(rig, "C4 item 1.1: attempt 2 began while 77 ")


def test_c4_an_item_sees_that_an_earlier_attempt_of_it_lives(rig):
    def start(attempt, kind):
        variables = {"JOBCTL_JOB": "9", "JOBCTL_ITEM": "5", "JOBCTL_ATTEMPT": str(attempt)}
        env = {**rig.env, **variables, "JOBCTL_COOKIE": f"some-store.9.5.{attempt}"}
        return subprocess.Popen(["sh", ITEM, kind, "5", rig.place], env=env)

    first = start(1, "forever")
    try:
        wait_until(lambda: any(seen[:4] == ("start", 9, 5, 1) for seen in rig.witness()), what="its start")
        start(2, "true").wait()
        assert Seen("overlap", 9, 5, 2, first.pid) in rig.witness()
    finally:
        first.kill()
        first.wait()
    start(3, "true").wait()
    assert not any(seen[:4] == ("overlap", 9, 5, 3) for seen in rig.witness())


@pytest.mark.parametrize("column", ["queued", "running", "retrying", "succeeded", "failed", "unprocessed", "attempts"])
def test_c5_a_counter_that_is_off(rig, column):
    others = "total = total + 1, " if column != "attempts" else ""
    write(rig, "PRAGMA ignore_check_constraints=ON", f"UPDATE jobs SET {others}{column} = {column} + 1")
    assert heard(rig, "C5 job 1: ")


def test_c6_a_page_that_is_torn(rig):
    (page,) = rig.rows("SELECT rootpage FROM sqlite_schema WHERE name = 'attempts'")[0]
    with rig.home.database.open("r+b") as file:
        file.seek((page - 1) * 4096 + 1)
        file.write(b"\xff" * 40)
    found: list[str] = []
    with contextlib.suppress(sqlite.DatabaseError):  # refused outright: seen as well
        found = heard(rig, "C6 integrity_check")
        assert found


def test_c6_an_index_that_misses_a_row(rig):
    write(
        rig,
        "CREATE INDEX some_a ON jobs (uid)",
        "CREATE INDEX other_a ON journal (event)",
        "PRAGMA writable_schema=ON",
        "UPDATE sqlite_schema SET rootpage = (SELECT rootpage FROM sqlite_schema WHERE name = 'other_a')"
        " WHERE name = 'some_a'",
    )
    assert heard(rig, "C6 integrity_check")


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE attempts SET item = 77 WHERE item = 1",
        "UPDATE failures SET job = 77",
        "INSERT INTO items (job, item, payload) VALUES (77, 1, x'00')",
        "DELETE FROM jobs",
    ],
)
def test_c6_rows_that_belong_to_nothing(rig, statement):
    write(rig, statement)
    assert heard(rig, "C6 ")


def test_c7_a_process_that_is_left(rig, monkeypatch):
    monkeypatch.setattr("tests.faults.check._ENDING_S", 0.0)
    env = {**os.environ, "JOBCTL_COOKIE": f"{rig.store_id()}.1.1.1"}
    left = subprocess.Popen(["sleep", "60"], env=env)
    try:
        wait_until(lambda: rig.leftovers() == [left.pid], what="the state to be seen")
        assert heard(rig, f"C7 processes [{left.pid}] are left")
    finally:
        left.kill()
        left.wait()


def test_c7_a_zombie_of_the_supervisor(rig, monkeypatch):
    monkeypatch.setattr("tests.faults.check._ENDING_S", 0.0)
    monkeypatch.setattr(rig, "supervisor", os.getpid)
    zombie = subprocess.Popen(["true"])
    try:
        os.waitid(os.P_PID, zombie.pid, os.WEXITED | os.WNOWAIT)
        assert heard(rig, f"C7 process {zombie.pid} is a zombie")
    finally:
        zombie.wait()


def test_c8_an_item_or_a_job_that_does_not_end(rig):
    write(
        rig,
        "PRAGMA ignore_check_constraints=ON",
        "UPDATE items SET state = 0, attempt = 0 WHERE item = 1",
        "UPDATE jobs SET finished_at = NULL",
    )
    assert heard(rig, "C8 job 1: 1 items are not terminal")
    assert len(heard(rig, "C8")) == 2


def test_rows_whose_acceptance_was_killed_are_no_items_of_a_job(rig):
    left = "INSERT INTO items (job, item, payload) VALUES (77, 1, x'00')"
    write(rig, left, "INSERT INTO prunings (job, at) VALUES (77, 1)")
    assert violations(rig) == []
    write(rig, "DELETE FROM prunings")
    assert heard(rig, "C8 job 77: 1 items are not terminal")


@pytest.mark.parametrize("change", ["missing", "short", "twice", "elsewhere"])
def test_c9_result_files_that_are_not_the_input(rig, change):
    folder = rig.home.job_results(1)
    good, bad = folder / "succeeded.csv", folder / "failed.csv"
    lines = good.read_text().splitlines(keepends=True)
    if change == "missing":
        good.unlink()
    elif change == "short":
        good.write_text("".join(lines[:-1]))
    elif change == "twice":
        good.write_text("".join([*lines, lines[-1]]))
    else:  # whole together, and each of them wrong
        good.write_text("".join(lines[:-1]))
        bad.write_text(bad.read_text() + lines[-1])
    assert heard(rig, "C9 job 1")


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_an_item_that_was_killed_has_no_end(rig, number):
    env = {**rig.env, "JOBCTL_JOB": "9", "JOBCTL_ITEM": "6", "JOBCTL_ATTEMPT": "1", "JOBCTL_COOKIE": "s.9.6.1"}
    killed = subprocess.Popen(["sh", ITEM, "nap", "6", rig.place], env=env)
    wait_until(lambda: any(seen[:4] == ("start", 9, 6, 1) for seen in rig.witness()), what="its start")
    killed.send_signal(number)
    killed.wait()
    assert not any(seen[:4] == ("end", 9, 6, 1) for seen in rig.witness())


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("DELETE FROM outcomes WHERE id = (SELECT max(id) FROM outcomes)", "attempts have no outcome"),
        ("UPDATE outcomes SET count = count + 1", "are packed"),
        ("UPDATE journal SET id = (SELECT max(id) FROM outcomes) WHERE event = 'submitted'", "are used twice"),
        (
            "UPDATE items SET state = 4, due_at = NULL WHERE item = (SELECT min(item) FROM items WHERE state = 3)",
            "is failed",
        ),
    ],
)
def test_c11_outcomes_that_are_not_those_of_the_attempts(rig, change, said):
    write(rig, change)
    assert any(said in sentence for sentence in heard(rig, "C11"))
