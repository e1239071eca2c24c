"""The words of a command are those of a shell."""

import shlex
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobctl.domain.shell_words import split
from jobctl.domain.undo import parse_command

TEXTS = [
    "a b",
    " a\t b\n",
    "''",
    "a''b \"\" c",
    r"""sh -c "echo \$1 \`x\` \"q\" \\ \a 'b'" sh""",
    r"""'it'\''s' "it's" it\'s \  \\ x\y""",
    "a\\\nb c \\\n d",
    '"a\\\nb"',
    "a\\ b#c #d e=f",
    "'\\$1' \"two\nlines\"",
    "wörter 'ü ß'",
]


def words_of_a_shell(text):
    script = f'for word in {text}; do printf "%s\\0" "$word"; done'
    done = subprocess.run(["/bin/sh", "-c", script.replace("#", "\\#")], capture_output=True, text=True, check=True)
    return done.stdout.split("\0")[:-1]


@pytest.mark.parametrize("text", TEXTS)
def test_the_words_are_those_of_a_shell(text):
    assert split(text) == words_of_a_shell(text.strip())


@given(st.lists(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))))
def test_quoted_words_come_back(words):
    assert split(shlex.join(words)) == words


@pytest.mark.parametrize(
    ("text", "problem"),
    [("a 'b", "No closing quotation"), ('a "b\\"', "No closing quotation"), ("a\\", "No escaped character")],
)
def test_an_open_quote_is_an_error(text, problem):
    with pytest.raises(ValueError, match=problem):
        split(text)


def test_a_script_in_double_quotes_gets_its_arguments():
    assert parse_command(r'sh -c "rm -f -- \"\$1.pdf\"" sh {id}') == ("sh", "-c", 'rm -f -- "$1.pdf"', "sh", "{id}")


def test_a_word_of_a_million_escapes_is_read_in_one_pass():
    assert split("\\a" * 1_000_000) == ["a" * 1_000_000]
