"""The last lines of outputs, the outputs since a time, and outputs without headings."""

from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobctl.services.control.targets import Target
from jobctl.services.output import logs
from jobctl.services.output.follow import Follower, FollowTarget
from jobctl.services.output.logs import Choice, Piece, attempts, read, tail
from tests.factories import SECOND, SUBMITTED_AT


def last(path, lines, offset=0, length=None):
    where = Piece(path, offset, length)
    return b"".join(read(where, tail(where, lines)))


@given(
    text=st.lists(st.sampled_from([b"a", b"bc", b"\n", b"\n\n", b"x" * 9])).map(b"".join),
    lines=st.integers(0, 12),
    chunk=st.integers(1, 7),
)
def test_the_last_lines_are_those_of_the_whole_text(tmp_path_factory, text, lines, chunk):
    path = tmp_path_factory.mktemp("tail") / "1.out"
    path.write_bytes(b"before\n" + text + b"\nafter")
    before, logs.CHUNK = logs.CHUNK, chunk
    try:
        found = last(path, lines, offset=7, length=len(text))
    finally:
        logs.CHUNK = before
    assert found == b"".join(text.splitlines(keepends=True)[-lines:] if lines else [])


def test_of_twenty_gigabytes_only_the_end_is_read(tmp_path, monkeypatch):
    path = tmp_path / "1.out"
    with path.open("wb") as file:
        file.truncate(20 << 30)
        file.seek(0, os.SEEK_END)
        file.write(b"\n".join(b"%d" % number for number in range(100_000)) + b"\n")
    read_bytes, pread = [], os.pread
    monkeypatch.setattr(os, "pread", lambda *args: read_bytes.append(args[1]) or pread(*args))
    assert last(path, 2) == b"99998\n99999\n"
    assert sum(read_bytes) <= 4 * logs.CHUNK


def test_a_file_that_was_removed_has_no_lines(tmp_path):
    assert tail(Piece(tmp_path / "1.out", 0, None), 3) == 0


@pytest.fixture
def hours(store, home):
    """A job whose items ended one after the other, an hour apart; the last one still runs."""
    job = store.job("sssr", state="running", started_at=1)
    folder = home.job_logs(job)
    folder.mkdir(parents=True)
    (folder / "1.out").write_bytes(b"a1\na2\nb1\nb2\nc1\nc2\n")
    for item in range(1, 4):
        started_at = SUBMITTED_AT + item * 3_600 * SECOND
        place = {"log": 1, "out_off": 6 * (item - 1), "out_len": 6}
        store.attempt(job, item, started_at=started_at, duration_us=SECOND, **place)
    (folder / "2.out").write_bytes(b"d1\nd2\n")
    store.attempt(job, 4, started_at=1, ending=None, duration_us=None, log=2, pid=os.getpid())
    return job


def test_only_what_ran_since_a_time_is_shown(store, hours):
    def since(hour, *items):
        choice = Choice(since=SUBMITTED_AT + hour * 3_600 * SECOND)
        return [attempt.item for _, attempt in attempts(store.database, [Target(hours, *items)], choice)]

    assert since(0) == [1, 2, 3, 4]
    assert since(2) == [2, 3, 4]
    assert since(9) == [4]
    assert since(2, 1, 3) == [2, 3]


def test_follow_begins_with_the_last_lines_and_shows_later_lines_in_full(store, home, hours):
    choice = Choice(tail=1, since=SUBMITTED_AT + 3 * 3_600 * SECOND)
    seen = []
    for event in Follower(store.database, home, FollowTarget(hours, choice=choice)).events():
        seen.append(event.data)
        if event.item == 4 and event.data == b"d2\n":
            with (home.job_logs(hours) / "2.out").open("ab") as file:
                file.write(b"d3\nd4\n")
        if event.data == b"d3\nd4\n":
            break
    assert b"".join(seen) == b"c2\nd2\nd3\nd4\n"


def test_of_two_streams_the_one_that_was_written_first_is_followed_first(store, home, hours):
    folder = home.job_logs(hours)
    (folder / "2.err").write_bytes(b"warning\n")
    os.utime(folder / "2.err", ns=(0, 1))
    found = []
    for event in Follower(store.database, home, FollowTarget(hours, 4)).events():
        found.append((event.stream, event.data))
        if event.stream == "out":
            break
    assert found == [("err", b"warning\n"), ("out", b"d1\nd2\n")]


def test_logs_without_headings_begin_each_item_on_a_line(store, home, jobctl):
    job = store.job("sf", state="partial", started_at=1, finished_at=2)
    home.job_logs(job).mkdir(parents=True)
    (home.job_logs(job) / "1.out").write_bytes(b"x\nonetwo\n")
    (home.job_logs(job) / "1.err").write_bytes(b"oops\n")
    store.attempt(job, 1, log=1, out_off=0, out_len=5)
    store.attempt(job, 2, log=1, out_off=5, out_len=4, err_len=5, code=1)
    plain = "x\none\ntwo\noops\n"
    for options in (["--no-headings"], ["-q"], ["-q", "--follow"]):
        assert jobctl("logs", job, *options).out == plain
    assert "==> 1.2 standard error <==" in jobctl("logs", job).out
    assert jobctl("logs", job, "-q", "-n", 1).out == "one\ntwo\noops\n"
    assert jobctl("logs", "1.1", "--tail", 1, "--json").document["stdout"] == "one"
    nothing = jobctl("logs", "1.1", "-n", 0)
    assert (nothing.out, nothing.err) == ("", "")


def test_the_errors_of_a_running_item_have_a_heading_of_their_own(hours, home, jobctl):
    (home.job_logs(hours) / "2.err").write_bytes(b"oops\n")
    assert jobctl("logs", f"{hours}.3-4").out.endswith(
        "==> 1.4 running, attempt 1 <==\nd1\nd2\n==> 1.4 standard error <==\noops\n"
    )
    assert "standard error" not in jobctl("logs", f"{hours}.3-4", "-n", 0).out
    (home.job_logs(hours) / "2.out").write_bytes(b"")
    assert jobctl("logs", f"{hours}.3-4").out.endswith("==> 1.4 running, attempt 1 <==\noops\n")


def test_logs_say_that_nothing_ran_since_then(store, jobctl):
    store.job("s", state="succeeded", started_at=1, finished_at=2)
    assert jobctl("logs", "1", "--since", "1h").err == "job 1: nothing has run since then\n"
    refused = jobctl("logs", "1", "--since", "tomorrow")
    assert refused.code == 2
    assert refused.err.startswith("jobctl: --since: 'tomorrow' is in the future\n")
    assert "yesterday 18:00" in refused.err
    assert "not a whole number" in jobctl("logs", "1", "-n", "few").err
