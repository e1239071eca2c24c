"""The preview of a submission at the widths of terminals."""

from __future__ import annotations

import io

import pytest
from rich.cells import cell_len

from jobctl.render.look import look_of
from jobctl.render.preview import print_preview


class Terminal(io.StringIO):
    encoding = "utf-8"

    def isatty(self):
        return True


@pytest.mark.parametrize("width", [60, 80, 200])
@pytest.mark.parametrize("count", [1, 3, 30])
def test_it_fits_and_names_the_columns_without_room(monkeypatch, width, count):
    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.setenv("LANG", "C.UTF-8")
    columns = [f"column{n}" for n in range(count)]
    rows = [[f"{n} " + "wide 漢 value\x1b[31m" * (n % 3) for n in range(count)] for _ in range(2)]
    terminal = Terminal()
    print_preview(columns, rows, ["convert " + "x" * 300, "short"], terminal, look_of(terminal, color=False))
    lines = terminal.getvalue().rstrip("\n").split("\n")
    assert max(map(cell_len, lines)) <= width
    assert "\x1b" not in terminal.getvalue()
    assert lines[0].startswith("item") and lines[0].endswith("command") and lines[2].endswith("short")
    shown = {name for name in columns if name[:5] in lines[0]}
    assert shown or "not shown" in terminal.getvalue()


def test_off_a_terminal_nothing_is_cut():
    pipe = io.StringIO()
    print_preview(["id"], [["a\tb" + "x" * 300]], ["y" * 300], pipe, look_of(pipe, color=False))
    title, line = pipe.getvalue().splitlines()
    assert title == "item\tid\tcommand"
    assert line.endswith("x" * 300 + "\t" + "y" * 300)
