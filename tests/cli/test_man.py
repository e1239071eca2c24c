"""The man pages against the program: nothing missing, nothing made up, no broken roff."""

from __future__ import annotations

import itertools
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from jobctl.cli.app import command_tree
from jobctl.cli.completion.manual import page_name
from jobctl.cli.completion.tree import GLOBAL_PANEL, Node
from jobctl.services.settings.keys import KEYS, RECIPE_KEYS

MAN = Path(__file__).parents[2] / "man"
PAGES = sorted(MAN.glob("man?/*"))
TREE = command_tree()
NODES = {node.name: node for node in TREE.walk()}
#: Of pages that are not installed here mandoc knows nothing.
_FOREIGN = ("referenced manual not found", "outdated mandoc.db")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_mandoc_finds_nothing_to_say(page: Path) -> None:
    program = shutil.which("mandoc")
    if program is None:
        pytest.skip("mandoc is not installed")
    said = subprocess.run([program, "-T", "lint", page], capture_output=True, text=True)
    lines = (said.stdout + said.stderr).splitlines()
    assert [line for line in lines if not any(text in line for text in _FOREIGN)] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_pages_refer_to_pages_that_are_there(page: Path) -> None:
    for name, section in re.findall(r"(?m)^\.(?:It )?Xr (jobctl\S*) (\d)", page.read_text()):
        assert (MAN / f"man{section}" / f"{name}.{section}").exists(), f"{name}({section})"


@pytest.mark.parametrize("command", list(TREE.children), ids=lambda node: node.name)
def test_every_option_is_on_the_page_of_its_command(command: Node) -> None:
    flags = set(named_options((MAN / page_name(command)).read_text()))
    wanted = {name for node in command.walk() for option in node.own_options for name in option.names}
    assert wanted <= flags


def test_the_main_page_has_what_every_command_has() -> None:
    text = (MAN / "man1" / "jobctl.1").read_text()
    wanted = {name for option in TREE.options if option.panel == GLOBAL_PANEL for name in option.names}
    assert wanted <= set(named_options(text))
    assert all(f".It Xr jobctl-{node.name} {node.section}" in text for node in TREE.children)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_no_page_names_an_option_that_does_not_exist(page: Path) -> None:
    known = {name for node in TREE.walk() for option in node.options for name in option.names} | {"--", "-"}
    assert set(named_options(page.read_text())) - known == set()


def named_options(text: str) -> Iterator[str]:
    """The words after Fl in macro lines."""
    for line in text.splitlines():
        if line.startswith(".") and not line.startswith('.\\"'):
            words = line.split()
            for before, word in itertools.pairwise(words):
                if before in ("Fl", ".Fl"):
                    yield "-" + word.replace("\\&", "").rstrip(",")


def example_lines() -> Iterator[tuple[str, str]]:
    """Command lines of jobctl in pages and in help."""
    for page in PAGES:
        for block in re.findall(r"(?ms)^\.Bd -literal.*?\n(.*?)^\.Ed", page.read_text()):
            for line in block.replace("\\e\n", " ").replace("\\-", "-").replace("\\e", "\\").splitlines():
                yield page.name, line
        for quoted in re.findall(r"(?m)^\.Ql (jobctl .+?)(?: [.,;])?$", page.read_text()):
            yield page.name, quoted
    for node in TREE.walk():
        for paragraph in node.paragraphs:
            if paragraph.startswith("Example"):
                for line in paragraph.splitlines()[1:]:
                    yield node.name or "jobctl", re.split(r"\s{3,}", line.strip())[0]


def calls() -> list[tuple[str, str]]:
    found = []
    for where, line in example_lines():
        if not line.strip().startswith(("[", "#", "systemctl")):
            parts = re.findall(r"(?<![\w/.-])jobctl (?:[^|&;>)'\"]|'[^']*'|\"[^\"]*\")*", line)
            found += [(where, part.strip()) for part in parts]
    return list(dict.fromkeys(found))


CALLS = calls()


def test_there_are_examples_of_most_commands() -> None:
    named = {line.split()[1] for _, line in CALLS if len(line.split()) > 1}
    assert {node.name for node in TREE.children} <= named | {"jobctl"}


@pytest.mark.parametrize(("where", "line"), CALLS, ids=[f"{where}: {line}" for where, line in CALLS])
def test_an_example_is_a_command_line(where: str, line: str) -> None:
    words = shlex.split(line)[1:]
    node, words = find(words)
    if (node.takes_words or node.needs_dashes) and "--" in words:
        words = words[: words.index("--")]
    check(node, words)


def find(words: list[str]) -> tuple[Node, list[str]]:
    """The command that words name, and those that are left."""
    node, rest = TREE, list(words)
    taken: list[str] = []
    while node.children and rest:
        word = rest.pop(0)
        if word == "--home":
            rest.pop(0)
        elif word.startswith("-") or (node.runs_alone and f"{node.name} {word}" not in NODES):
            taken.append(word)
        else:
            node = NODES[f"{node.name} {word}".strip()]
    return node, taken + rest


def check(node: Node, words: list[str]) -> None:
    options = {name: option for option in node.options for name in option.names}
    place = 0
    while place < len(words):
        word = words[place]
        place += 1
        if word.startswith("-") and word != "-":
            name, given, _ = word.partition("=") if word.startswith("--") else (word[:2], word[2:], "")
            assert name in options, f"{name} of {node.name}"
            if options[name].metavar and not given:
                assert place < len(words), f"{name} without a value"
                place += 1


def test_the_configuration_page_has_every_key() -> None:
    text = (MAN / "man5" / "jobctl-config.5").read_text()
    words = set(re.findall(r"[a-z]+(?:-[a-z]+)*", text))
    assert {key.name for key in (*KEYS, *RECIPE_KEYS)} <= words


def test_the_status_page_has_every_key(jobctl, tmp_path: Path) -> None:
    rows = tmp_path / "rows.txt"
    rows.write_text("a\n")
    jobctl("submit", rows, "--", "true")
    document = jobctl("status", "1", "--json").document
    words = set(re.findall(r"[a-z0-9]+(?:_[a-z0-9]+)*", (MAN / "man5" / "jobctl-status.5").read_text()))
    nested = {key for name, block in document.items() if name in NESTED for key in block}
    assert set(document) | nested | set(jobctl("status", "--json").document) <= words


NESTED = (
    "counts",
    "progress",
    "time",
    "failures",
    "retry",
    "results",
    "input",
    "idempotency",
    "policy",
    "daemon",
    "durations",
)


@pytest.mark.parametrize("node", list(NODES.values()), ids=lambda node: node.name or "jobctl")
def test_help_fits_into_80_columns(node: Node, jobctl, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    lines = jobctl(*node.path, "--help").out.splitlines()
    assert [line for line in lines if len(line) > 80] == []
    assert lines[0] == node.summary or node.summary.startswith(lines[0])
