"""The one live line of a wait: on a screen alone, with figures, cleared at the end. And Ctrl-C says what follows."""

from __future__ import annotations

import fcntl
import io
import os
import struct
import termios
from pathlib import Path

import pytest

from jobctl.cli.live.waiting_line import Waiting, WaitingLine
from jobctl.cli.session import Session
from jobctl.render.look import Look
from jobctl.render.waiting import fitting
from jobctl.services.control.cancel import count_live
from jobctl.services.control.targets import Target
from jobctl.services.daemon.wait import wait
from jobctl.services.daemon.watched_wait import awaited, nap_s
from jobctl.store.opening.open import open_database
from tests.factories import SUBMITTED_AT
from tests.stages import few
from tests.terminal import Terminal
from tests.wait import wait_until

NOW = SUBMITTED_AT
CONTROL_C = "\x03"


def finish(home, job):
    """Cancel a job as the engine does, from a connection of its own."""
    database = open_database(home)
    with database.transaction():
        database.execute(
            "UPDATE jobs SET state = 'cancelled', finished_at = ?, unprocessed = queued + running + retrying,"
            " queued = 0, running = 0, retrying = 0, revision = revision + 1 WHERE id = ?",
            (SUBMITTED_AT + 9_000_000, job),
        )
    database.close()


class Screen(io.StringIO):
    encoding = "utf-8"

    def isatty(self):
        return True


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def made(monkeypatch):
    """(line, screen, clock), at 80 columns."""
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("LANG", "C.UTF-8")
    for name in ("LC_ALL", "LC_CTYPE"):
        monkeypatch.delenv(name, raising=False)

    def make(**options):
        shared = Session()
        for name, value in options.items():
            setattr(shared, name, value)
        screen, clock = Screen(), Clock()
        line = WaitingLine(shared, lambda s: Waiting(f"phrase {s:.0f}", "brief"), "the job continues", screen, clock)
        return line, screen, clock

    return make


def test_nothing_is_drawn_before_a_second(made):
    line, screen, clock = made()
    with line:
        line.look()
        clock.now = 0.9
        line.look()
    assert screen.getvalue() == "" and line.has_begun


def test_the_line_is_drawn_again_when_it_changes_and_is_cleared(made):
    line, screen, clock = made()
    with line:
        for clock.now in (1.0, 1.2, 2.0):
            line.look()
        drawn = screen.getvalue()
        assert drawn.count("\r") == 2
        assert drawn.endswith("\rphrase 2 · waiting for 2s · Ctrl-C leaves, the job continues\x1b[K")
    assert screen.getvalue() == drawn + "\r\x1b[K"


def test_a_message_is_above_the_line(made, capsys):
    line, screen, clock = made()
    with line:
        clock.now = 1.0
        line.look()
        before = screen.getvalue()
        line.note("job 1 succeeded")
        assert screen.getvalue().startswith(before + "\r\x1b[K") and screen.getvalue().endswith(before)
    assert "job 1 succeeded" in capsys.readouterr().err


@pytest.mark.parametrize("options", [{"quiet": True}, {"json": True}, {"plain": True}])
def test_no_line_where_nobody_wants_one(made, options):
    line, screen, clock = made(**options)
    with line:
        assert line.look is None
        clock.now = 9.0
        line.draw()
    assert screen.getvalue() == ""


def test_no_line_on_a_dumb_terminal(made, monkeypatch):
    monkeypatch.setenv("TERM", "dumb")
    assert made()[0].look is None


@pytest.mark.parametrize("width", range(1, 110, 7))
def test_the_line_fits_every_width(width):
    longest = ("job 42 running: 10 of 99 items", "waiting for 3s", "Ctrl-C leaves, x")
    line = fitting((longest, ("job 42", "Ctrl-C leaves"), ("job 42",)), Look(width=width))
    assert len(line) <= max(1, width - 1)


# ---- the figures ----


def test_the_figures_of_one_job_and_of_several(store, home):
    first = store.job("ssfrq", state="running", started_at=1, attempts=3)
    second = store.job("ss", state="succeeded", started_at=1, finished_at=2)
    one = awaited(home, [first], NOW)
    assert (one.jobs, one.done, one.state, one.processed, one.total, one.eta_s) == (1, 0, "running", 3, 5, None)
    both = awaited(home, [first, second], NOW)
    assert (both.jobs, both.done, both.state, both.processed, both.total) == (2, 1, "", 5, 7)


def test_a_store_that_cannot_be_read_has_no_figures(home):
    assert awaited(home, [1], NOW) is None
    home.root.mkdir(parents=True)
    home.database.write_text("not a database")
    assert awaited(home, [1], NOW) is None


def test_the_live_items_of_a_cancel(store, home):
    job = store.job("sqrf")
    assert count_live(home, [Target(job, 1, 4)]) == 2


def test_naps():
    assert (nap_s(None, None), nap_s(9.0, None), nap_s(None, print), nap_s(9.0, print), nap_s(0.5, print)) == (
        *(None, 9.0, 1.0),
        *(1.0, 0.5),
    )


def test_a_wait_calls_the_observer_and_one_without_an_observer_sleeps(store, home, monkeypatch):
    job = store.job("q")
    looks = []

    def look():
        looks.append(1)
        if len(looks) == 2:
            finish(home, job)

    states = wait(store.database, home, [job], None, lambda *_: None, look)
    assert states == {job: "cancelled"} and len(looks) >= 2


# ---- on a terminal ----


SHOWN = [(30, "job 1: 3/8 items"), (60, "job 1: 3/8 items · "), (80, "job 1 running: 3 of 8 items processed · ")]
SHOWN += [(120, "job 1 running: 3 of 8 items processed · waiting for ")]


@pytest.mark.parametrize(("columns", "shown"), few(SHOWN, SHOWN[2:3], several=True))
def test_wait_shows_what_it_waits_for(store, home, columns, shown):
    job = store.job("ssfrrqqq", state="running", started_at=SUBMITTED_AT, attempts=3)
    terminal = Terminal(home, "wait", job, columns=columns)
    terminal.await_text(shown)
    assert ("Ctrl-C leaves, the job continues" in terminal.text()) == (columns >= 60)
    finish(home, job)
    assert terminal.end() == 5
    assert "Ctrl-C leaves" not in terminal.text() and f"job {job} cancelled" in terminal.text()


def test_wait_for_several_jobs_counts_them(store, home):
    first, second = store.job("qq"), store.job("qqq")
    terminal = Terminal(home, "wait", first, second, columns=120)
    terminal.await_text("0 of 2 jobs done: 0 of 5 items processed")
    finish(home, first)
    terminal.await_text("1 of 2 jobs done")
    assert terminal.text().splitlines()[-2].startswith(f"job {first} cancelled")
    terminal.child.send(CONTROL_C)
    assert terminal.end() == 130
    assert "not waiting any more; the jobs continue" in terminal.text()


def test_wait_in_a_pipe_and_with_q_shows_no_line(store, home, jobctl):
    job = store.job("q")
    assert "Ctrl-C" not in jobctl("wait", job, "--timeout", "1200ms").err
    terminal = Terminal(home, "wait", job, "--timeout", "1500ms", "-q")
    assert terminal.end() == 124
    assert b"Ctrl-C" not in terminal.raw


# ---- Ctrl-C before anything is accepted ----


@pytest.mark.parametrize("command", few(["submit", "run"], ["submit"]))
def test_ctrl_c_while_the_input_is_read_says_that_nothing_was_accepted(home, tmp_path, command):
    fifo = tmp_path / "rows.jsonl"
    os.mkfifo(fifo)
    terminal = Terminal(home, command, fifo, "--format", "lines", "--", "true", "{}")
    with fifo.open("w") as writer:
        writer.write("a\n" * 100_000)
        writer.flush()
        wait_until(lambda: is_empty(writer) and is_asleep(terminal.child.pid), 60, "a reader that waits for more")
        terminal.child.send(CONTROL_C)
        assert terminal.end() == 130
    assert "nothing was accepted" in terminal.text()
    assert "Traceback" not in terminal.text()


def is_empty(pipe):
    return struct.unpack("i", fcntl.ioctl(pipe, termios.FIONREAD, b"\0\0\0\0"))[0] == 0


def is_asleep(process):
    return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] == "S"


def test_ctrl_c_just_after_the_commit_names_the_job(home, tmp_path, jobctl, monkeypatch):
    from jobctl.services.submit.intake import Intake

    run = Intake.run

    def interrupted(self, database, accept_in_parts):
        run(self, database, accept_in_parts)
        raise KeyboardInterrupt

    monkeypatch.setattr(Intake, "run", interrupted)
    (tmp_path / "rows.txt").write_text("a\n")
    done = jobctl("submit", tmp_path / "rows.txt", "--", "true", "{}")
    assert done.code == 130 and done.out == ""
    assert "job 1 was accepted nevertheless: jobctl status 1" in done.err


def test_ctrl_c_just_before_the_commit_says_that_nothing_was_accepted(home, tmp_path, jobctl, monkeypatch):
    from jobctl.services.submit.intake import Intake

    accept = Intake.accept

    def interrupted(self, *words):
        accept(self, *words)
        raise KeyboardInterrupt

    monkeypatch.setattr(Intake, "accept", interrupted)
    (tmp_path / "rows.txt").write_text("a\n")
    done = jobctl("submit", tmp_path / "rows.txt", "--", "true", "{}")
    assert done.code == 130 and "nothing was accepted" in done.err
    assert jobctl("status", "--json").document["jobs"] == []


@pytest.mark.parametrize(
    ("step", "said"), [("accept", "nothing was accepted"), ("run", "job 2 was accepted nevertheless: jobctl status 2")]
)
def test_ctrl_c_in_a_retry_as_a_new_job_says_what_was_accepted(store, tmp_path, jobctl, monkeypatch, step, said):
    from jobctl.services.submit.intake import Intake

    store.job("sf", state="partial", started_at=1, finished_at=2, cwd=str(tmp_path))
    original = getattr(Intake, step)

    def interrupted(self, *words):
        original(self, *words)
        raise KeyboardInterrupt

    monkeypatch.setattr(Intake, step, interrupted)
    done = jobctl("retry", 1, "--as-new")
    assert done.code == 130 and done.out == ""
    assert said in done.err
