"""Command lines with mistakes: the message names the mistake, the allowed values, and what to type."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobctl.cli.app import COMMANDS, command_tree
from jobctl.cli.command import Command
from tests.cli.every_command import every_command
from tests.terminal import Terminal

NODES = {node.name: node for node in command_tree().walk()}


def _refused(jobctl, words):
    done = jobctl(*words.split())
    assert (done.code, done.out) == (2, ""), done
    return done.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("status --watch=2", "write --watch alone: the view changes as soon as the work does, so there is no interval"),
        ("status -w2", "-w takes no value, and it was given '2'"),
        ("status -w=2", "-w takes no value, and it was given '2'"),
        ("logs 1 --follow=1s", "so there is no interval; jobctl logs --help"),
        ("status --no-watch", "leave --watch out; jobctl status --help"),
        ("status \u2013watch", "'\u2013watch' begins with '\u2013', which is not a -\n  write --watch; "),
        ("watch -n2", "try: jobctl status --watch"),
        ("watch 2", "try: jobctl status 2 --watch"),
        ("42", "a JOB comes after a command: jobctl status 42"),
        ("42.7", "a JOB comes after a command: jobctl items 42.7"),
        ("last", "a JOB comes after a command: jobctl status last"),
        ("job 42", "a JOB comes after a command: jobctl status 42"),
        ("job list", "try: jobctl status\n"),
        ("job cancel 4", "without job: jobctl cancel 4"),
        ("nightly", "jobctl --help lists the commands; if it is the name of a job: jobctl status nightly"),
        ("-42", "no such option: -42\n  a JOB has no dash: jobctl status 42"),
        ("status -1", "a JOB has no dash: jobctl status 1; the newest job: jobctl status last; jobctl status --help"),
        ("daemon logs -20", "the last 20: jobctl daemon logs --lines 20"),
        ("logs -", "- means standard input, and jobctl logs does not read it\n  JOB[.ITEM]...  "),
        ("set 1 --timeout 5m", "without dashes, and with =: jobctl set 1 timeout=5m; jobctl set --help"),
        ("set 1 --timeout=5m", "without dashes, and with =: jobctl set 1 timeout=5m; jobctl set --help"),
        ("pause 1 reason=disk", "'reason=disk' is not a JOB, and reason is an option\n  write --reason disk; "),
        ("status 42 --items", "items is a command: jobctl items 42"),
        ("--watch status", "after the command: jobctl status --watch; jobctl --help"),
        ("queue pause default", "try: jobctl pause --queue default; it has: list, set"),
        ("queue resume", "try: jobctl resume --queue QUEUE; it has: list, set"),
        ("queue add mail", "try: jobctl queue set mail slots=N; it has: list, set"),
        ("recipe run", "try: jobctl submit FILE --recipe NAME"),
        (
            "completion",
            "SHELL is missing\n  SHELL  The shell: bash, zsh or fish.\n  jobctl completion [OPTIONS] SHELL;",
        ),
        ("wait 1 --timeout=soon", "  --timeout DURATION  Stop waiting"),
        ("wait 1 --timeout=soon", "write it like 90, 90s, 5m, 2h30m, 1d or 500ms; jobctl wait --help"),
        ("items 1 --limit -1", "  -l, --limit N  List at most N items"),
        ("set 1 slots", "'slots' is not NAME=VALUE\n  for example slots=8; jobctl set --help"),
        ("queue set mail rate=fast", "  rate=N/s|none  The maximum rate at which items start"),
        ("submit -- true", "jobctl submit FILE -- COMMAND ARG... (FILE may be - for stdin); jobctl submit --help"),
    ],
)
def test_the_message_says_what_to_type(jobctl, home, words, said):
    assert said in _refused(jobctl, words)
    assert not home.database.exists()


@pytest.mark.parametrize(
    "group",
    [node for node in NODES.values() if node.path and node.children and not node.runs_alone],
    ids=lambda n: n.name,
)
def test_a_group_without_a_command_lists_its_commands(jobctl, group):
    said = _refused(jobctl, group.name)
    assert said.startswith(f"jobctl: jobctl {group.name} needs a command, one of ")
    for child in group.children:
        assert re.search(rf"(?m)^  jobctl {child.name} +[A-Z]", said)
    assert said.endswith(f"  jobctl {group.name} --help\n")


def test_a_word_that_is_not_the_name_of_a_job(jobctl, store):
    store.job("q")
    done = jobctl("status", "job", "1")
    assert done.code == 9 and "job was taken for the name of a job; without it: jobctl status 1\n" in done.err
    habit = jobctl("status", "1", "watch")
    assert habit.code == 9
    assert "watch was taken for the name of a job; the option: jobctl status 1 --watch\n" in habit.err
    assert "the option is --output; jobctl report [OPTIONS]" in jobctl("report", "1", "output").err
    store.job("q", name="job")
    assert jobctl("status", "job", "1").code == 0


def test_a_value_that_is_wrong_brings_the_line_of_its_option(jobctl, store):
    store.job("q")
    assert "  -s, --state STATE  " in _refused(jobctl, "items 1 --state foo")
    said = _refused(jobctl, "set 1 slots=x")
    assert said.startswith("jobctl: slots=x: 'x' is not a whole number\n  slots=N|none  The maximum number of items")
    assert said.endswith("jobctl set --help\n")
    assert "nice, not-before, priority, rate, slots, timeout; jobctl set --help" in _refused(jobctl, "set 1 foo=1")


def test_a_message_is_wrapped_between_words_on_a_terminal_and_a_command_stays_whole(home):
    terminal = Terminal(home, "status", "--watch=2", columns=60)
    assert terminal.end() == 2
    lines = terminal.text().splitlines()
    assert lines[-2:] == [
        "  write --watch alone: the view changes as soon as the work",
        "    does, so there is no interval; jobctl status --help",
    ]
    terminal = Terminal(home, "queue", "rm", "a-queue-with-a-name", columns=60)
    assert terminal.end() == 2
    raw = terminal.raw.decode()
    assert "jobctl queue set a-queue-with-a-name slots=none rate=none;" in raw


def test_an_option_after_the_command_is_pointed_out(jobctl, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rows.txt").write_text("1\n")
    note = "goes to echo, because it comes after it; options of jobctl come before the command"
    for words in ("-n rows.txt echo {} --timeout 5m", "-n rows.txt -- echo {} --slots 4", "-n rows.txt echo --json"):
        assert note in jobctl("submit", *words.split()).err
    for words in ("-n rows.txt --slots 4 -- echo {}", "-n rows.txt -- echo {} --timeout 5m"):
        assert note not in jobctl("submit", *words.split()).err


JUNK = (
    "",
    "-",
    "--",
    "-5",
    "--zzz",
    "-Z",
    "x",
    "42",
    "=",
    "--watch=2",
    "-w2",
    "--json=1",
    "\u2013watch",
    "--=x",
    "a=b",
)
LINES = sorted(every_command().items())


@st.composite
def _mutated(draw):
    """(command, words): a valid command line of some command with one to three random changes."""
    name, line = draw(st.sampled_from(LINES))
    node, words = NODES[name], list(line)
    options = [option for option in node.options if option.long != "--help"]
    for _ in range(draw(st.integers(1, 3))):
        place = draw(st.integers(0, len(words)))
        option = draw(st.sampled_from(options))
        spelled = draw(st.sampled_from(option.names))
        new = draw(st.sampled_from([*JUNK, spelled, f"{spelled}=", f"{spelled}=x", spelled[:-1], spelled.upper()]))
        change = draw(st.sampled_from(["insert", "insert", "replace", "drop", "double"]))
        words[place : place + (change in ("replace", "drop"))] = [] if change == "drop" else [new]
        if change == "double" and words:
            words.insert(0, words[-1])
    return name, words


@given(_mutated())
def test_no_random_mistake_gets_a_traceback_or_the_wrong_help(case):
    name, words = case
    code, out, err = _parsed(words)
    assert code in (0, 2), (words, err)
    assert "Traceback" not in err and "bug" not in err
    if code == 0:
        return
    if "--json" in words:
        assert out.startswith('{"schema": "jobctl.error/1"') or err.startswith("jobctl: "), (words, out, err)
        return
    assert out == "" and err.startswith("jobctl: "), (words, err)
    path = name.split()
    if words[: len(path)] != path:
        return
    assert f"jobctl {name} --help" in err, (words, err)
    for option in re.findall(r"no such option: (-[\w-]+)$", err, re.MULTILINE):
        assert option not in {known for each in NODES[name].options for known in each.names}, (words, err)


@given(
    st.lists(st.sampled_from([*COMMANDS, *JUNK, "job", "rm", "start", "list", "--slots", "-n", "--json"]), max_size=4)
)
def test_any_words_are_answered(words):
    code, out, err = _parsed(words)
    assert code in (0, 2) and "Traceback" not in err and "bug" not in err, (words, err)
    assert code == 0 or err.startswith("jobctl: ") or out.startswith("{"), (words, out, err)


def _parsed(words):
    """(exit code, standard output, standard error) of a command line whose command does nothing."""
    import contextlib
    import io
    from unittest import mock

    from jobctl.cli.commands import serve
    from jobctl.cli.edge import run

    out, err = io.StringIO(), io.StringIO()
    with (
        mock.patch.object(Command, "invoke", lambda *_: 0),
        mock.patch.object(serve, "_serve", lambda *_: 0),  # a group that is a command as well
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        code = run(words)
    return code, out.getvalue(), err.getvalue()
