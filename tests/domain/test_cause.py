"""The item's own words, and like causes made alike."""

import pytest

from jobctl.domain.cause import MESSAGE_LIMIT, clean, generalise
from jobctl.domain.ports import Raised
from tests.domain.failure_messages import text_in_output, texts_of_call


@pytest.mark.parametrize(
    ("message", "general"),
    [
        ("curl: (22) The requested URL returned error: 503", "curl: (22) The requested URL returned error: 503"),
        ("cat: /data/a b.txt: No such file or directory", "cat: <path> b.txt: No such file or directory"),
        ("open 'a b.txt' failed at 0x7ffde line 17", "open <text> failed at <hex> line <n>"),
        ("user 3f2a9c1d-1111-2222-3333-444455556666 missing", "user <uuid> missing"),
        ("[Errno 2] No such file: './a/b.txt'", "[Errno 2] No such file: <text>"),
        ("HTTP 404 for https://a.example/c?d=1", "HTTP 404 for <url>"),
        ("item7 took 3.5s", "item<n> took <n>s"),
        ("digest deadbeef12 differs", "digest <hex> differs"),
        ("sha256sum: '/a': No such file", "sha256sum: <text>: No such file"),
        ("python3 exited with 12 in node12-a", "python<n> exited with 12 in node<n>-a"),
        ("nothing varies", "nothing varies"),
    ],
)
def test_generalise(message, general):
    assert generalise(message) == general


def test_messages_that_differ_only_in_values_are_one_cause():
    assert len({generalise(f"row {n}: cannot open /data/{n}.csv ({n % 7})") for n in range(1000)}) <= 7


def test_the_last_line_with_words_counts():
    assert (
        text_in_output(b"Traceback (most recent call last):\nValueError: bad row\n\n-----\n", b"")
        == "ValueError: bad row"
    )
    assert text_in_output(b"", b"only stdout\n") == "only stdout"
    assert text_in_output(b"", b"") == ""


def test_a_json_message_on_stdout_wins():
    assert text_in_output(b"noise\n", b'log\n{"message": "quota used up", "code": 9}\n') == "quota used up"
    assert text_in_output(b"noise\n", b'{"message": 7}\n') == "noise"
    assert text_in_output(b"noise\n", b"{broken}\n") == "noise"


def test_messages_are_one_inert_bounded_line():
    assert clean("\x1b[31mred\x1b[0m \x1b]0;title\x07x\rback") == "red x back"
    assert len(clean("x" * 5000)) == MESSAGE_LIMIT
    assert text_in_output(b"\xff\xfe broken utf-8\n", b"").endswith("broken utf-8")


def test_an_exception_is_known_by_type_message_and_place():
    raised = Raised("ValueError", "row 17 of '/data/a.csv' is odd", 1, None, "tasks.py:12")
    message, general = texts_of_call(raised)
    assert message == "ValueError: row 17 of '/data/a.csv' is odd [tasks.py:12]"
    assert general == "ValueError: row <n> of <text> is odd [tasks.py:12]"
    assert texts_of_call(raised._replace(message="", where="")) == ("ValueError", "ValueError")
    assert texts_of_call(raised, in_setup=True)[1].startswith("in the setup: ValueError: row <n>")
    long, _ = texts_of_call(raised._replace(message="x" * 1000 + "\nmore"))
    assert len(long) <= MESSAGE_LIMIT
    assert long.endswith("… [tasks.py:12]")
