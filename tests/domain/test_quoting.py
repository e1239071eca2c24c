"""Quoted placeholders: their form, and the exact value that an evaluator of the text gets."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from types import SimpleNamespace
from urllib.parse import unquote_to_bytes

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jobctl.domain.quoting import GROWTH, QUOTES, for_address, for_json, for_shell
from jobctl.domain.template import compile
from jobctl.errors import UnknownColumn
from jobctl.handlers.kinds import handler_for, make_handler

STRANGE = "'\"\\$`!(){}[]<>|&;*?~#%=-+ \t\r\n\x01\x1b\x7fax\u00e9\u2028\U0001f600"
WORDS = [b"", b"-", b"-n", b"--", b"\\", b"'", b"\n", b"~root", b"=ls", b"$(id)", b"`id`", b"!!", b"%1", b"if", b"{a}"]
VALUES = st.one_of(
    st.binary(max_size=30).map(lambda value: value.replace(b"\0", b"")),
    st.text(alphabet=STRANGE, max_size=30).map(str.encode),
    st.sampled_from(WORDS),
)
TEXTS = VALUES.map(lambda value: value.decode("utf-8", "replace").encode())
MANY = st.lists(VALUES, min_size=1, max_size=60)
FEW_RUNS = settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))


def stored_job(handler: str, command: object, input_format: str, columns: list[str]) -> SimpleNamespace:
    """A job as the store has it."""
    return SimpleNamespace(
        uid="u",
        handler=handler,
        command=command,
        input_format=input_format,
        columns=columns,
        item_key=None,
        root_uid=None,
        work_options={},
    )


def printed(argv: list[str | bytes], locale: str = "C.UTF-8") -> bytes:
    with tempfile.TemporaryDirectory() as home:  # fish makes folders in it
        environment = {"PATH": "/usr/bin:/bin", "LC_ALL": locale, "HOME": home}
        done = subprocess.run(
            argv, capture_output=True, env=environment, check=True, timeout=60, stdin=subprocess.DEVNULL
        )
    assert not done.stderr
    return done.stdout


@pytest.mark.parametrize("locale", ["C", "C.UTF-8"])
@pytest.mark.parametrize("shell", ["sh", "bash", "dash", "zsh", "ksh", "mksh"])
@FEW_RUNS
@given(values=MANY)
def test_a_shell_reads_back_every_byte(shell: str, locale: str, values: list[bytes]) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    columns = [f"c{number}" for number in range(len(values))]
    script = "printf '%s\\0' " + " ".join(f"x{{{name}:q}}y" for name in columns)
    template = compile([shell, "-c", script], columns)
    found = printed(list(template.render(values, 1)), locale)
    assert found == b"".join(b"x" + value + b"y\0" for value in values)


@FEW_RUNS
@given(values=st.lists(TEXTS, min_size=1, max_size=60))
def test_fish_behind_ssh_reads_the_same(values: list[bytes]) -> None:
    if shutil.which("fish") is None:
        pytest.skip("fish is not installed")
    script = b"printf '%s\\0' x" + b" x".join(map(for_shell, values))
    found = printed(["fish", "--no-config", "-c", script])
    assert found == b"".join(b"x" + value + b"\0" for value in values)


@given(TEXTS)
def test_json_parses_back(value: bytes) -> None:
    assert json.loads(for_json(value)) == value.decode()


@FEW_RUNS
@given(st.lists(TEXTS, min_size=1, max_size=60))
def test_json_is_a_literal_of_python(values: list[bytes]) -> None:
    literals = b", ".join(map(for_json, values))
    script = b"import sys; sys.stdout.buffer.write(repr([" + literals + b"]).encode('ascii', 'backslashreplace'))"
    expected = repr([value.decode() for value in values]).encode("ascii", "backslashreplace")
    assert printed([sys.executable, "-I", "-c", script]) == expected


@given(VALUES)
def test_addresses_decode_back_and_have_no_character_that_means_something(value: bytes) -> None:
    found = for_address(value)
    assert unquote_to_bytes(found) == value
    assert set(found) <= set(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-%")


@given(VALUES, st.sampled_from(["", *QUOTES]), st.sampled_from(["", ".", "/", "//", "/."]))
def test_no_form_grows_a_value_more_than_it_says(value: bytes, quote: str, form: str) -> None:
    template = compile(["x", f"{{a{form}:{quote}}}" if quote else f"{{a{form}}}"], ["a"])
    longest = len(template.render([value], 1)[1]) + 1
    assert len(value) > template.safe_length(longest - 1, 1 << 20)
    assert set(GROWTH) == {"", *QUOTES}


def test_forms_combine_with_names_numbers_and_path_forms() -> None:
    columns, fields = ["a", "b c", "x.", "c:q"], [b"/d/it's.tar", b"b", b"/x.y", b"q q"]
    written = {
        "{:q}": b"'/d/it'\\''s.tar'",
        "{a:q}": b"'/d/it'\\''s.tar'",
        "{1:json}": b'"/d/it\'s.tar"',
        "{/:q}": b"'it'\\''s.tar'",
        "{a/.:url}": b"it%27s",
        "{/.:json}": b'"it\'s"',
        "{b c:q}": b"'b'",
        "{x.:q}": b"'/x.y'",
        "{x..:q}": b"'/x'",
        "{c:q}": b"q q",  # a column that is really called so
        "{c:q:q}": b"'q q'",
        "{c:q:url}": b"q%20q",
        "{#:q}": b"1",
    }
    for text, wanted in written.items():
        assert compile(["x", text], columns).render(fields, 1)[1] == wanted, text
    assert compile(["x", "{:q} {1:url}"], None).render([b"a b"], 1)[1] == b"'a b' a%20b"


@pytest.mark.parametrize("text", ["{a:Q}", "{a:quote}", "{a:sh}", "{a/.:uri}", "{:quote}", "{1:html}"])
def test_an_unknown_form_is_refused_with_those_there_are(text: str) -> None:
    with pytest.raises(UnknownColumn, match=r"there are :q .*:json .*:url") as caught:
        compile(["x", text], ["a"])
    assert f"{{{text}}}" in str(caught.value.hint)


@pytest.mark.parametrize("text", ["{nme:q}", "{nme/:json}", "{nme/.:url}"])
def test_a_misspelt_column_with_a_form_is_refused(text: str) -> None:
    with pytest.raises(UnknownColumn, match="the columns are name") as caught:
        compile(["x", text], ["name"])
    assert "did you mean {name}?" in str(caught.value.hint)


@pytest.mark.parametrize("text", ['{"a":q}', "{:d}", "{:>10}", "{a:10}", "{a: b}", '{"x": url}', "{print $1:q}"])
def test_syntax_of_others_stays_text(text: str) -> None:
    assert compile(["x", text], ["a"]).constant


def test_a_plain_value_is_not_touched() -> None:
    assert compile(["x", "{a}-{b}"], ["a", "b"]).render([b"'", b"\\"], 1) == (b"x", b"'-\\")


def test_what_a_version_before_accepted_runs_as_it_was() -> None:
    for argv in (["bash", "-euo", "pipefail", "-c", "echo {a}"], ["jq", "{a:name}"], ["x", "{nme:q} {a:b}"]):
        handler = handler_for(stored_job("command", argv, "csv", ["a"]))
        assert handler.dispatch(1, 1, 1, b"v").argv[0] == argv[0].encode()
    words = handler_for(stored_job("command", ["jq", "{a:name}"], "csv", ["a"])).dispatch(1, 1, 1, b"v").argv
    assert words == (b"jq", b"{a:name}")


def test_in_the_text_of_shell_a_form_is_the_value_of_a_variable() -> None:
    handler = make_handler((), 'ssh host cat {a:q}; echo "{a}"', "csv", ["a"], "u")
    dispatch = handler.dispatch(1, 1, 1, b"it's")
    assert dispatch.argv[2] == b'ssh host cat "${JOBCTL_V_1}"; echo "${JOBCTL_V_2}"'
    assert {b"JOBCTL_V_1='it'\\''s'", b"JOBCTL_V_2=it's"} <= set(dispatch.env)
