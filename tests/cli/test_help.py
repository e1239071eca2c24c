"""The two help pages of every command: ``-h`` on one screen, ``--help`` with everything."""

from __future__ import annotations

import re

import pytest

from jobctl.cli.app import COMMANDS, command_tree
from jobctl.cli.page import first_clause, wrapped
from jobctl.cli.session import GLOBAL_PANEL
from jobctl.domain.job_options import OPTIONS, PANELS
from tests.terminal import Terminal

TREE = command_tree()
NODES = list(TREE.walk())
EVERY = [pytest.param(node, id=node.name or "jobctl") for node in NODES]
LEAVES = [pytest.param(node, id=node.name) for node in NODES if not node.children]


def _rows(page: str, heading: str) -> list[str]:
    """The lines below a heading."""
    return page.partition(f"\n{heading}:\n")[2].partition("\n\n")[0].splitlines()


@pytest.mark.parametrize("node", EVERY)
def test_the_short_page_fits_on_a_screen_below_the_prompt(node, jobctl):
    done = jobctl(*node.path, "-h")
    assert (done.code, done.err) == (0, "")
    lines = done.out.splitlines()
    assert len(lines) <= 23 and max(map(len, lines)) <= 80
    assert f"Usage: {' '.join(('jobctl', *node.path))} " in done.out
    assert lines[-1] == f"More: {' '.join(('jobctl', *node.path))} --help; the manual: " + " ".join(
        ("jobctl man", *node.path[:1])
    )
    examples = _rows(done.out, "Examples") or _rows(done.out, "Example")
    assert len(examples) <= 3
    if any(text.startswith("Example") for text in node.paragraphs):
        assert examples


@pytest.mark.parametrize("node", LEAVES)
def test_the_short_page_has_at_most_ten_options(node, jobctl):
    rows = [row for row in _rows(jobctl(*node.path, "-h").out, "Options") if row.startswith("  -")]
    assert len(rows) <= 10
    if len(node.own_options) <= 7:
        assert {option.long for option in node.own_options} <= set(re.findall(r"--[\w-]+", " ".join(rows)))


@pytest.mark.parametrize("name", ["submit", "run"])
def test_the_short_page_shows_the_options_that_the_table_marks(name, jobctl):
    marked = {f"--{option.name}" for option in OPTIONS if option.is_main}
    assert marked <= set(re.findall(r"--[\w-]+", jobctl(name, "-h").out))


def test_the_short_page_of_jobctl_names_every_command(jobctl):
    assert set(COMMANDS) <= set(jobctl("-h").out.split())


@pytest.mark.parametrize("node", EVERY)
def test_the_complete_page_has_every_option_and_argument(node, jobctl):
    page = jobctl(*node.path, "--help").out
    named = set(re.findall(r"(?<!\S)--?[\w-]+", page))
    assert {name for option in node.options for name in option.names} <= named
    assert all(argument.metavar in page for argument in node.arguments)
    assert list(dict.fromkeys(re.findall(rf"(?m)^({GLOBAL_PANEL}):$", page))) == [GLOBAL_PANEL]


def test_the_options_of_a_job_are_grouped_in_the_order_of_the_headings(jobctl):
    assert {option.panel for option in OPTIONS} == set(PANELS)
    page = jobctl("submit", "--help").out
    assert [heading for heading in re.findall(r"(?m)^(\S.*):$", page) if heading in PANELS] == list(PANELS)
    limits = set(re.findall(r"(?m)^  (?:-\w, )?(--[\w-]+)", page.partition("\nLimits:\n")[2].partition("\n\n")[0]))
    assert {"--slots", "--rate", "--timeout", "--deadline"} <= limits


def test_a_page_is_at_most_a_hundred_columns_wide(jobctl, monkeypatch):
    widths = {}
    for columns in ("60", "80", "120", "200"):
        monkeypatch.setenv("COLUMNS", columns)
        pages = [jobctl("submit", "--help").out, jobctl("submit", "-h").out]
        prose = [line for page in pages for line in page.splitlines() if "jobctl submit " not in line]
        widths[columns] = max(map(len, prose))
    assert widths["60"] <= 60 < widths["80"] <= 80 < widths["120"] <= 100
    assert widths["200"] == widths["120"]


@pytest.mark.parametrize("words", [("submit", "--help"), ("submit", "-h")])
def test_headings_are_bold_on_a_terminal_and_plain_elsewhere(words, home, jobctl):
    terminal = Terminal(home, *words, PAGER="cat")
    terminal.end()
    terminal.await_text("jobctl man submit")
    assert b"\x1b[1mOptions\x1b[0m:" in terminal.raw and b"\x1b[1mUsage\x1b[0m: jobctl" in terminal.raw
    for variables in ({"NO_COLOR": "1"}, {"TERM": "dumb"}):
        terminal = Terminal(home, *words, PAGER="cat", **variables)
        terminal.end()
        terminal.await_text("jobctl man submit")
        assert b"\x1b" not in terminal.raw
    assert "\x1b" not in jobctl(*words).out


def test_the_document_of_a_page_has_all_options_also_with_the_short_page(jobctl):
    short, full = jobctl("submit", "-h", "--json").document, jobctl("submit", "--help", "--json").document
    assert short["options"] == full["options"] and len(short["text"]) < len(full["text"])


def test_a_sentence_is_cut_after_a_clause():
    text = "Stop the job when more than N items fail (N%: after 20 are processed); default: never."
    assert first_clause(text, 200) == text[:-1]
    assert first_clause(text, 75) == "Stop the job when more than N items fail (N%: after 20 are processed)"
    assert first_clause(text, 60) == "Stop the job when more than N items fail"
    assert first_clause("No clause ends here", 5) == "No clause ends here"
    assert wrapped("--on-duplicate stays-whole", 10) == ["--on-duplicate", "stays-whole"]
