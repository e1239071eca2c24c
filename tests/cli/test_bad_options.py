"""A bad value of any option of submit: exit 2, the option and what it may be, nothing changed."""

from __future__ import annotations

import pytest
from typer.main import get_command

from jobctl.cli.command import global_options
from jobctl.cli.commands.run import app as run_app
from jobctl.cli.commands.submit import app as submit_app
from jobctl.cli.submission.cluster import cluster_options

#: (option, value, words that must be in the answer besides the option)
BAD = [
    ("--format", "xls", "csv"),
    ("--delimiter", "ab", "character"),
    ("--delimiter", "", "needs a value"),
    ("--comment", "\n", "what a line begins with"),
    ("--encoding", "klingon", "encoding"),
    ("--select", "all", "1-100"),
    ("--select", "5-1", "1-5"),
    ("--where", "id is 3", "id"),
    ("--sheet", "Q1", "workbooks"),
    ("--sample", "0", "less than 1"),
    ("--sample", "few", "whole number"),
    ("--invalid", "maybe", "reject or skip"),
    ("--name", "", "needs a value"),
    ("--label", "team", "NAME=VALUE"),
    ("--label", "a b=c", "NAME=VALUE"),
    ("--queue", "", "needs a value"),
    ("--priority", "high", "whole number"),
    ("--priority", "99999999999999999999", "more than"),
    ("--priority", "-99999999999999999999", "less than"),
    ("--key", "a b", "letters, digits"),
    ("--key", "", "needs a value"),
    ("--on-duplicate", "ignore", "return or fail or resume"),
    ("--item-key", "nr", "columns: id"),
    ("--new-by", "", "needs a value"),
    ("--new-by", "id,,n", "not a list of columns"),
    ("--new-by", "id", "--only-new"),
    ("--after", "nonsense", None),  # not found: exit 9
    ("--not-before", "noon", "2026-"),
    ("--not-before", "2026-13-01T00:00:00Z", "2026-"),
    ("--notify", "ftp://example.org", "jobctl: --notify 'ftp://example.org' is not a web address"),
    ("--notify", "http://example.org/hook", "--allow-http"),
    ("--on-done", " ", "command"),
    ("--notify-secret-env", "NAME", "--notify"),
    ("--notify-secret-file", "/nowhere", "--notify"),
    ("--slots", "0", "1 or more"),
    ("--slots", "many", "whole number"),
    ("--slots", "99999999999999999999", "more than"),
    ("--timeout", "soon", "2h30m"),
    ("--timeout", "0", "2h30m"),
    ("--timeout", "-5", "2h30m"),
    ("--attempts", "0", "1 or more"),
    ("--attempts", "99999999999999999999", "more than"),
    ("--gpus-per-item", "0", "1 or more"),
    ("--nice", "20", "19 or less"),
    ("--nice", "-21", "-20 or more"),
    ("--ionice", "realtime", "idle, best-effort"),
    ("--resources", "gpu", "gpu=1,mem=8"),
    ("--cwd", "/nowhere/at/all", "no such directory"),
    ("--env", "=x", "NAME"),
    ("--env-file", "/nowhere", "--env-file /nowhere: No such file or directory"),
    ("--shell", "echo '{id}'", "single quotes"),
    ("--call", "mail.send", "mail:send"),
    ("--call", "send.py:main", "MODULE:FUNCTION"),
    ("--call", "no_such_module:main", "No module named 'no_such_module'"),
    ("--call", "json:no_such", "json has no 'no_such'"),
    ("--call-style", "list", "--call"),
    ("--call-setup", "json:dumps", "--call"),
    ("--recycle", "10", "--call"),
    ("--python", "python3", "--call"),
    ("--retry-on", "x", "1 to 255"),
    ("--retry-on", "0", "1 to 255"),
    ("--no-retry-on", "256", "1 to 255"),
    ("--backoff", "2y", "2sx4..60s"),
    ("--backoff", "2sx0.5", "1 or more"),
    ("--grace", "x", "2h30m"),
    ("--max-failures", "-1", "5%"),
    ("--max-failures", "101%", "5%"),
    ("--halt", "later", "soon or now"),
    ("--deadline", "x", "tomorrow 06:00"),
    ("--on-crash", "panic", "requeue or fail"),
    ("--leftovers", "forget", "wait or end or fail"),
    ("--rate", "fast", "100/s"),
    ("--rate", "0/s", "100/s"),
    ("--output-cap", "big", "64M"),
    ("--recipe", "nothing", None),
    ("--undo", "", "needs a value"),
    ("--undo", "true 'x", "is not a command"),
    ("--undo", "true {colour}", "the columns are id"),
    ("--undo-shell", "echo '{id}'", "single quotes"),
    ("--undo-call", "send.py:main", "MODULE:FUNCTION"),
    ("--undo-call", "json:no_such", "json has no 'no_such'"),
]
SWITCHES = {
    *("--no-header", "--dry-run", "--from-joblog", "--unique", "--only-new"),
    *("--new-queue", "--hold", "--allow-http", "--start-daemon", "--wait", "--env-all"),
    "--undo-on-failure",
}


@pytest.fixture
def rows(tmp_path):
    path = tmp_path / "rows.csv"
    path.write_text("id\n1\n2\n", encoding="utf-8")
    return path


@pytest.mark.parametrize(("option", "value", "said"), BAD, ids=[f"{option} {value}" for option, value, _ in BAD])
def test_a_bad_value_is_refused_by_name_and_nothing_changes(jobctl, home, rows, option, value, said):
    command = () if option in ("--shell", "--call") else ("--", "true")
    done = jobctl("submit", rows, f"{option}={value}", *command)
    assert done.code == (2 if said is not None else 9), done.err
    assert done.out == ""
    assert done.err.startswith("jobctl: ")
    assert "bug" not in done.err
    if said is not None:
        assert said in done.err
        assert option in done.err
    assert not home.database.exists()


def test_every_option_of_submit_and_run_is_among_them():
    known = {option for option, _, _ in BAD} | SWITCHES
    known |= {"--resume"}  # see tests/e2e/test_run_resume.py
    known |= {name for o in [*global_options(), *cluster_options()] for name in o.opts}  # see test_cluster_options.py
    for app in (submit_app, run_app):
        options = {
            next(n for n in param.opts if n.startswith("--"))
            for param in get_command(app).params
            if param.opts[0].startswith("-")
        }
        assert options - known - {"--help"} == set()


def test_an_option_without_its_value_and_an_unknown_one(jobctl, home, rows):
    missing = jobctl("submit", rows, "--timeout")
    assert missing.code == 2
    assert "--timeout" in missing.err
    unknown = jobctl("submit", rows, "--atempts", "3")
    assert unknown.code == 2
    assert "--attempts" in unknown.err
    assert not home.database.exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("pause",), "jobctl pause JOB"),
        (("resume", "1", "--queue", "q"), "jobctl resume JOB"),
        (("queue", "set", "q", "slots=none", "colour=red"), "slots=N or rate=100/s"),
        (("queue", "set", "q", "slots=0"), "1 or more"),
        (("queue", "set", "q", "rate=fast"), "100/s"),
        (("queue", "set", "q", "slots"), "NAME=VALUE"),
        (("queue", "drop"), "it has: list, set"),
        (("prune", "--older-than", "old"), "--older-than"),
        (("prune", "--keep-failed", "--include-failed"), "one of them"),
        (("export", "1"), "--joblog"),
        (("daemon", "start", "--slots", "0"), "--slots"),
        (("daemon", "stop", "--timeout", "x"), "2h30m"),
        (("daemon", "stop", "--timeout", "-1"), "--timeout: '-1' is not a duration"),
        (("daemon", "start", "--slots", "99999999999999999999"), "--slots: 99999999999999999999 is more than"),
        (("wait", "1", "--timeout", "x"), "--timeout: 'x' is not a duration"),
        (("items", "1", "--state", "lost"), "queued, running"),
        (("items", "1", "--limit", "-1"), "--limit: -1 is less than 0"),
        (("logs", "1", "--attempt", "x"), "1, 2, ... or all"),
        (("logs", "1", "--stdout", "--stderr"), "both"),
        (("status", "--exit-code"), "needs a JOB"),
        (("sumbit",), "did you mean: jobctl submit"),
    ],
    ids=" ".join,
)
def test_other_commands_refuse_as_clearly(jobctl, home, words, said):
    done = jobctl(*words)
    assert done.code == 2, done.err
    assert said in done.err
    assert not home.database.exists()
