"""Recipes: a submission under a name."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.trusted import write_trusted

RECIPES = """
[submit]
slots = 9
attempts = 8

[recipe.thumbnails]
summary = "Small pictures"
command = ["cp", "{}", "{.}.webp"]
slots = 4
max-failures = "5%"
label = ["team=web"]
unique = true
cwd = "pictures"

[recipe.script]
shell = "echo {}"

[recipe.rows]
format = "csv"
no-header = true
command = ["echo", "{1}"]
"""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "pictures").mkdir()
    (tmp_path / "rows.txt").write_text("a.png\nb.png\n")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.chdir(tmp_path)
    write_trusted(tmp_path / "jobctl.toml", RECIPES)
    return tmp_path


def test_a_recipe_fills_in_options_that_the_command_line_leaves_open(place: Path, jobctl) -> None:
    job = jobctl("submit", "rows.txt", "--recipe", "thumbnails", "--json").document
    assert job["command"] == ["cp", "{}", "{.}.webp"]
    assert (job["policy"]["slots"], job["policy"]["attempts"], job["policy"]["max_failures"]) == (4, 8, "5%")
    assert job["labels"] == {"team": "web"}
    assert job["cwd"] == str(place / "pictures")
    assert jobctl("submit", "rows.txt", "--recipe", "thumbnails").code == 8  # unique


def test_flags_and_words_win(place: Path, jobctl) -> None:
    words = ("--recipe", "thumbnails", "-j", "1", "--max-failures", "none", "--json", "--", "echo", "{}")
    job = jobctl("submit", "rows.txt", *words).document
    assert job["command"] == ["echo", "{}"]
    assert (job["policy"]["slots"], job["policy"]["max_failures"]) == (1, None)
    job = jobctl("submit", "rows.txt", "--recipe", "script", "--json", "--", "echo").document
    assert (job["handler"], job["command"]) == ("command", ["echo"])
    job = jobctl("submit", "rows.txt", "--recipe", "thumbnails", "--shell", "cat {}", "--json").document
    assert (job["handler"], job["command"]) == ("shell", "cat {}")


def test_a_recipe_may_say_how_the_file_is_read(place: Path, jobctl) -> None:
    said = jobctl("submit", "rows.txt", "--recipe", "rows", "--dry-run")
    assert [line.split("\t")[-1] for line in said.out.splitlines()] == ["command", "echo a.png", "echo b.png"]


def test_list_and_show(place: Path, jobctl) -> None:
    assert jobctl("recipe", "list").out.splitlines() == [
        "rows        echo {1}",
        "script      echo {}",
        "thumbnails  Small pictures",
    ]
    shown = jobctl("recipe", "show", "thumbnails").out
    assert 'command = ["cp", "{}", "{.}.webp"]' in shown
    assert str(place / "jobctl.toml") in shown
    assert jobctl("recipe", "show", "script", "--json").document["options"] == {"shell": "echo {}"}


def test_the_shown_text_is_a_recipe_again(place: Path, jobctl) -> None:
    shown = jobctl("recipe", "show", "thumbnails").out
    write_trusted(place / "jobctl.toml", shown)
    assert jobctl("recipe", "show", "thumbnails").out == shown


def test_an_unknown_recipe_is_not_found(place: Path, jobctl) -> None:
    said = jobctl("submit", "rows.txt", "--recipe", "thumbnail")
    assert said.code == 9
    assert "did you mean thumbnails?" in said.err


def test_a_recipe_of_the_project_wins_over_one_of_the_user(place: Path, jobctl) -> None:
    user = place / "config" / "jobctl" / "config.toml"
    user.parent.mkdir(parents=True, exist_ok=True)
    user.write_text("[recipe.script]\nshell = 'user'\n[recipe.own]\ncommand = ['true']\n")
    assert jobctl("recipe", "show", "script", "--json").document["options"] == {"shell": "echo {}"}
    assert jobctl("recipe", "show", "own").code == 0


def test_command_and_shell_at_once_are_refused(place: Path, jobctl) -> None:
    (place / "jobctl.toml").write_text("[recipe.x]\ncommand = ['a']\nshell = 'b'\n")
    assert "has a command and a shell" in jobctl("config", "trust").err
