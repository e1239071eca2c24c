"""``jobctl man``: every page as text, the page that is meant, and the program that shows it on a terminal."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from jobctl.render.mdoc import _BLOCKS, WIDTH, macros, page_text
from jobctl.render.mdoc_words import MACROS
from tests.terminal import ROOT, Terminal

PAGES = sorted((ROOT / "man").glob("man?/*"))


def _letters(text: str) -> str:
    """Without what readers set differently: spaces, quotes, dashes."""
    return re.sub(r"[‘’']", "", re.sub(r"[—–‐−-]+", "-", re.sub(r"\s+", "", text).replace("•", "-")))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_page_has_the_text_that_mandoc_makes(page: Path) -> None:
    source = page.read_text()
    assert set(macros(source)) <= _BLOCKS.keys() | MACROS, "teach jobctl.render.mdoc the macro"
    text = page_text(source)
    assert text.isprintable() or not re.search(r"[^\n\x20-\x7e\xa0-\uffff]", text)
    assert max(len(line) for line in text.splitlines()) <= WIDTH + 40  # a line of a crontab
    mandoc = shutil.which("mandoc")
    if mandoc is None:
        pytest.skip("mandoc is not installed")
    theirs = subprocess.run([mandoc, "-T", "utf8", page], capture_output=True, text=True, check=True).stdout
    body = re.sub(".\b", "", theirs).splitlines()[1:-1]  # between their title and the date
    assert _letters("\n".join(text.splitlines()[2:])) == _letters("\n".join(body))


@pytest.mark.parametrize(
    ("words", "title"),
    [
        ([], "JOBCTL(1)"),
        (["submit"], "JOBCTL-SUBMIT(1)"),
        (["jobctl-submit"], "JOBCTL-SUBMIT(1)"),
        (["jobctl", "submit"], "JOBCTL-SUBMIT(1)"),
        (["queue", "list"], "JOBCTL-QUEUE(1)"),
        (["input"], "JOBCTL-INPUT(5)"),
        (["status"], "JOBCTL-STATUS(1)"),
        (["5", "status"], "JOBCTL-STATUS(5)"),
        (["status.5"], "JOBCTL-STATUS(5)"),
        (["jobctl-status(5)"], "JOBCTL-STATUS(5)"),
        (["cluster"], "JOBCTL-CLUSTER(7)"),
    ],
    ids=str,
)
def test_the_page_that_is_meant(jobctl, words, title):
    done = jobctl("man", *words)
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith(title)
    assert jobctl("man", *words, "--json").document["text"] == done.out


def test_a_page_that_is_none(jobctl):
    assert "did you mean: jobctl man submit" in jobctl("man", "sumbit").err
    assert "jobctl man --list" in jobctl("man", "xyzzy").err
    assert "there is jobctl-submit(1)" in jobctl("man", "5", "submit").err
    assert jobctl("man", "xyzzy").code == 9
    assert "one page at a time" in jobctl("man", "submit", "status").err
    assert jobctl("man", "queue", "set").code == 0  # a command within a group


def test_every_page_is_listed_and_their_folder_is_one_for_manpath(jobctl):
    listed = [line.split("\t")[:2] for line in jobctl("man", "--list").out.splitlines()[1:]]
    assert sorted(listed) == sorted([page.stem.removeprefix("jobctl-"), page.suffix[1:]] for page in PAGES)
    folder = Path(jobctl("man", "--path").out.strip())
    assert {path.relative_to(folder) for path in folder.glob("man?/*")} == {
        path.relative_to(ROOT / "man") for path in PAGES
    }


def test_the_pages_are_found_inside_an_archive(tmp_path, home):
    archive = tmp_path / "jobctl.zip"
    with zipfile.ZipFile(archive, "w") as file:
        for path in (ROOT / "jobctl").rglob("*.py"):
            file.write(path, path.relative_to(ROOT))
        for path in PAGES:
            file.write(path, Path("jobctl") / path.relative_to(ROOT))
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": str(archive), "HOME": str(tmp_path)}
    run = [sys.executable, "-m", "jobctl", "man"]
    done = subprocess.run([*run, "submit"], cwd=tmp_path, env=env, capture_output=True, text=True, timeout=60)
    assert done.stdout.startswith("JOBCTL-SUBMIT(1)"), done.stderr
    done = subprocess.run([*run, "--path"], cwd=tmp_path, env=env, capture_output=True, text=True, timeout=60)
    assert "inside an archive" in done.stderr


@pytest.mark.parametrize(
    ("script", "shown"),
    [
        ('echo "shown by man: $*"', "shown by man: -l"),
        ("exit 3", "JOBCTL-QUEUE(1)"),
        ("# This system has been minimized\necho no pages here", "JOBCTL-QUEUE(1)"),
        (None, "JOBCTL-QUEUE(1)"),
    ],
    ids=["man", "man that fails", "a stub", "no man"],
)
def test_a_terminal_has_the_reader_of_the_machine(tmp_path, home, script, shown):
    if script is not None:
        (tmp_path / "man").write_text(f"#!/bin/sh\n{script}\n")
        (tmp_path / "man").chmod(0o755)
    terminal = Terminal(home, "man", "queue", lines=200, PATH=str(tmp_path))
    assert terminal.end() == 0
    assert shown in terminal.text()
    assert "no pages here" not in terminal.text()


@pytest.mark.parametrize("name", ["PAGER", "MANPAGER"])
def test_a_pager_that_is_not_there_is_not_used(tmp_path, home, name):
    (tmp_path / "man").write_text(f'#!/bin/sh\necho "pager: ${{{name}:-its own}}"\n')
    (tmp_path / "man").chmod(0o755)
    terminal = Terminal(home, "man", "queue", lines=50, PATH=str(tmp_path), **{name: "no-such-pager -R"})
    assert terminal.end() == 0
    assert "pager: its own" in terminal.text()
    assert f"{name} names no program that is here" in terminal.text()


@pytest.mark.parametrize("words", [("queue",), ("--list",)])
def test_a_narrow_terminal_gets_narrow_text(tmp_path, home, words):
    terminal = Terminal(home, "man", *words, columns=60, lines=200, PATH=str(tmp_path))
    assert terminal.end() == 0
    assert "show queues and change their limits" in terminal.text()
    # A line that the terminal breaks continues in the first column, which only headings and names of pages use.
    starts = [line.split(" ")[0] for line in terminal.text().splitlines() if line[:1].strip()]
    names = {page.stem.removeprefix("jobctl-") for page in PAGES} | {"page"}
    assert set(starts) <= names if "--list" in words else all(word.isupper() for word in starts[1:-1])
