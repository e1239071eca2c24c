"""S11: what strangers wrote does nothing to a terminal, on any screen and in any message."""

from __future__ import annotations

import csv
import os
import re
import shutil

import pexpect
import pytest

from tests.e2e.conftest import Cli
from tests.interactive import Program
from tests.stages import few

EVIL = (
    "\x1b]0;PWNED\x07\x1b]52;c;UFdO\x07\x1b]8;;http://evil\x07\x1b[2J\x9b31m\x1bP1\x1b\\ [red]bold[/red] \u202e\x08\x7f"
)
#: Colours and the movements of a live view, all of which we make ourselves.
OWN = re.compile(r"\x1b\[[0-9;]*m|\x1b\[\?25[lh]|\x1b\[\d*[ABCDGHJK]|\x1b\[\d+;\d+H|\x1b\[\?(?:1049|2026|7)[hl]")
HARMFUL = re.compile(r"[\x00-\x07\x0b-\x1f\x7f-\x9f\u202a-\u202e]".replace("\\x0b-\\x1f", "\\x0b\\x0c\\x0e-\\x1f"))


@pytest.fixture(scope="module")
def job(tmp_path_factory):
    """A job in which everything that a stranger can name or say is evil."""
    place = tmp_path_factory.mktemp("terminal")
    (place / "work").mkdir()
    cli = Cli(place / "home", place / "work")
    name = "\x1b]0;FILE\x07\x9b2J.csv"
    with (cli.work / name).open("w", newline="") as file:
        csv.writer(file).writerows([[f"col{EVIL}", "v"], *[[EVIL, f"{n}{EVIL}"] for n in range(3)]])
    script = 'printf "%s\\n" "$1"; printf "%s\\n" "$1" >&2; [ "${1%%[!0-9]*}" = 0 ]'
    shutil.copy(cli.work / name, cli.work / "rows.csv")
    cli("run", name, "-q", "--attempts", 1, "--", "sh", "-c", script, "sh", "{v}", check=3)
    yield cli
    cli.close()


SCREENS = (
    ("status",), ("status", "1"), ("status", "--all"), ("items", "1"), ("explain", "1"), ("explain", "1.2"),
    ("logs", "1"), ("logs", "1.2", "--stderr"), ("results", "1"), ("wait", "1"), ("notify", "list"), ("queue", "list"),
    ("daemon", "status"), ("verify", "1"), ("retry", "1", "--dry-run"), ("prune", "--dry-run", "--older-than", "0s"),
    ("submit", "rows.csv", "--dry-run", "--", "echo", "{v}"), ("doctor", "-v"), ("status", "1", "--watch"),
)  # fmt: skip
MISTAKES = (
    ("submit", f"no{EVIL}.csv", "--", "true"),
    ("submit", "rows.csv", "--", "echo", f"{{x{EVIL}}}"),
    ("submit", "rows.csv", "--item-key", EVIL, "--", "true"),
    ("submit", "bad.csv", "--", "true"),
    ("status", EVIL),
    ("items", "1", "--state", EVIL),
    ("logs", f"1.{EVIL}"),
    (f"stat{EVIL}",),
    ("status", f"--{EVIL}"),
    ("submit", "rows.csv", "--timeout", EVIL, "--", "true"),
    ("set", "1", f"slots={EVIL}"),
    ("submit", "rows.csv", "--where", f"v == {EVIL}", "--", "true"),
    ("--home", f"/no/{EVIL}", "status"),
)


def on_a_terminal(cli, words):
    """Everything that a command sends to a terminal of 100 columns."""
    screen = Program(
        cli.program[0],
        [*cli.program[1:], *words],
        cwd=str(cli.work),
        env=cli.env | {"TERM": "xterm-256color"},
        encoding="utf-8",
        codec_errors="surrogateescape",
        dimensions=(30, 100),
        timeout=30,
    )
    screen.setecho(False)
    screen.expect(pexpect.EOF)
    screen.close()
    return screen.before


def harmful(text):
    return HARMFUL.findall(OWN.sub("", text).replace("\r\n", "\n"))


#: The others look with the same eyes.
FAST = ("status 1", "items 1", "explain 1.2", "logs 1", "submit rows.csv --dry-run -- echo {v}", "status 1 --watch")


@pytest.mark.parametrize(
    "words",
    [pytest.param(words, marks=() if " ".join(words) in FAST else pytest.mark.slow) for words in SCREENS],
    ids=" ".join,
)
def test_s11_screens_show_and_do_nothing(job, words):
    shown = on_a_terminal(job, words)
    assert harmful(shown) == [], shown
    assert "\x1b]" not in shown


@pytest.mark.parametrize("words", few(MISTAKES, MISTAKES[:3]), ids=map(str, range(len(MISTAKES))))
def test_s11_messages_about_mistakes_show_and_do_nothing(job, words):
    (job.work / "bad.csv").write_text(f'a{EVIL},b\n1,2,{EVIL}\n"{EVIL}\n', newline="")
    shown = on_a_terminal(job, words)
    assert shown.strip()
    assert harmful(shown) == [], shown


def test_s11_markup_is_text(job):
    assert "[red]bold[/red]" in on_a_terminal(job, ("items", "1"))


def test_s11_raw_output_goes_through_a_pipe_as_it_is(job):
    assert EVIL in job("logs", "1.2", "--stdout").stdout


def test_s11_a_report_is_a_page_in_which_nothing_runs(job):
    page = job("report", "1", "-o", "-").stdout
    assert "<script" not in page and "\x1b" not in page
    assert os.path.exists(job.work / "rows.csv")
