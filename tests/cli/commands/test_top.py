"""``jobctl top`` as it is called: on a terminal, off it, without textual."""

from __future__ import annotations

import pytest

from tests.factories import SUBMITTED_AT
from tests.stages import few
from tests.terminal import Terminal

MISSING = "import sys; sys.modules['textual'] = None; from jobctl.__main__ import main; main()"


@pytest.mark.parametrize("size", few([(80, 24), (120, 40), (200, 50)], [(80, 24)]))
def test_on_a_terminal_it_takes_the_screen_and_gives_it_back(store, home, size):
    pytest.importorskip("textual")
    store.job("ssrq", state="running", started_at=SUBMITTED_AT, attempts=3)
    terminal = Terminal(home, "top", columns=size[0], lines=size[1])
    terminal.await_text("nightly-invoices")
    terminal.await_text("q quit")
    assert "2 succeeded" in terminal.text()
    terminal.child.send("\r")
    terminal.await_text("1 overview")
    terminal.await_no_text("q quit")  # the last line of a screen is drawn after its first one
    terminal.child.send("q")
    terminal.await_text("q quit")
    terminal.child.send("q")
    assert terminal.end() == 0
    assert terminal.raw.count(b"\x1b[?1049h") == terminal.raw.count(b"\x1b[?1049l") == 1
    assert terminal.raw.rindex(b"\x1b[?25h") > terminal.raw.rindex(b"\x1b[?25l")


@pytest.mark.slow
def test_no_colours_are_no_colours(store, home):
    pytest.importorskip("textual")
    store.job("f", state="failed", started_at=SUBMITTED_AT, finished_at=SUBMITTED_AT + 1)
    terminal = Terminal(home, "--no-color", "top")
    terminal.await_text("nightly-invoices")
    terminal.child.send("q")
    assert terminal.end() == 0
    colours = {cell.fg for line in terminal.screen.buffer.values() for cell in line.values()} - {"default"}
    assert all(len({colour[i : i + 2] for i in (0, 2, 4)}) == 1 for colour in colours), colours  # greys


def test_without_the_extra_the_message_names_the_package_to_install(store, home):
    store.job("q")
    terminal = Terminal(home, "top", run=("-c", MISSING))
    assert terminal.end() == 2
    assert "textual, which is not installed" in terminal.text()
    assert "pip install 'jobctl[tui]'" in terminal.text()


def test_off_a_terminal_the_message_names_the_command_to_use(jobctl, store):
    refused = jobctl("top")
    assert refused.code == 2
    assert "top needs a terminal" in refused.err and "jobctl status --watch" in refused.err


def test_a_dumb_terminal_has_a_message(home):
    dumb = Terminal(home, "top", TERM="dumb")
    assert dumb.end() == 2
    assert "top needs a terminal that can draw a screen, and TERM is dumb" in dumb.text()


def test_without_a_store_it_waits_and_can_be_left(home):
    pytest.importorskip("textual")
    empty = Terminal(home, "top")
    empty.await_text("no jobs yet")
    empty.await_text("q quit")
    empty.child.send("q")
    assert empty.end() == 0
