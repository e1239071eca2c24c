"""The user's pager: what it gets, when it starts, and what happens when it is left, missing or broken."""

from __future__ import annotations

import io
import itertools
import shutil
import sys
from contextlib import contextmanager

import pytest

from jobctl.cli.pager import command_of
from jobctl.cli.session import Session
from jobctl.process import manual
from jobctl.render.items import print_pages
from jobctl.render.look import look_of
from tests.factories import SECOND, SUBMITTED_AT
from tests.stages import few
from tests.terminal import Terminal
from tests.wait import wait_until

MANY = 200


class Screen(io.StringIO):
    """A terminal of 80 columns and 24 lines, as far as a command can tell."""

    encoding = "utf-8"

    def isatty(self):
        return True

    def fileno(self):
        return 1


@pytest.fixture
def screen(monkeypatch):
    shown = Screen()
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("LINES", "24")
    for name in ("JOBCTL_PAGER", "PAGER", "LESS"):
        monkeypatch.delenv(name, raising=False)
    return shown


@pytest.fixture
def pager(tmp_path, monkeypatch, screen):
    """Sets the pager: a shell command that may write to ``$SHOWN``; returns its path."""
    shown = tmp_path / "shown"
    monkeypatch.setenv("SHOWN", str(shown))

    def use(command):
        monkeypatch.setenv("JOBCTL_PAGER", command)
        return shown

    return use


@contextmanager
def paged(screen, stderr=None):
    """A block whose output goes to a screen, if no pager takes it."""
    before = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = screen, stderr or before[1]
    try:
        with Session().paging():
            yield
        assert sys.stdout is screen
    finally:
        sys.stdout, sys.stderr = before


def lines(count):
    return "".join(f"line {number}\n" for number in range(count))


def test_long_output_and_its_messages_go_through_the_pager_in_order(pager, screen):
    shown = pager('cat > "$SHOWN"; echo "$LESS" >> "$SHOWN"')
    with paged(screen, stderr=Screen()):
        sys.stdout.write(lines(100))
        sys.stderr.write("a message\n")
        sys.stdout.write("the end\n")
    assert shown.read_text() == f"{lines(100)}a message\nthe end\nFRX\n"
    assert screen.getvalue() == ""


@pytest.mark.parametrize("text", [lines(23), "x" * 80 * 23, "\x1b[1m\x1b[0m" * 900 + "\n", ""])
def test_what_fits_on_the_screen_starts_no_pager(pager, screen, text):
    shown = pager('echo > "$SHOWN"')
    with paged(screen):
        sys.stdout.write(text)
        sys.stdout.flush()
    assert screen.getvalue() == text
    assert not shown.exists()


@pytest.mark.parametrize("text", [lines(24), "x" * 80 * 24 + "\n\n", "漢" * 40 * 24 + "\n"])
def test_what_does_not_fit_starts_it(pager, screen, text):
    shown = pager('cat > "$SHOWN"')
    with paged(screen):
        sys.stdout.write(text)
    assert shown.read_text() == text
    assert screen.getvalue() == ""


def test_leaving_the_pager_ends_output_without_end(pager, screen):
    pager("head -1")
    numbers = itertools.count()
    with paged(screen):
        for number in numbers:
            sys.stdout.write(f"{number}\n")
    assert next(numbers) > 1


def test_nothing_starts_another_pager_once_it_was_left(pager, screen):
    shown = pager('echo started >> "$SHOWN"; head -1 > /dev/null')
    with paged(screen):
        try:
            for number in itertools.count():
                sys.stdout.write(f"{number}\n")
        finally:
            sys.stdout.write(lines(100))
    assert shown.read_text() == "started\n"
    assert screen.getvalue() == ""


def test_leaving_the_pager_ends_a_table_without_end(pager, screen):
    pager("head -1")
    item = {"state": "queued", "attempts": 0, "signal": None, "exit_code": None, "code": None, "duration_s": None}
    item |= {"message": None, "result": None, "row": {"id": "1"}}
    pages = ([item | {"item": number}] for number in itertools.count(1))
    with paged(screen):
        print_pages(pages, sys.stdout, look_of(sys.stdout, color=False))
    assert next(pages)


@pytest.mark.parametrize("command", ["false", "exit 127", "nosuch-pager -x", "head -c 10 > /dev/null; exit 1"])
def test_without_a_pager_that_works_the_text_follows_in_full(pager, screen, command, capsys):
    pager(command)
    with paged(screen):
        for _ in range(1_000):
            sys.stdout.write(lines(10))
    assert screen.getvalue() == lines(10) * 1_000
    assert ("JOBCTL_PAGER names the pager nosuch-pager" in capsys.readouterr().err) == ("nosuch" in command)


def test_an_error_comes_after_the_pager(pager, screen):
    shown = pager('cat > "$SHOWN"')
    with pytest.raises(KeyError), paged(screen):
        sys.stdout.write(lines(30))
        raise KeyError
    assert shown.read_text() == lines(30)
    with pytest.raises(KeyError), paged(screen):
        sys.stdout.write("short\n")
        raise KeyError
    assert screen.getvalue() == "short\n"


def test_the_pager_is_named_as_for_git(screen, monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "jobctl").mkdir()
    assert command_of(Session().output_setting("pager")) == ("less", "")
    monkeypatch.setenv("PAGER", "more")
    assert command_of(Session().output_setting("pager")) == ("more", "PAGER")
    (tmp_path / "jobctl" / "config.toml").write_text('[output]\npager = "less -S"\n')
    assert command_of(Session().output_setting("pager")) == ("less -S", "output.pager")
    for none in ("", "cat", "none", " "):
        monkeypatch.setenv("JOBCTL_PAGER", none)
        assert command_of(Session().output_setting("pager")) == ("", "JOBCTL_PAGER")


def test_a_manual_page_is_shown_with_the_pager_that_is_named_for_jobctl(monkeypatch, tmp_path):
    reader = tmp_path / "man"
    reader.write_text('#!/bin/sh\necho "$MANPAGER" > "$SHOWN"\n')
    reader.chmod(0o755)
    monkeypatch.setattr(manual, "_readers", lambda: [[str(reader)]])
    monkeypatch.setenv("SHOWN", str(tmp_path / "shown"))
    monkeypatch.setenv("MANPAGER", "more")
    for given, used in ((None, "more"), ("less -S", "less -S")):
        assert manual.show_page("page", given)
        assert (tmp_path / "shown").read_text() == f"{used}\n"


# ---- on a terminal ----


@pytest.fixture
def many(store, home):
    """A job of many items; every output has one line."""
    job = store.job("s" * MANY, state="succeeded", started_at=SUBMITTED_AT, finished_at=SUBMITTED_AT + SECOND)
    home.job_logs(job).mkdir(parents=True)
    (home.job_logs(job) / "1.out").write_bytes(b"written\n" * MANY)
    for item in range(1, MANY + 1):
        store.attempt(job, item, log=1, out_off=8 * (item - 1), out_len=8)
    return home


@pytest.mark.skipif(shutil.which("less") is None, reason="less is not installed")
@pytest.mark.parametrize("words", few([("items", "1"), ("logs", "1"), ("submit", "--help")], [("items", "1")]))
def test_less_shows_the_beginning_keeps_ctrl_c_and_is_left_with_q(many, words):
    terminal = Terminal(many, *words, PAGER="")
    assert terminal.end() == 0
    assert "\n:" not in terminal.text()
    terminal = Terminal(many, *words)
    terminal.await_text("\n:")
    begin = terminal.text()
    terminal.child.send("\x03")
    # The terminal drops the keys that are typed at the moment of Ctrl-C.
    wait_until(lambda: terminal.child.send("G") and "(END)" in terminal.text(), 60, "the end of the text")
    assert terminal.text() != begin
    terminal.child.send("q")
    assert terminal.end() == 0


PLAIN = (["items", "1", "--no-pager"], {})


@pytest.mark.parametrize(
    ("words", "env"),
    few(
        [
            PLAIN,
            (["--no-pager", "items", "1"], {}),
            (["items", "1", "--plain"], {}),
            (["items", "1", "--json"], {}),
            (["items", "1"], {"TERM": "dumb"}),
            (["logs", "1", "--follow"], {}),
            (["submit", "--help", "--no-pager"], {}),
        ],
        [PLAIN],
        several=True,
    ),
)
def test_nothing_is_paged_where_no_pager_is_wanted(many, tmp_path, words, env):
    terminal = Terminal(many, *words, JOBCTL_PAGER=f"cat > {tmp_path}/paged", **env)
    assert terminal.end() == 0
    assert terminal.text()
    assert not (tmp_path / "paged").exists()


def test_colours_stay(many, tmp_path):
    paged = tmp_path / "paged"
    assert Terminal(many, "items", "1", JOBCTL_PAGER=f"cat > {paged}").end() == 0
    assert "\x1b[32msucceeded" in paged.read_text()
    assert Terminal(many, "items", "1", JOBCTL_PAGER=f"cat > {paged}", NO_COLOR="1").end() == 0
    assert "\x1b[32m" not in paged.read_text()


def test_nothing_is_paged_in_a_pipe(many, jobctl, monkeypatch, tmp_path):
    monkeypatch.setenv("JOBCTL_PAGER", f"cat > {tmp_path}/paged")
    assert len(jobctl("items", "1").out.splitlines()) == MANY + 1
    assert not (tmp_path / "paged").exists()
