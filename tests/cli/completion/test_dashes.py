"""Words with a dash, and unfinished words, in fish: no error, and only the options of that command."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from jobctl.cli.app import command_tree
from jobctl.cli.commands.completion import FILES
from tests.cli.completion.test_shells import PATIENCE_S, SCRIPTS, environment, need

FISH = SCRIPTS / FILES["fish"]
#: Not finished, or something that a shell would evaluate.
ODD = (
    "-",
    "--",
    "-x",
    "--no-such",
    "$",
    "$HO",
    "(",
    "(touch PWNED",
    '"',
    "'",
    '"-',
    "'--on",
    "\\",
    "~",
    "*",
    "{",
    "a'b",
)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / "rows.txt").write_text("a\n")
    program = tmp_path / "bin" / "jobctl"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    return tmp_path


def _offered(place: Path, lines: list[str]) -> list[list[str]]:
    """Return the offers of fish for each line, from one process; fails if it writes to standard error."""
    code = [f"source {FISH}"]
    for line in lines:
        quoted = line.replace("\\", "\\\\").replace("'", "\\'")
        code.append(f"complete -C '{quoted}'; echo ====")
    script = place / "ask.fish"
    script.write_text("\n".join(code) + "\n")
    found = subprocess.run(
        [need("fish"), "--no-config", script],
        cwd=place,
        env=environment(place),
        capture_output=True,
        text=True,
        timeout=4 * PATIENCE_S,
        stdin=subprocess.DEVNULL,
    )
    assert found.stderr == ""
    blocks = found.stdout.split("====\n")[:-1]
    assert len(blocks) == len(lines)
    return [[line.partition("\t")[0] for line in block.splitlines()] for block in blocks]


@pytest.mark.slow
def test_every_option_is_offered_before_and_after_the_arguments(place: Path) -> None:
    wanted = {}
    for node in command_tree().walk():
        argument = " rows.txt" if node.takes_words else " 1" if node.arguments else ""
        for before in ("", argument):
            wanted[f"jobctl {node.name}{before} --".replace("  ", " ")] = {option.long for option in node.own_options}
    wanted["jobctl submit rows.txt --on-d"] = {"--on-done", "--on-duplicate"}
    for (line, options), offered in zip(wanted.items(), _offered(place, list(wanted)), strict=True):
        assert options <= set(offered), line


@pytest.mark.slow
def test_an_unfinished_line_prints_no_error_and_runs_nothing(place: Path) -> None:
    starts = (
        "jobctl",
        "jobctl submit",
        "jobctl submit rows.txt",
        "jobctl submit rows.txt --",
        "jobctl run rows.txt ls",
    )
    more = ("jobctl submit rows.txt --queue", "jobctl status", "jobctl items 1 --state", "jobctl submit --cwd")
    _offered(place, [f"{start} {odd}" for start in (*starts, *more) for odd in ODD])
    assert not (place / "PWNED").exists()


def test_options_of_ours_end_where_the_other_command_begins(place: Path) -> None:
    lines = ["rows.txt jobctl submit --on-d", "rows.txt -- jobctl submit --on-d", "rows.txt -j 2 jobctl items --st"]
    ours, other, third = _offered(place, [f"jobctl submit {line}" for line in lines])
    assert ours == other == ["--on-done", "--on-duplicate"]
    assert third == ["--state"]
    silent = ["rows.txt nothing-here --on-d", "rows.txt -- --on-d", "rows.txt -- -", "rows.txt -- nothing-here --on-d"]
    assert _offered(place, [f"jobctl submit {line}" for line in silent]) == [[]] * len(silent)
