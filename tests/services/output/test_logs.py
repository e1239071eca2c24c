"""Outputs of attempts: found by file, offset and length; followed while they are written."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from contextlib import contextmanager

import pytest

from jobctl.config import Home
from jobctl.domain.ports import OutputFlag
from jobctl.domain.selection import Selection
from jobctl.domain.states import ItemState
from jobctl.errors import NotFound
from jobctl.services.control.targets import Target
from jobctl.services.output.follow import Follower, FollowTarget
from jobctl.services.output.logs import Choice, Piece, attempts, end_of, is_cut, piece, read
from jobctl.store.opening.open import open_database
from tests.factories import make_store


@pytest.fixture
def logged(store, home):
    """Three items whose outputs lie in one pair of files; the second was tried twice."""
    job = store.job("sfs", state="partial", started_at=1, finished_at=2)
    folder = home.job_logs(job)
    folder.mkdir(parents=True)
    (folder / "1.out").write_bytes(b"onetwo-first" + b"two-second" + b"three")
    (folder / "1.err").write_bytes(b"oops")
    store.attempt(job, 1, log=1, out_off=0, out_len=3)
    store.attempt(job, 2, 1, log=1, out_off=3, out_len=9, ending=0, code=1)
    store.attempt(job, 2, 2, log=1, out_off=12, out_len=10, err_off=0, err_len=4, code=1, flags=OutputFlag.CUT)
    store.attempt(job, 3, log=1, out_off=22, out_len=5)
    store.database.execute("UPDATE items SET attempt = 2 WHERE item = 2")
    return store.database, job


def outputs(database, home, target, choice=None, stream="out"):
    found = attempts(database, [target], choice or Choice())
    return [(a.item, a.attempt, b"".join(read(piece(home, job, a, stream)))) for job, a in found]


def test_the_latest_attempt_of_an_item(logged, home):
    database, job = logged
    assert outputs(database, home, Target(job, 2)) == [(2, 2, b"two-second")]
    assert outputs(database, home, Target(job, 2), stream="err") == [(2, 2, b"oops")]


def test_any_attempt_of_an_item(logged, home):
    database, job = logged
    assert outputs(database, home, Target(job, 2), Choice(attempt=1)) == [(2, 1, b"two-first")]
    everything = outputs(database, home, Target(job, 2), Choice(every_attempt=True))
    assert [text for _, _, text in everything] == [b"two-first", b"two-second"]
    with pytest.raises(NotFound, match=r"no attempt 3 \(attempts: 1, 2\)"):
        outputs(database, home, Target(job, 2), Choice(attempt=3))


def test_a_whole_job_and_its_failures_in_item_order(logged, home):
    database, job = logged
    assert outputs(database, home, Target(job)) == [(1, 1, b"one"), (2, 2, b"two-second"), (3, 1, b"three")]
    assert outputs(database, home, Target(job), Choice(Selection((ItemState.FAILED,)))) == [(2, 2, b"two-second")]
    assert outputs(database, home, Target(job, 2, 3)) == [(2, 2, b"two-second"), (3, 1, b"three")]
    assert outputs(database, home, Target(job), Choice(attempt=2)) == [(2, 2, b"two-second")]


def test_many_items_are_read_in_pages(store, home):
    job = store.job("s" * 1203)
    numbers = [attempt.item for _, attempt in attempts(store.database, [Target(job)], Choice())]
    assert numbers == list(range(1, 1204))


def test_a_cut_output_is_known(logged):
    database, job = logged
    found = [is_cut(a) for _, a in attempts(database, [Target(job)], Choice())]
    assert found == [False, True, False]


def test_a_file_that_was_removed(logged, home):
    database, job = logged
    (home.job_logs(job) / "1.out").unlink()
    with pytest.raises(FileNotFoundError):
        outputs(database, home, Target(job, 1))


def test_a_symlink_in_the_place_of_a_log_is_not_followed(logged, home, tmp_path):
    database, job = logged
    secret = tmp_path / "secret"
    secret.write_bytes(b"secret")
    (home.job_logs(job) / "1.out").unlink()
    (home.job_logs(job) / "1.out").symlink_to(secret)
    with pytest.raises(OSError):
        outputs(database, home, Target(job, 1))


class Following:
    """A follower in a thread of its own, with a connection of its own."""

    def __init__(self, home: Home, job: int, item: int | None) -> None:
        self.text = b""
        self.keys: list[tuple[int, int, str]] = []
        self.over: list[tuple[int, int]] = []
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, args=(home, job, item), daemon=True)
        self._thread.start()

    def _run(self, home, job, item):
        database = open_database(home)
        for event in Follower(database, home, FollowTarget(job, item)).events():
            with self._changed:
                self.text += event.data
                if event.over is not None:
                    self.over.append((event.item, event.attempt))
                else:
                    self.keys.append((event.item, event.attempt, event.stream))
                self._changed.notify_all()
        database.close()

    def await_text(self, text: bytes) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: self.text == text, 20), (self.text, text)

    def await_end(self) -> None:
        self._thread.join(60)
        assert not self._thread.is_alive()


@contextmanager
def process():
    """A process that lives until the end of the block, in the place of an item's."""
    with subprocess.Popen([sys.executable, "-S", "-c", "input()"], stdin=subprocess.PIPE) as child:
        yield child
        child.communicate(b"\n")


def append(path, data):
    with open(path, "ab") as file:
        file.write(data)


def test_an_item_is_followed_across_its_attempts(home):
    store = make_store(home)
    job = store.job("r", state="running", started_at=1)
    folder = home.job_logs(job)
    folder.mkdir(parents=True)
    append(folder / "1.out", b"first ")
    with process() as child:
        store.attempt(job, 1, ending=None, log=1, pid=child.pid)
        following = Following(home, job, 1)
        following.await_text(b"first ")
        append(folder / "1.out", b"more ")
        following.await_text(b"first more ")
    append(folder / "2.out", b"first more end ")
    store.attempt(job, 1, ending=0, code=1, log=2, out_len=15)
    store.database.execute("UPDATE items SET state = 2, due_at = 5")
    following.await_text(b"first more end ")
    append(folder / "2.out", b"again")
    store.attempt(job, 1, 2, ending=0, code=0, log=2, out_off=15, out_len=5)
    store.database.execute("UPDATE items SET state = 3, due_at = NULL, attempt = 2")
    following.await_end()
    assert following.text == b"first more end again"
    assert following.over == [(1, 1), (1, 2)]


def test_output_of_the_next_item_of_a_slot_is_not_shown_for_the_earlier_item(home):
    store = make_store(home)
    job = store.job("r", state="running", started_at=1)
    folder = home.job_logs(job)
    folder.mkdir(parents=True)
    with process() as child:
        gone = child.pid
    append(folder / "1.out", b"of somebody else")
    store.attempt(job, 1, ending=None, log=1, pid=gone)  # over, but not recorded yet
    following = Following(home, job, 1)
    append(folder / "1.out", b", still")
    append(folder / "2.out", b"mine")
    store.attempt(job, 1, ending=0, log=2, out_len=4)
    store.database.execute("UPDATE items SET state = 3")
    following.await_end()
    assert following.text == b"mine"


def test_a_job_is_followed_with_items_that_come_and_go(home):
    store = make_store(home)
    job = store.job("qqqq")
    folder = home.job_logs(job)
    following = Following(home, job, None)  # before there is any output at all
    folder.mkdir(parents=True)
    append(folder / "1.out", b"abcdef")

    def end(item, state, offset, attempt=1):
        with store.database.transaction():
            store.database.execute(
                "INSERT INTO attempts (job, item, attempt, round, slot, started_at, ending, code, duration_us, log,"
                " out_off, out_len) VALUES (?, ?, ?, 1, 1, 1, 0, ?, 5, 1, ?, 1)",
                (job, item, attempt, int(state != 3), offset),
            )
            due = 5 if state == 2 else None
            store.database.execute("UPDATE items SET state = ?, due_at = ? WHERE item = ?", (state, due, item))

    end(2, 3, 0)
    following.await_text(b"a")
    end(3, 2, 1)  # fails, will be tried again
    end(1, 3, 2)  # a late one below those that were seen
    end(3, 3, 3, attempt=2)
    end(4, 4, 4)
    with store.database.transaction():
        store.database.execute(
            "UPDATE jobs SET state = 'partial', finished_at = 9, queued = 0, succeeded = 3, failed = 1 WHERE id = ?",
            (job,),
        )
    following.await_end()
    assert sorted(following.over) == [(1, 1), (2, 1), (3, 1), (3, 2), (4, 1)]
    assert sorted(following.text) == sorted(b"abcde")


def test_a_follower_leaves_no_descriptor_open(home):
    store = make_store(home)
    job = store.job("s", state="succeeded", started_at=1, finished_at=2)
    before = len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0
    assert list(Follower(store.database, home, FollowTarget(job, None, ("out",))).events())[-1].over is not None
    after = len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0
    assert after == before


def test_the_end_of_an_output_begins_with_a_whole_line(tmp_path):
    path = tmp_path / "1.out"
    path.write_bytes(b"before" + b"first\nsecond\nthird\n" + b"after")
    assert end_of(Piece(path, 6, 19), 100) == (0, b"first\nsecond\nthird\n")
    assert end_of(Piece(path, 6, 19), 10) == (13, b"third\n")
    assert end_of(Piece(path, 6, 19), 3) == (16, b"rd\n")
    assert end_of(Piece(path, 25, None), 100) == (0, b"after")
    assert end_of(Piece(path, 25, None), 3) == (2, b"ter")
    assert end_of(Piece(path, 0, 0), 100) == (0, b"")
    with pytest.raises(FileNotFoundError):
        end_of(Piece(tmp_path / "2.out", 0, None), 100)
