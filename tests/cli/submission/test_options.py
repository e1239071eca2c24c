"""The boundary between our arguments and those of the other command."""

from __future__ import annotations

import pytest

from jobctl.cli.submission.options import split_words
from jobctl.errors import UsageError

VALUES = {"--name", "--slots", "-j", "--timeout"}


@pytest.mark.parametrize(
    ("line", "own", "words"),
    [
        ("f.csv", "f.csv", ""),
        ("f.csv -- curl -o x {url}", "f.csv", "curl -o x {url}"),
        ("f.csv --name x -- curl", "f.csv --name x", "curl"),
        ("--name x f.csv -- curl --name y", "--name x f.csv", "curl --name y"),
        ("f.csv curl -o x {url}", "f.csv", "curl -o x {url}"),
        ("f.csv -j 4 curl --timeout 5 {url}", "f.csv -j 4", "curl --timeout 5 {url}"),
        ("-qj4 f.csv curl -q", "-qj4 f.csv", "curl -q"),
        ("-qj 4 f.csv curl", "-qj 4 f.csv", "curl"),
        ("--slots=4 f.csv curl", "--slots=4 f.csv", "curl"),
        ("- -- cat -", "-", "cat -"),
        ("- cat -", "-", "cat -"),
        ("f.csv -- -x -- --", "f.csv", "-x -- --"),
        ("f.csv --quiet --", "f.csv --quiet", ""),
        ("--name f.csv", "--name f.csv", ""),
    ],
)
def test_the_words_of_the_command_are_left_alone(line, own, words):
    assert split_words(line.split(), VALUES) == (own.split(), words.split())


@pytest.mark.parametrize("line", ["-- curl", "-q -- curl", "--name x -- f.csv curl"])
def test_a_separator_before_the_file_is_a_mistake(line):
    with pytest.raises(UsageError, match="no FILE before --"):
        split_words(line.split(), VALUES)
