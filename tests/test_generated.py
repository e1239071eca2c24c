"""What is made from the command tree is as it would be made now."""

from __future__ import annotations

from pathlib import Path

from jobctl.cli.commands.completion import FILES, scripts
from jobctl.cli.completion.manual import make_pages

ROOT = Path(__file__).parents[1]


def test_completions_are_fresh() -> None:
    stale = [name for shell, name in FILES.items() if (ROOT / "completions" / name).read_text() != scripts()[shell]]
    assert not stale, "write them anew with: python -m jobctl.cli.commands.completion"


def test_man_pages_are_fresh_and_every_command_has_one() -> None:
    pages = make_pages(ROOT / "man")
    stale = [path.name for path, text in pages.items() if not path.exists() or path.read_text() != text]
    assert not stale, "write them anew with: python -m jobctl.cli.completion.manual"
