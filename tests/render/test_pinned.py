"""Screens are what they were. A change is looked at: python -m tests.render.pinned, then git diff."""

from __future__ import annotations

import re

import pytest
from rich.cells import cell_len

from tests.render.pinned import FOLDER, drawn

SCREENS = drawn()


def test_every_screen_is_kept_and_no_other():
    assert {path.stem for path in FOLDER.glob("*.txt")} == set(SCREENS)


@pytest.mark.parametrize("name", SCREENS)
def test_a_screen_is_unchanged(name):
    assert SCREENS[name] == (FOLDER / f"{name}.txt").read_text(encoding="utf-8"), "python -m tests.render.pinned"


@pytest.mark.parametrize("name", [name for name in SCREENS if re.search(r"\d+x\d+", name)])
def test_it_fits(name):
    width, height = map(int, re.search(r"(\d+)x(\d+)", name).groups())
    lines = SCREENS[name].splitlines()
    assert max(map(cell_len, lines)) <= width
    assert len(lines) <= height or name.startswith("status-job")
    assert not name.endswith("-C") or SCREENS[name].isascii()
