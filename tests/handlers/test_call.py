"""Rows on their way to a function, and the interpreter that calls it."""

import os
import sys
from types import SimpleNamespace

import pytest

from jobctl.domain.call import Call
from jobctl.domain.ports import Dispatch
from jobctl.errors import UsageError
from jobctl.handlers.call import CallHandler, call_spec, interpreter
from jobctl.handlers.kinds import handler_for, make_handler


def stored(**changes):
    plain = {"uid": "u", "handler": "call", "command": {"target": "m:f"}, "input_format": "csv", "columns": ["a", "b"]}
    return SimpleNamespace(**plain | {"item_key": None, "root_uid": None, "work_options": {}} | changes)


def test_a_row_is_sent_unchanged():
    handler = handler_for(stored())
    assert handler.kind == "call"
    assert handler.dispatch(4, 7, 2, b"1\x002") == (4, 7, 2, (b"1\x002",), (), 0)
    many, unreadable = handler.dispatch_all(4, [(7, 2, b"1\x002"), (8, 1, b"3\x004")])
    assert many == [handler.dispatch(4, 7, 2, b"1\x002"), handler.dispatch(4, 8, 1, b"3\x004")]
    assert unreadable == []
    assert type(many[0]) is Dispatch
    assert handler.check(b"anything" * 100_000) is None


@pytest.mark.parametrize(
    ("input_format", "columns", "payload", "words"),
    [
        ("csv", ["a", "b"], b"1\x00x y", ("m:f", "a=1", "b=x y")),
        ("jsonl", ["a"], b'{"a": {"b": [1, 2.50]}, "c": "d"}', ("m:f", 'a={"b":[1,2.50]}', 'c="d"')),
        ("lines", ["line"], b"a line", ("m:f", "a line")),
    ],
)
def test_a_call_in_words(input_format, columns, payload, words):
    handler = handler_for(stored(input_format=input_format, columns=columns))
    assert handler.words(1, payload) == words


def test_lines_have_no_columns():
    with pytest.raises(UsageError, match="a plain line has no columns"):
        make_handler(Call("m:f", style="kwargs"), None, "lines", None)
    assert isinstance(make_handler(Call("m:f", style="dict"), None, "lines", None), CallHandler)


def test_the_call_spec_describes_the_function():
    spec = call_spec(stored(command={"target": "m:f", "setup": "m:g", "style": "dict"}), "/usr/bin/python3", 50)
    assert spec == (b"/usr/bin/python3", "m:f", "m:g", "dict", "csv", ("a", "b"), 50, "u", False)
    named = call_spec(stored(input_format="lines", item_key="line", root_uid="first"), "python", 0)
    assert (named.columns, named.token_of, named.named) == ((), "first", True)


def test_the_interpreter_is_that_of_the_environment(tmp_path):
    program = tmp_path / "bin" / "python"
    assert interpreter({}, {"VIRTUAL_ENV": str(tmp_path)}) == sys.executable
    program.parent.mkdir()
    program.symlink_to(sys.executable)
    assert interpreter({}, {"VIRTUAL_ENV": str(tmp_path)}) == str(program)
    assert interpreter({}, {"CONDA_PREFIX": str(tmp_path)}) == str(program)
    assert interpreter({"python": "/x/python"}, {"VIRTUAL_ENV": str(tmp_path)}) == "/x/python"
    assert interpreter({}, {"VIRTUAL_ENV": ""}) == sys.executable
    assert os.access(sys.executable, os.X_OK)
