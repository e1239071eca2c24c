"""Every text of ``jobctl top`` can be read: a contrast of at least 4.5 to 1, computed from what is really drawn."""

from __future__ import annotations

import pytest

pytest.importorskip("textual")

from rich.color import ColorSystem

from jobctl.tui.confirm import Confirm
from jobctl.tui.help import Help
from jobctl.tui.item import ItemScreen
from jobctl.tui.job import JobScreen
from jobctl.tui.log_text import LogText
from jobctl.tui.theme import DARK, LIGHT
from jobctl.tui.waiting import NoStore
from tests.factories import SUBMITTED_AT
from tests.tui.contrast import faint_texts
from tests.tui.sight import watch

SYSTEMS = (ColorSystem.TRUECOLOR, ColorSystem.EIGHT_BIT, ColorSystem.STANDARD)


@pytest.fixture
def jobs(store):
    """Jobs in every state, and one with items in every state and two causes of failure."""
    times = {"started_at": SUBMITTED_AT, "finished_at": SUBMITTED_AT + 1}
    for state in ("succeeded", "failed", "cancelled", "expired", "partial"):
        store.job("sf" if state == "partial" else state[0].replace("c", "u").replace("e", "u"), state=state, **times)
    for state in ("queued", "paused"):
        store.job("q", state=state, name=f"is-{state}")
    mixed = store.job("srqtfuff", state="running", name="mixed", started_at=SUBMITTED_AT, attempts=9)
    store.failure(mixed, 2, samples="[5, 7]")
    store.failure(mixed, 1, code="timeout", message="took longer than 5 s", samples="[8]", retryable=0)
    return mixed


@pytest.mark.parametrize("theme", [DARK, LIGHT])
@pytest.mark.parametrize("colours", [True, False], ids=["colours", "no-colours"])
def test_every_text_has_contrast(home, jobs, monkeypatch, theme, colours):
    if not colours:
        monkeypatch.setenv("NO_COLOR", "1")
    faint = {}

    async def look(sight, name):
        await sight.until(sight.ready, name)
        focused = sight.screen.focused
        await note(sight, f"{name}, with focus")
        sight.screen.set_focus(None)
        await note(sight, f"{name}, without focus")
        sight.screen.set_focus(focused)

    async def note(sight, where):
        await sight.pilot.pause()
        strips = sight.screen._compositor.render_strips()
        for system in SYSTEMS:
            for text in faint_texts(strips, system):
                faint.setdefault((text.text, text.colours), (text.ratio, where, system.name))

    async def script(sight):
        sight.app.theme = theme
        await sight.sees("mixed", "cancelled", "expired", "paused")
        await visit(sight, lambda name: look(sight, name))

    watch(home, script, (120, 40))
    assert not faint, "\n".join(f"{text!r}: {where}" for text, where in faint.items())


async def visit(sight, look):
    """Go through every screen, with the cursor on every row of the tables, and call ``look`` at each."""
    for row in range(8):
        await look(f"jobs, row {row}")
        await sight.press("down")
    await sight.press("home", "c")
    await sight.comes_to(Confirm)
    await look("question")
    await sight.press("n", "question_mark")
    await sight.comes_to(Help)
    await look("help")
    await sight.press("escape", "slash", "m", "i")
    await look("filter that is typed")
    await sight.press("enter")
    await look("filtered")
    await sight.press("escape", "slash")
    await look("filter that is empty")
    await sight.press("escape", "enter")
    await sight.comes_to(JobScreen)
    await look("overview")
    await sight.press("2")
    for row in range(8):
        await look(f"items, row {row}")
        await sight.press("down")
    await sight.press("3")
    for row in range(2):
        await look(f"causes, row {row}")
        await sight.press("down")
    await sight.press("4")
    await look("log")
    text = sight.screen.query_one(LogText)
    text.write("one line\nanother line\nthe last line\n" * 40)
    text.search("line")
    await look("matches")
    await sight.press("2", "enter")
    await sight.comes_to(ItemScreen)
    await look("item")
    sight.app.notify("an answer", markup=False)
    sight.app.notify("an error", severity="error", markup=False)
    await sight.sees("an answer", "an error")
    await look("answers")


def test_a_store_that_is_waited_for_can_be_read(home):
    async def script(sight):
        await sight.sees("no jobs yet")
        for system in SYSTEMS:
            assert not faint_texts(sight.screen._compositor.render_strips(), system)

    watch(home, script, first=NoStore)
