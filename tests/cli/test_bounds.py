"""Whatever is typed for whatever option: an answer or a message that says the limit, and a store that still works.

The options are those of the command tree, so that a new one is tried without being named here.
"""

from __future__ import annotations

import re
import time

import pytest
import typer

from jobctl.cli.app import COMMANDS, app
from jobctl.errors import Busy
from tests.stages import few

#: Each has been taken by a reader of numbers or times for something that no store, float or calendar holds.
EXTREMES = (
    *("0", "-1", "1e308", "nan", "inf", "-inf", "1" + "0" * 30, "9" * 5_000, "9" * 400, "1e400"),
    *("", " ", "١٢", "1_000", "0x10", " 5 ", "none", "-", "~", "../x", "a\0b", "\x1b[2J\x07", "\udcff"),
    *("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00", "1969-12-31T23:59:59Z", "2026-12-31T23:59:60Z"),
    *("1e20d", "9" * 20 + "d", "36601d", "0.0000001ms", "1e30T", "9" * 40 + "T", "4194304T"),
    *("1e-300/s", "1e300/s", f"0.{'0' * 300}1/s", "9" * 400 + "/s", "1/" + "9" * 400 + "s", "5/99999999999999999999s"),
    *("1-99999999999", "1-", ",", "last~5", "1,2," * 3, "101%", "9" * 400 + "%", "2sx" + "9" * 400, "2sx1001"),
    *("gpu=" + "9" * 400, "NAME=" + "x" * 200_000, "x" * 1_000_000),
)
#: What a command needs besides the value that is tried.
_ARGUMENTS = {"settings": "slots=1", "name": "q", "queue": "q"}
_NOT_HERE = {
    ("top",): "needs a terminal",
    ("worker",): "waits for a scheduler",
    ("daemon", "run"): "is the daemon",
    ("daemon", "service"): "writes a unit for systemd",
}
_RULES = ("slots", "attempts", "timeout", "grace", "max-failures", "rate", "priority", "deadline")
_SETTINGS = ("slots", "rate", "queue", "timeout", "backoff", "max-failures", "retry-on", "priority")
_ENDS = (0, 2, 3, 4, 5, 6, 7, 8, 9, 75, 124)


def _commands():
    root = typer.main.get_command(app)
    for name in COMMANDS:
        command = root.get_command(None, name)
        for sub, found in (getattr(command, "commands", None) or {"": command}).items():
            path = (name, sub) if sub else (name,)
            if path not in _NOT_HERE:
                yield path, found


def _lines():
    """(what is tried, function of a value that makes the command line) of every option and argument."""
    for path, command in _commands():
        arguments = [param for param in command.params if param.param_type_name == "argument"]
        for param in command.params:
            if param in arguments or getattr(param, "is_flag", False):
                continue
            yield pytest.param(path, param.opts[0], arguments, id=" ".join((*path, param.opts[0])))
        for place, param in enumerate(arguments):
            if param.name != "file":
                yield pytest.param(path, place, arguments, id=" ".join((*path, str(param.name))))


def _words(path, tried, arguments, value):
    filled = [_ARGUMENTS.get(param.name, "1") for param in arguments]
    if path[0] in ("submit", "run"):
        work = [] if tried in ("--shell", "--call", "--call-setup", "--call-style") else ["--", "true", "{}"]
        if path[0] == "run" or work == []:
            return [path[0], "rows.csv", "--dry-run", tried, value, *work]
        return ["submit", "rows.csv", "--hold", tried, value, *work]
    if isinstance(tried, int):
        filled[tried] = value
        return [*path, *filled, *(["--timeout", "0"] if path == ("wait",) else [])]
    ends = ["--timeout", "0"] if path == ("wait",) and tried != "--timeout" else []
    return [*path, *filled, tried, value, *ends]


LINES = list(_lines())


@pytest.fixture
def place(store, jobctl, tmp_path, monkeypatch):
    """A store with one job, a file of rows, and no daemon that could start."""

    def refused(*_arguments, **_options):
        raise Busy("not in this test")

    monkeypatch.setattr("jobctl.services.control.cancel.start_detached", refused)
    monkeypatch.setattr("jobctl.services.daemon.start.start_detached", refused)
    monkeypatch.setattr("jobctl.process.daemon.start_detached", refused)  # last: the modules above import it
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rows.csv").write_text("id,v\n1,a\n2,b\n")
    store.job("sf", state="partial", started_at=1, finished_at=2)
    return jobctl


def _check(jobctl, words, value):
    began = time.monotonic()
    done = jobctl(*words)
    said = f"{[word[:60] for word in words]}: exit {done.code}\n{done.err[:500]}"
    may_be_one = words[0] in ("doctor", "verify") or "cannot write" in done.err  # a folder that is not there
    assert done.code in _ENDS or (may_be_one and done.code == 1), said
    assert "bug in jobctl" not in done.err and "Traceback" not in done.err, said
    assert len(done.err) < 4_000, said
    assert time.monotonic() - began < 60, said
    if done.code == 2 and value:
        assert done.err.startswith(("jobctl: ", "Usage")), said


def _check_store(jobctl):
    for words in (["status"], ["status", "--all", "--json"], ["items", "last"], ["explain", "last"], ["metrics"]):
        done = jobctl(*words)
        assert done.code == 0, f"{words}: {done.err[:500]}"


@pytest.mark.parametrize(
    ("path", "tried", "arguments"), few(LINES, [line for line in LINES if line.values[0] != ("run",)])
)
def test_a_number_of_five_thousand_digits_and_a_text_that_is_not_utf8(place, path, tried, arguments):
    for value in ("9" * 5_000, "\udcff"):
        _check(place, _words(path, tried, arguments, value), value)


@pytest.mark.parametrize(
    "option",
    few(
        ["--not-before", "--deadline", "--timeout", "--grace", "--backoff", "--rate", "--output-cap", "--max-failures"],
        ["--deadline", "--rate", "--max-failures"],
    ),
)
def test_an_extreme_value_of_a_limit_leaves_a_store_that_can_be_read(place, option):
    for value in EXTREMES:
        _check(place, ["submit", "rows.csv", "--hold", option, value, "--", "true"], value)
    _check_store(place)


@pytest.mark.slow
@pytest.mark.parametrize(("path", "tried", "arguments"), LINES)
def test_every_option_with_every_extreme_value(place, path, tried, arguments):
    for value in EXTREMES:
        _check(place, _words(path, tried, arguments, value), value)
    if path[0] in ("submit", "set", "queue"):
        _check_store(place)


@pytest.mark.parametrize(
    "name",
    few(
        ["slots", "attempts", "timeout", "grace", "max-failures", "rate", "priority", "deadline"],
        ["slots", "rate", "deadline"],
    ),
)
def test_set_takes_no_value_that_it_could_not_keep(place, store, name):
    job = store.job("q")
    for value in EXTREMES:
        if value.strip():
            _check(place, ["set", str(job), f"{name}={value}"], value)
    _check_store(place)


@pytest.mark.parametrize(
    "name",
    few(
        ["slots", "rate", "queue", "timeout", "backoff", "max-failures", "retry-on", "priority"],
        ["slots", "backoff", "retry-on"],
    ),
)
def test_a_setting_of_the_environment_has_the_limits_of_its_option(place, monkeypatch, name):
    for value in EXTREMES:
        if "\0" in value:
            continue
        monkeypatch.setenv(f"JOBCTL_SUBMIT_{name.upper().replace('-', '_')}", value)
        _check(place, ["submit", "rows.csv", "--hold", "--", "true"], value)
    monkeypatch.delenv(f"JOBCTL_SUBMIT_{name.upper().replace('-', '_')}")
    _check_store(place)


@pytest.mark.parametrize(
    ("words", "limit"),
    [
        (["--not-before", "9999-12-31T23:59:59-12:00"], "year 8999"),
        (["--not-before", "0001-01-01T00:00:00+14:00"], "year 1900"),
        (["--not-before", "99999999d"], "100 years"),
        (["--deadline", "36601d"], "100 years"),
        (["--backoff", "2sx1001"], "1000"),
        (["--rate", "99999999999/s"], "1000000000/s"),
        (["--rate", "1/99999d"], "100 years"),
        (["--output-cap", "4194304T"], "4194303T"),
        (["--max-failures", "9" * 13], "1000000000000"),
        (["--resources", "gpu=9999999999999"], "1000000000000"),
        (["--slots", "1000000001"], "1000000000"),
        (["--name", "x" * 201], "200"),
        (["--label", "a=" + "x" * 1_001], "1000"),
    ],
)
def test_the_message_says_the_limit(place, words, limit):
    done = place("submit", "rows.csv", *words, "--", "true")
    assert done.code == 2
    assert limit in done.err.replace(",", "")


def test_a_long_value_is_not_repeated_in_full(place):
    done = place("submit", "rows.csv", "--timeout", "x" * 1_000_000, "--", "true")
    assert done.code == 2
    assert len(done.err) < 2_000
    assert re.search(r"x \.\.\. x", done.err)


@pytest.mark.parametrize("job", ["9" * 5_000, "1-" + "9" * 5_000, "1." + "9" * 5_000, "١", "-1", ",", "1-", "", "a\0"])
@pytest.mark.parametrize("command", ["status", "items", "logs", "explain", "cancel", "retry", "prune", "report"])
def test_a_job_that_cannot_be_is_not_found(place, command, job):
    done = place(command, "--", job)
    assert done.code in (2, 9), done.err
    assert "bug in jobctl" not in done.err
