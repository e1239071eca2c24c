"""From rows to processes: hostile values through argv and a real shell, limits, tokens, commands of rows."""

import csv
import io
import json
import os
import shlex
import shutil
import subprocess
import sys
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jobctl.domain.payload import Fault
from jobctl.domain.ports import SLOT_MARK
from jobctl.errors import InputRejected, UsageError
from jobctl.handlers.attempt import ARGUMENT_LIMIT, TOTAL_LIMIT
from jobctl.handlers.kinds import handler_for, make_handler
from jobctl.sources import InputOptions, open_source

SHELLS = [shell for shell in ("/bin/sh", "/bin/dash", "/bin/bash", "/bin/busybox") if os.path.exists(shell)]
VALUES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
HOSTILE = [
    "; touch canary",
    "$(touch canary)",
    "`touch canary`",
    "${HOME}",
    "$HOME",
    "a\nb\n\n",
    "\r\n",
    "'",
    '"',
    "'\"'\"'",
    "\\",
    "\\'",
    "-rf",
    "--help",
    "{}",
    "{id}",
    "{{",
    "*",
    "?[a-z]",
    "~",
    "a  b\tc",
    " ",
    "",
    "\x1b]0;title\a\x1b[2J",
    "[red]bold[/red]",
    "=cmd|'/c calc'!A0",
    "%s%n%b",
    "!!",
    "#x",
    "a[$(touch canary)]",
    "x=1",
    "ünï¢ødé \U0001f600",
    "JOBCTL_V_1=2",
    "() { :; }; touch canary",
    "\x7f\x01\x1f",
    "/etc/passwd",
    "a/../b.c.d",
]
PRINT = "import os, sys; sys.stdout.buffer.write(b'\\0'.join(map(os.fsencode, sys.argv[1:])))"


def bad(message):
    return Fault("command", "command", message)


def run(dispatch, folder, **env):
    """Start an attempt as an executor would: argv as it is, environment added, no shell of ours."""
    added = dict(entry.split(b"=", 1) for entry in dispatch.env)
    environment = {b"PATH": b"/usr/bin:/bin", **added, **env}
    argv = [part.replace(SLOT_MARK, b"3") for part in dispatch.argv]
    done = subprocess.run(argv, env=environment, cwd=folder, capture_output=True, check=False, timeout=30)
    assert done.stderr == b""
    return done.stdout


def rows_of(content, name, **options):
    """Handler and payloads of an input, made as submit makes them."""
    command = options.pop("command", ())
    shell = options.pop("shell", None)
    stdin = io.BytesIO(content)
    with open_source(InputOptions("-", format=name), stdin) as source:
        handler = make_handler(command, shell, source.format, source.columns, "uid-1")
        return handler, [payload for batch in source.batches(handler.check) for payload in batch]


def as_csv(values):
    text = io.StringIO(newline="")
    csv.writer(text, quoting=csv.QUOTE_ALL).writerows([["id", "value"], *enumerate(values)])
    return text.getvalue().encode()


def as_jsonl(values):
    return "\n".join(json.dumps({"id": index, "value": value}) for index, value in enumerate(values)).encode()


INPUTS = [("csv", as_csv), ("jsonl", as_jsonl)]


@pytest.mark.parametrize(("name", "write"), INPUTS)
def test_hostile_values_reach_a_process_byte_equal(tmp_path, name, write):
    command = [sys.executable, "-S", "-c", PRINT, "{value}", "<{value}>", "{id}"]
    handler, payloads = rows_of(write(HOSTILE), name, command=command)
    for index, (value, payload) in enumerate(zip(HOSTILE, payloads, strict=True)):
        argv = handler.dispatch(1, index + 1, 1, payload).argv
        raw = value.encode()
        assert argv[4:] == (raw, b"<" + raw + b">", str(index).encode())
        if index % 6 == 0:  # the way through execve is the same for all
            assert run(handler.dispatch(1, index + 1, 1, payload), tmp_path).split(b"\0") == list(argv[4:])
    assert os.listdir(tmp_path) == []


def shell_places(shell, text):
    if shell == "/bin/busybox":
        return [b"/bin/busybox", b"sh", b"-c", text]
    return [shell.encode(), b"-c", text]


@pytest.mark.parametrize("shell", SHELLS)
def test_hostile_values_pass_through_a_shell_byte_equal(tmp_path, shell):
    text = (
        "v={value}; p() { printf '%s\\0' \"$@\"; }\n"
        'p {value} "{value}" x{value}y "a $(printf \'%s\' {value})b" "$v" # don\'t {mind\n'
        "case {value} in {value}) p same ;; *) p other ;; esac\n"
        "cat <<END\n{value}\nEND\n"
    )
    handler, payloads = rows_of(as_csv(HOSTILE), "csv", shell=text)
    for value, payload in zip(HOSTILE, payloads, strict=True):
        dispatch = handler.dispatch(1, 1, 1, payload)
        assert dispatch.argv[:2] == (b"/bin/sh", b"-c")
        assert value.encode() not in dispatch.argv[2] or len(value) < 4
        dispatch = dispatch._replace(argv=shell_places(shell, dispatch.argv[2]))
        raw = value.encode()
        substituted = b"a " + raw.rstrip(b"\n") + b"b"
        expected = [raw, raw, b"x" + raw + b"y", substituted, raw, b"same", raw + b"\n"]
        assert run(dispatch, tmp_path) == b"\0".join(expected)
    assert os.listdir(tmp_path) == []


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20),
        min_size=20,
        max_size=20,
    )
)
def test_any_values_pass_through_a_shell(tmp_path_factory, values):
    names = [f"c{number}" for number in range(len(values))]
    handler = make_handler((), "printf '%s\\0' " + " ".join(f'{{{n}}} "{{{n}}}"' for n in names), "csv", names, "u")
    payload = "\0".join(values).encode()
    assert handler.check(payload) is None
    printed = run(handler.dispatch(1, 1, 1, payload), "/")
    assert printed == b"".join(value.encode() + b"\0" for value in values for _ in range(2))


def test_a_shell_knows_its_item_and_its_slot(tmp_path):
    handler = make_handler((), "echo {#} {%} $JOBCTL_ITEM $JOBCTL_ATTEMPT {path/.}", "csv", ["path"], "u")
    printed = run(handler.dispatch(1, 7, 2, b"/a/b.c"), tmp_path, JOBCTL_SLOT=b"3")
    assert printed == b"7 3 7 2 b\n"
    assert not handler.slotted


def test_the_slot_of_an_argv_is_marked_for_the_executor():
    handler = make_handler(["x", "{%}"], None, "csv", ["a"], "u")
    assert handler.slotted
    assert handler.dispatch(1, 1, 1, b"v").argv == (b"x", SLOT_MARK)
    assert handler.words(1, b"v") == ("x", "1")


def test_every_attempt_has_its_own_variables_and_the_rows_token():
    handler = make_handler(["x"], None, "csv", ["a"], "uid-1")
    first, again = (handler.dispatch(5, 7, attempt, b"v").env for attempt in (1, 2))
    assert first[:2] == (b"JOBCTL_ITEM=7", b"JOBCTL_ATTEMPT=1")
    assert again[:2] == (b"JOBCTL_ITEM=7", b"JOBCTL_ATTEMPT=2")
    assert first[2] == again[2]
    assert len(first[2]) == len(b"JOBCTL_TOKEN=") + 32


def test_a_token_belongs_to_one_row_of_one_job():
    def token(uid="u", item=1, payload=b"v", command="x"):
        return make_handler([command], None, "csv", ["a"], uid).dispatch(9, item, 1, payload).env[2]

    others = {token(uid="w"), token(item=2), token(payload=b"w"), token(item=11, payload=b""), token(uid="u1")}
    assert len(others) == 5
    assert token() not in others
    assert token(command="y") == token()


def stored(**values):
    """A job as the store has it."""
    plain = {"uid": "u", "handler": "command", "command": ["x"], "input_format": "csv", "columns": ["a", "b"]}
    return SimpleNamespace(**(plain | {"item_key": None, "root_uid": None, "work_options": {}} | values))


def token_of(job, item=1, payload=b"k\0v"):
    return handler_for(job).dispatch(9, item, 1, payload).env[2]


def test_a_row_with_a_key_keeps_its_token_through_the_jobs_of_its_lineage():
    first = token_of(stored(uid="root", item_key="a"), item=17)
    assert token_of(stored(uid="second", root_uid="root", item_key="a"), item=2) == first
    assert token_of(stored(uid="second", root_uid="root", item_key="a"), payload=b"k\0w") != first
    assert token_of(stored(uid="other", item_key="a"), item=17) != first


def test_without_a_key_a_row_is_known_by_its_number_in_its_own_job():
    first = token_of(stored(uid="root"), item=1)
    assert token_of(stored(uid="second", root_uid="root"), item=1) != first
    assert token_of(stored(uid="root"), item=2) != first


def test_a_stored_job_gets_the_handler_it_was_submitted_with():
    for kind, command, input_format, columns in (
        ("command", ["echo", "{a}"], "csv", ["a"]),
        ("command", ["echo"], "lines", []),
        ("shell", "echo {}", "lines", []),
        ("column", [], "csv", ["command"]),
    ):
        handler = handler_for(stored(handler=kind, command=command, input_format=input_format, columns=columns))
        assert handler.kind == kind
        given = make_handler(
            command if kind == "command" else (), command if kind == "shell" else None, input_format, columns, "u"
        )
        assert handler.dispatch(1, 1, 1, b"v w") == given.dispatch(1, 1, 1, b"v w")


def test_a_line_is_appended_to_a_command_without_placeholders():
    handler = make_handler(["wc", "-l"], None, "lines", None, "u")
    assert handler.appended
    assert handler.dispatch(1, 1, 1, b"-x y").argv == (b"wc", b"-l", b"-x y")


def test_shell_and_command_exclude_each_other():
    with pytest.raises(UsageError, match="exclude"):
        make_handler(["x"], "y", "lines", None)


@pytest.mark.parametrize(
    "argv",
    [
        ["sh", "-c", "echo {a}"],
        ["/bin/bash", "-ec", "{}"],
        ["env", "X=1", "dash", "-c", "x{a/}"],
        ["nice", "zsh", "-lc", "{a}"],
    ],
)
def test_values_spliced_into_the_script_of_a_shell_are_refused(argv):
    with pytest.raises(UsageError, match="run values as shell text") as caught:
        make_handler(argv, None, "csv", ["a"])
    assert "--shell" in caught.value.hint


@pytest.mark.parametrize(
    "argv",
    [
        ["sh", "-c", 'echo "$1"', "sh", "{a}"],
        ["sh", "script.sh", "{a}"],
        ["echo", "sh", "{a}"],
        ["sh", "-c", "echo {#}"],
        ["sh", "-x", "{a}", "y"],
    ],
)
def test_values_outside_the_script_of_a_shell_are_fine(argv):
    make_handler(argv, None, "csv", ["a"])


def test_json_values_fill_a_template_by_key_whatever_their_order():
    handler, payloads = rows_of(
        b'{"id": 1, "u": "x", "o": {"k": [1.50]}}\n{"o": null, "extra": 1, "u": true, "id": 2e1}\n',
        "jsonl",
        command=["p", "{o}", "{id}", "{3}", "{}"],
    )
    assert [handler.dispatch(1, 1, 1, p).argv[1:] for p in payloads] == [
        (b'{"k":[1.50]}', b"1", b'{"k":[1.50]}', b"1"),
        (b"", b"2e1", b"", b"2e1"),
    ]
    assert handler.words(1, payloads[1]) == ("p", "", "2e1", "", "2e1")


@pytest.mark.parametrize("options", [{"command": ["p", "{u}"]}, {"shell": "p {u}"}])
def test_a_json_row_without_a_needed_key_is_refused(options):
    with pytest.raises(InputRejected) as caught:
        rows_of(b'{"u": 1}\n{"id": 2}\n', "jsonl", **options)
    assert caught.value.details == ("line 2, record 2, column 'u': the row has no such key, and every row needs it",)
    handler, _ = rows_of(b'{"u": 1}\n', "jsonl", **options)
    assert handler.check(b'{"id": 2}').code == "missing"


def test_json_rows_without_keys_cannot_fill_a_template():
    with pytest.raises(InputRejected, match="no keys"):
        make_handler(["p", "{}"], None, "jsonl", ())


def test_the_command_of_a_row_is_split_as_a_shell_quotes_but_nothing_is_run():
    rows = ["echo a  b", "echo 'a  b' \"c d\" e\\ f", "echo $HOME `id` * ~ | cat > x; {id} #no", "p ''", "é 'ü ö'"]
    text = io.StringIO(newline="")
    csv.writer(text).writerows([["id", "command"], *enumerate(rows)])
    handler, payloads = rows_of(text.getvalue().encode(), "csv")
    argvs = [handler.dispatch(1, 1, 1, payload).argv for payload in payloads]
    assert argvs == [tuple(word.encode() for word in shlex.split(row)) for row in rows]
    assert handler.kind == "column"


@given(st.lists(VALUES, min_size=1))
def test_any_quoted_command_is_split_back_into_its_words(words):
    words[0] = words[0] or "x"
    handler = make_handler((), None, "csv", ["command"], "u")
    payload = shlex.join(words).encode()
    assert handler.check(payload) is None
    assert handler.dispatch(1, 1, 1, payload).argv == tuple(word.encode() for word in words)


def test_the_command_of_a_json_row_is_a_list_or_a_string():
    handler, payloads = rows_of(b'{"command": ["a", "b c", ""]}\n{"command": "a \'b c\'"}\n', "jsonl")
    assert [handler.dispatch(1, 1, 1, p).argv for p in payloads] == [(b"a", b"b c", b""), (b"a", b"b c")]
    assert handler.words(1, payloads[0]) == ("a", "b c", "")


@pytest.mark.parametrize(
    ("input_format", "payload", "fault"),
    [
        ("csv", b"echo 'a", bad("is not a command: No closing quotation")),
        ("csv", b"echo a\\", bad("is not a command: No escaped character")),
        ("csv", b"  ", bad("is empty")),
        ("csv", b"'' x", bad("is empty")),
        ("jsonl", b'{"command": []}', bad("is empty")),
        (
            "jsonl",
            b'{"command": null}',
            bad("is not a command: neither a string nor a list of strings"),
        ),
        (
            "jsonl",
            b'{"command": 5}',
            bad("is not a command: neither a string nor a list of strings"),
        ),
        (
            "jsonl",
            b'{"command": ["a", 5]}',
            bad("is not a command: a list of other things than strings"),
        ),
        ("jsonl", b'{"x": 1}', Fault("command", "missing", "the row has no such key, and the command needs it")),
    ],
)
def test_a_row_whose_command_makes_no_sense_is_refused(input_format, payload, fault):
    assert make_handler((), None, input_format, ["command"], "u").check(payload) == fault


@pytest.mark.parametrize(("input_format", "columns"), [("csv", ["id", "cmd"]), ("lines", None), ("jsonl", ["id"])])
def test_without_any_command_the_missing_column_is_named(input_format, columns):
    with pytest.raises(InputRejected, match="no 'command' column") as caught:
        make_handler((), None, input_format, columns)
    assert "-- COMMAND" in caught.value.hint


LONGEST = ARGUMENT_LIMIT - 1


@pytest.mark.skipif(sys.platform != "linux", reason="the limit of one argument is Linux's")
@pytest.mark.parametrize("kind", ["command", "shell", "column"])
def test_the_longest_accepted_argument_starts_and_one_byte_more_does_not(tmp_path, kind):
    true = shutil.which("true")
    options = {
        "command": (([true, "{a}"], None), lambda size: b"x" * size),
        "shell": (((), "true {a}"), lambda size: b"x" * (size - len("JOBCTL_V_1="))),
        "column": (((), None), lambda size: true.encode() + b" " + b"x" * size),
    }
    (command, shell), payload_of = options[kind]
    handler = make_handler(command, shell, "csv", ["command" if kind == "column" else "a"], "u")
    assert handler.check(payload_of(LONGEST)) is None
    run(handler.dispatch(1, 1, 1, payload_of(LONGEST)), tmp_path)
    fault = handler.check(payload_of(LONGEST + 1))
    assert fault.code == "too_long"
    assert "131,072 bytes; the system allows 131,071" in fault.message
    with pytest.raises(OSError, match="too long"):
        run(handler.dispatch(1, 1, 1, payload_of(LONGEST + 1)), tmp_path)


def test_the_sum_of_all_arguments_is_limited_too():
    names = [f"c{number}" for number in range(20)]
    handler = make_handler(["true", *(f"{{{name}}}" for name in names)], None, "csv", names, "u")
    small = b"\0".join([b"x" * 1000] * 20)
    large = b"\0".join([b"x" * (TOTAL_LIMIT // 20)] * 20)
    assert handler.check(small) is None
    assert handler.check(large).message.startswith(f"the command has {TOTAL_LIMIT + 1:,}"[:15])
    assert "the limit is" in handler.check(large).message


@given(st.integers(1, 4), st.integers(-400, 400))
def test_rows_within_the_safe_length_pass_the_check(uses, around):
    for handler in (
        make_handler(["true", "{a}" * uses], None, "csv", ["a"], "u"),
        make_handler((), "true " + "{a}" * uses, "csv", ["a"], "u"),
    ):
        size = max(0, handler.check.safe_length + around)
        fault = handler.check(b"x" * size)
        if around <= 0:
            assert fault is None


def test_an_overlong_value_is_refused_with_its_line():
    content = b"a,b\n1,2\n3," + b"x" * ARGUMENT_LIMIT + b"\n"
    with pytest.raises(InputRejected) as caught:
        rows_of(content, "csv", command=["true", "{b}"])
    assert caught.value.details == ("line 3, record 2: an argument of 131,072 bytes; the system allows 131,071",)
    assert len(rows_of(content, "csv", command=["true", "{a}"])[1]) == 2  # a column that is not used does no harm


def test_a_shell_text_over_the_limit_is_refused():
    with pytest.raises(UsageError, match="longer than 128 KiB"):
        make_handler((), "#" * ARGUMENT_LIMIT, "lines", None)


def test_words_of_a_shell_show_its_values_first():
    handler = make_handler((), "echo {b}", "csv", ["a", "b"], "u")
    assert handler.words(1, b"1\0x y") == ("JOBCTL_V_1=x y", "/bin/sh", "-c", 'echo "${JOBCTL_V_1}"')


def test_a_stored_job_knows_whether_its_tags_keep_their_braces():
    template = ["docker", "inspect", "-f", "{{.State.Status}}", "{a}"]
    first = handler_for(stored(command=template))
    assert first.dispatch(1, 1, 1, b"v\0w").argv[3] == b"{.State.Status}"
    kept = handler_for(stored(command=template, work_options={"keeps_tags": True}))
    assert kept.dispatch(1, 1, 1, b"v\0w").argv[3] == b"{{.State.Status}}"
