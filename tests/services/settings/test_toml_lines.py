"""One key of a TOML text changes; comments, order and everything else stay."""

from __future__ import annotations

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobctl.services.settings.toml_lines import literal, with_value, without

TEXT = """\
# my settings
[submit]
slots = 4   # as many as the disk bears
# timeout = "5m"

env = [
  "A=1",  # one
  "B=#2",
]

[daemon]
slots = 8
"""


@pytest.mark.parametrize(
    ("text", "at", "value", "changed"),
    [
        ("", ("submit", "slots"), 4, "[submit]\nslots = 4\n"),
        (TEXT, ("submit", "slots"), 5, TEXT.replace("slots = 4 ", "slots = 5 ")),
        (TEXT, ("daemon", "slots"), 9, TEXT.replace("slots = 8", "slots = 9")),
        (TEXT, ("submit", "env"), ("C=3",), TEXT[: TEXT.index("env")] + 'env = ["C=3"]\n\n[daemon]\nslots = 8\n'),
        (TEXT, ("submit", "halt"), "now", TEXT.replace("]\n\n[daemon]", ']\nhalt = "now"\n\n[daemon]')),
        (TEXT, ("output", "color"), "never", TEXT + '\n[output]\ncolor = "never"\n'),
        ("[submit]\n  slots = 4", ("submit", "halt"), "now", '[submit]\n  slots = 4\n  halt = "now"\n'),
        ("[submit]\r\nslots = 4\r\n", ("submit", "slots"), 5, "[submit]\r\nslots = 5\r\n"),
        ("submit.slots = 4\n", ("submit", "halt"), "now", 'submit.slots = 4\nsubmit.halt = "now"\n'),
        ("submit.slots = 4 # x\n", ("submit", "slots"), 5, "submit.slots = 5 # x\n"),
        ('[ "submit" ] # x\n"slots"=4\n', ("submit", "slots"), 5, '[ "submit" ] # x\n"slots"=5\n'),
        ("[submit]\n\n[recipe.a]\nslots = 1\n", ("submit", "slots"), 5, None),
        ('[submit]\nshell = """\nslots = 3\n"""\n', ("submit", "slots"), 5, None),
        ("[submit]\nnew-queue = false\n", ("submit", "new-queue"), True, "[submit]\nnew-queue = true\n"),
    ],
)
def test_a_value_is_set(text, at, value, changed):
    found = with_value(text, *at, value)
    assert found is not None
    assert changed is None or found == changed
    expected = tomllib.loads(text)
    expected.setdefault(at[0], {})[at[1]] = list(value) if isinstance(value, tuple) else value
    assert tomllib.loads(found) == expected
    assert all(line in found for line in text.splitlines() if line.lstrip().startswith("#"))


@pytest.mark.parametrize("text", ["submit = 3\n", "submit = {slots = 4}\n"])
def test_a_text_that_lines_cannot_change_has_no_answer(text):
    assert with_value(text, "submit", "halt", "now") is None


@pytest.mark.parametrize(
    ("text", "at", "changed"),
    [
        (TEXT, ("submit", "slots"), TEXT.replace("slots = 4   # as many as the disk bears\n", "")),
        (TEXT, ("submit", "env"), TEXT[: TEXT.index("env")] + "\n[daemon]\nslots = 8\n"),
        ("submit.slots = 4\n", ("submit", "slots"), ""),
        ("submit = {slots = 4}\n", ("submit", "slots"), None),
    ],
)
def test_a_key_is_removed(text, at, changed):
    assert without(text, *at) == changed


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_every_text_becomes_toml(value):
    assert tomllib.loads(f"key = {literal(value)}\n") == {"key": value}
    found = with_value(TEXT, "submit", "name", value)
    assert found is not None and tomllib.loads(found)["submit"]["name"] == value
