"""Live views on a real terminal: what is on the screen, how they end, what they leave behind."""

from __future__ import annotations

import io
import json
import os
import select
import signal
import subprocess
import sys
import termios
import threading
from pathlib import Path

import pytest

from jobctl.render.progress_lines import ProgressLines
from jobctl.services.daemon.changes import Frames
from jobctl.store.opening.open import open_database
from tests.factories import SUBMITTED_AT
from tests.stages import few
from tests.terminal import ROOT, Terminal
from tests.wait import wait_until


@pytest.fixture
def job(store):
    """A job that is under way."""
    return store.job("ssfrrqqq", state="running", started_at=SUBMITTED_AT, attempts=3)


def finish(home, job):
    """End the job as the engine does, from a connection of its own."""
    database = open_database(home)
    with database.transaction():
        database.execute("UPDATE items SET state = 3 WHERE job = ? AND state < 3", (job,))
        database.execute(
            "UPDATE jobs SET state = 'partial', finished_at = ?, succeeded = 7, queued = 0, running = 0,"
            " revision = revision + 1 WHERE id = ?",
            (SUBMITTED_AT + 9_000_000, job),
        )
    database.close()


@pytest.mark.parametrize("size", few([(80, 24), (120, 40), (200, 50), (50, 12)], [(80, 24)]))
def test_watching_a_job_ends_with_it_and_leaves_its_page(store, home, job, size):
    terminal = Terminal(home, "status", job, "--watch", columns=size[0], lines=size[1])
    terminal.await_text("q leaves")
    assert f"job {job}  nightly-invoices  running" in terminal.text()
    assert "2 running" in terminal.text()
    finish(home, job)
    assert terminal.end() == 3
    assert terminal.raw.count(b"\x1b[?1049h") == terminal.raw.count(b"\x1b[?1049l") == 1
    assert terminal.raw.rindex(b"\x1b[?25h") > terminal.raw.rindex(b"\x1b[?25l")  # the cursor is back
    final = terminal.raw.rpartition(b"\x1b[?1049l")[2].decode()
    assert "partial" in final and "jobctl retry" in final


def test_frames_leave_nothing_in_the_scroll_back(store, home, job):
    terminal = Terminal(home, "status", job, "--watch", columns=60, lines=10)
    terminal.await_text("q leaves")
    for priority in range(1, 4):
        with store.database.transaction():
            store.database.execute("UPDATE jobs SET name = ? WHERE id = ?", (f"name-{priority}", job))
        terminal.await_text(f"name-{priority}")
    assert not terminal.screen.history.top
    terminal.child.send("q")
    assert terminal.end() == 0


def test_leaving_by_a_key_or_a_signal_leaves_the_job_alone(store, home, job):
    for stop, code in ((lambda t: t.child.send("q"), 0), (lambda t: t.child.sendintr(), 130)):
        terminal = Terminal(home, "status", job, "--watch")
        terminal.await_text("q leaves")
        stop(terminal)
        assert terminal.end() == code
    terminal = Terminal(home, "status", "--watch")
    terminal.await_text("q leaves")
    terminal.child.kill(signal.SIGTERM)
    assert terminal.end() == 130
    assert terminal.raw.count(b"\x1b[?1049l") == 1
    assert store.database.scalar("SELECT state FROM jobs") == "running"


@pytest.mark.skipif(sys.platform != "linux", reason="asks /proc whether it is stopped")
def test_ctrl_z_gives_the_terminal_back_and_fg_draws_again(store, home, job):
    terminal = Terminal(home, "status", job, "--watch")
    terminal.await_text("q leaves")
    before = termios.tcgetattr(terminal.child.child_fd)
    terminal.child.send("\x1a")
    wait_until(lambda: " T " in Path(f"/proc/{terminal.child.pid}/stat").read_text(), 60, "a stop")
    wait_until(lambda: terminal.raw.endswith(b"\x1b[?1049l"), 60, "the first page of the terminal")
    assert terminal.raw.rindex(b"\x1b[?25h") > terminal.raw.rindex(b"\x1b[?25l")
    stopped = termios.tcgetattr(terminal.child.child_fd)
    assert stopped[3] & termios.ECHO and not before[3] & termios.ECHO
    os.kill(terminal.child.pid, signal.SIGCONT)
    wait_until(lambda: terminal.raw.count(b"\x1b[?1049h") == 2, 60, "the view to be drawn again")
    terminal.await_text("q leaves")
    terminal.child.send("q")
    assert terminal.end() == 0
    assert terminal.raw.count(b"\x1b[?1049l") == 2


def test_the_view_follows_the_size_of_the_terminal(store, home, job):
    terminal = Terminal(home, "status", "--watch", columns=120, lines=30)
    terminal.await_text("nightly-invoices")
    terminal.screen.resize(10, 50)
    terminal.child.setwinsize(10, 50)
    store.job("q", name="after-the-change")
    terminal.await_text("after-the-change")
    assert max(len(line) for line in terminal.text().splitlines()) <= 50
    terminal.child.send("q")
    assert terminal.end() == 0


def test_all_jobs_are_kept_in_view_as_they_come(store, home, job):
    terminal = Terminal(home, "status", "--watch")
    terminal.await_text("nightly-invoices")
    for number in range(30):
        store.job("q", name=f"job-{number}")
    terminal.await_text("more:")
    terminal.await_text("q leaves")  # a frame may arrive in two pieces
    terminal.child.send("q")
    assert terminal.end() == 0


@pytest.mark.parametrize(
    ("env", "colours", "ascii_only", "redrawn"),
    [
        ({}, True, False, True),
        ({"NO_COLOR": "1"}, False, False, True),
        ({"TERM": "dumb"}, False, False, False),
        pytest.param({"LC_ALL": "C"}, True, True, True, marks=pytest.mark.slow),
    ],
    ids=["plain", "NO_COLOR", "dumb", "C"],
)
def test_colours_and_characters_are_those_the_terminal_has(store, home, job, env, colours, ascii_only, redrawn):
    terminal = Terminal(home, "status", **env)
    assert terminal.end() == 0
    assert (b"\x1b[" in terminal.raw) is colours
    text = terminal.raw.decode()
    assert text.isascii() is ascii_only
    live = Terminal(home, "status", job, "--watch", **env)
    live.await_text("running")
    finish(home, job)
    assert live.end() == 3
    assert (b"\x1b[?1049h" in live.raw) is redrawn


@pytest.fixture
def watched(home, job):
    """Watches the job into a pipe and ends it after the first line; the lines and the exit code."""

    def watch(*options):
        words = [sys.executable, "-m", "jobctl", "--home", str(home.root), "status", str(job), "--watch", *options]
        with subprocess.Popen(words, stdout=subprocess.PIPE, text=True, cwd=ROOT) as child:
            first = child.stdout.readline()
            finish(home, job)
            rest, _ = child.communicate(timeout=30)
        return [first.rstrip("\n"), *rest.splitlines()], child.returncode

    return watch


def test_into_a_pipe_a_line_for_each_state(watched):
    assert watched() == (["job 1 running: 3 of 8 items, 1 failed", "job 1 partial: 8 of 8 items, 1 failed"], 3)


def test_as_json_a_document_for_each_change(watched):
    lines, code = watched("--json")
    assert code == 3
    assert [json.loads(line)["jobs"][0]["state"] for line in lines] == ["running", "partial"]


@pytest.mark.slow
def test_plain_prints_on_a_terminal_the_same_as_in_a_pipe(jobctl, store, home, job, tmp_path, monkeypatch):
    rows = tmp_path / "rows.csv"
    rows.write_text("id,url\n1,https://example.org/" + "x" * 200 + "\n")
    for words in (
        ("status",),
        ("status", job),
        ("items", job),
        ("queue", "list"),
        ("results", job),
        ("submit", rows, "--dry-run", "--env", "PYTHONPATH=", "--", "true", "{url}"),
    ):
        terminal = Terminal(home, "--plain", *words, FORCE_COLOR="1", columns=1000)
        code = terminal.end()
        said = terminal.raw.decode().replace("\r\n", "\n")
        assert "\x1b" not in said and "━" not in said, words
        piped = jobctl(*words)
        assert code == piped.code
        if words[0] != "status":  # the age changes
            assert said in (piped.out + piped.err, piped.err + piped.out), words
    lines = Terminal(home, "status", job, "--watch", "--plain")
    lines.await_text("job 1 running: 3 of 8 items, 1 failed")
    finish(home, job)
    assert lines.end() == 3
    assert b"\x1b" not in lines.raw


def test_a_line_now_and_then_while_nothing_changes():
    """On a clock of the test: a state, then every half minute, and the end once."""
    now = 100.0
    stream = io.StringIO()
    lines = ProgressLines(stream, lambda: now)
    job = {"job": 7, "state": "queued", "done": False, "counts": {"total": 2, "failed": 0, "retrying": 0}}
    job["progress"] = {"processed": 0, "rate_per_s": None, "eta_s": None}
    told = []
    for at, changes in (
        (100.0, {}),
        (129.9, {}),
        (130.0, {}),
        (131.0, {"state": "running"}),
        (160.9, {}),
        (161.0, {}),
        (162.0, {"state": "succeeded", "done": True}),
        (500.0, {}),
    ):
        now = at
        job |= changes
        before = stream.tell()
        lines.show([job])
        told.append(stream.getvalue()[before:].partition(":")[0])
    assert told == ["job 7 queued", "", "job 7 queued", "job 7 running", "", "job 7 running", "job 7 succeeded", ""]


def test_waiting_for_a_frame_ends_by_itself_when_it_is_asked_to(store, home):
    """Nothing changes and nothing runs; only a wait that forgets its limit is still there when the alarm comes."""
    reader, writer = os.pipe()
    alarm = threading.Timer(30, os.write, (writer, b"x"))
    with Frames(store.database, home, [reader]) as frames:
        alarm.start()
        frames.wait(busy=False, at_most_s=0.01)
        alarm.cancel()
        alarm.join()
    assert not select.select([reader], [], [], 0)[0], "it waited longer than it was asked to"
    os.close(reader)
    os.close(writer)
