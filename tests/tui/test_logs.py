"""The output of items in ``jobctl top``: it grows, is scrolled, wrapped and searched."""

from __future__ import annotations

import asyncio

import pytest

pytest.importorskip("textual")

from textual.app import App

from jobctl.tui import log_text
from jobctl.tui.log_text import LONGEST_LINE, LogText


def see(script, size=(40, 10)):
    """Run a script on a text that fills the screen."""

    class Shown(App):
        def compose(self):
            yield LogText(id="text")

    async def play():
        app = Shown()
        async with app.run_test(size=size) as pilot:
            text = app.query_one(LogText)
            text.focus()
            await pilot.pause()
            await script(text, pilot)

    asyncio.run(play())


#: Signs of a scroll bar.
BAR = "▁▂▃▄▅▆▇█"


def drawn(text):
    """The lines on the screen."""
    return [strip.text.rstrip(f" {BAR}") for strip in text.screen._compositor.render_strips()]


def test_the_end_is_followed_until_the_text_is_scrolled_back():
    async def script(text, pilot):
        text.write("".join(f"line {n}\n" for n in range(100)))
        await pilot.pause()
        assert text.follows and drawn(text)[-1] == "line 99"
        await pilot.press("pageup")
        before = drawn(text)
        assert not text.follows
        text.write("more\n")
        await pilot.pause()
        assert drawn(text) == before
        await pilot.press("G")
        assert text.follows and drawn(text)[-1] == "more"
        await pilot.press("home")
        assert drawn(text)[0] == "line 0"
        await pilot.press("F")
        assert drawn(text)[-1] == "more"
        text.clear()
        text.write("anew\n")
        await pilot.pause()
        assert text.follows and drawn(text)[0] == "anew"

    see(script)


def test_a_line_may_come_in_pieces_and_be_endless():
    async def script(text, pilot):
        text.write("half ")
        text.write("of a line\nnext")
        assert text.lines == ["half of a line", "next"]
        text.write(" one\n")
        assert text.lines == ["half of a line", "next one"]
        for _ in range(5):
            text.write("x" * LONGEST_LINE)
        assert {len(line) for line in text.lines[2:]} == {LONGEST_LINE}

    see(script)


def test_only_the_last_lines_are_kept_and_the_view_stays_on_its_line(monkeypatch):
    monkeypatch.setattr(log_text, "MAX_LINES", 100)
    monkeypatch.setattr(log_text, "DROPPED", 20)

    async def script(text, pilot):
        text.write("".join(f"line {n}\n" for n in range(100)))
        text.search("line 99")
        await pilot.press("pageup")
        before = drawn(text)
        text.write("".join(f"line {n}\n" for n in range(100, 130)))
        await pilot.pause()
        assert len(text.lines) <= 120
        assert drawn(text) == before
        assert text.found == (1, 1)
        text.write("".join(f"line {n}\n" for n in range(130, 400)))
        await pilot.pause()
        assert text.found == (0, 0)

    see(script)


def test_a_search_marks_every_match_and_n_goes_from_one_to_the_next():
    async def script(text, pilot):
        text.write("".join(f"line {n}: {'Error' if n % 50 == 7 else 'fine'}\n" for n in range(200)))
        await pilot.pause()
        assert not text.check_action("match", (1,))
        text.search("error")
        assert text.found == (4, 4)
        assert "line 157: Error" in drawn(text)
        await pilot.press("N")
        await pilot.pause()
        assert text.found == (3, 4) and "line 107: Error" in drawn(text)
        await pilot.press("n", "n")
        await pilot.pause()
        assert text.found == (1, 4) and "line 7: Error" in drawn(text)
        text.search("ERROR")  # capitals count
        assert text.found == (0, 0)
        text.search("[7]")  # no pattern, but the text
        assert text.found == (0, 0)
        text.search("Error")
        text.write("one Error more\n")
        assert text.found[1] == 5
        text.search("")
        assert text.found == (0, 0)

    see(script)


def test_long_lines_are_wrapped_or_scrolled_to_the_side():
    async def script(text, pilot):
        text.write(f"{'a' * 39}東京 the end\nshort\n")
        await pilot.pause()
        assert drawn(text)[0] == "a" * 39
        await pilot.press("right", "right")
        await pilot.pause()
        assert "東京 the end" in drawn(text)[0]
        await pilot.press("w")
        await pilot.pause()
        assert drawn(text)[:3] == ["a" * 39, "東京 the end", "short"]
        text.search("the end")
        await pilot.pause()
        styles = {segment.text: segment.style for segment in text.render_line(1)}
        assert styles["the end"].bgcolor != styles["東京 "].bgcolor
        text.write("b" * 85 + "\n")
        await pilot.pause()
        assert drawn(text)[3:6] == ["b" * 40, "b" * 40, "b" * 5]
        await pilot.resize_terminal(20, 10)
        await pilot.pause()
        assert max(len(line) for line in drawn(text)) <= 20

    see(script)
