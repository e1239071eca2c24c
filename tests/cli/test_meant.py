"""A word that does not exist, and the one that was meant."""

from __future__ import annotations

import pytest

from jobctl.domain.nearest import did_you_mean, nearest
from tests.factories import SUBMITTED_AT


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("daemon strat", "did you mean start? it has: start, run, stop"),
        ("queue drop", "; it has: list, set"),
        ("items 1 --state faild", "did you mean failed? it is one of"),
        ("completion bsh", "did you mean bash?"),
        ("submit rows.cvs -- true", "did you mean rows.csv?"),
        ("submit rows.csv --format CVS -- true", "did you mean csv? use one of"),
        ("submit rows.csv --on-crash requue -- true", "did you mean requeue? use requeue or fail"),
        ("submit rows.csv --where contry==1 -- true", "did you mean country?"),
        ("submit rows.csv --halt forever -- true", "  use soon or now"),
        ("set 2 tmeout=3", "did you mean timeout?"),
        ("retry 1 --code exit_23", "did you mean exit_22?"),
        ("logs nigtly", "did you mean nightly?"),
        ("status lst", "did you mean last?"),
    ],
)
def test_the_word_that_was_meant_is_named(jobctl, store, tmp_path, monkeypatch, words, said):
    failed = store.job("sf", state="partial", started_at=SUBMITTED_AT, finished_at=SUBMITTED_AT + 1, attempts=2)
    store.failure(failed, 1)
    store.job("q", name="nightly")
    (tmp_path / "rows.csv").write_text("id,country\n1,DE\n")
    monkeypatch.chdir(tmp_path)
    done = jobctl(*words.split())
    assert done.code in (2, 7, 9)
    assert said in done.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("submit rows.csv --slot 3 -- true", "no such option: --slot; did you mean --slots?"),
        ("list", "try: jobctl status"),
        ("KILL 1", "try: jobctl cancel 1; the daemon: jobctl daemon stop"),
        ("version", "try: jobctl --version"),
        ("log 1", "try: jobctl logs"),
        ("submit rows.csv --jobs 4 -- true", "no such option: --jobs; did you mean --slots?"),
        ("submit rows.csv -P 4 -- true", "no such option: -P; did you mean --slots?"),
        ("submit rows.csv --retries 4 -- true", "no such option: --retries; did you mean --attempts?"),
        ("items 1 --running", "no such option: --running; did you mean --state?"),
        ("daemon stop --force", "no such option: --force; did you mean --now?"),
        ("run -- true", "jobctl run FILE -- COMMAND"),
        ("run echo ::: a b", "here they come from FILE"),
        ("run rows.csv -- true ::: a b", "here they come from FILE"),
    ],
)
def test_of_options_the_likeliest_and_for_words_of_other_tools_ours(jobctl, words, said):
    done = jobctl(*words.split())
    assert done.code == 2
    assert said in done.err
    assert " or --" not in done.err


def test_an_option_that_is_like_none_gets_no_suggestion(jobctl):
    assert "no such option: --frobnicate\n" in jobctl("submit", "rows.csv", "--frobnicate").err
    assert "no such option: --joblog\n  --joblog is an option of jobctl export;" in jobctl("doctor", "--joblog").err


def test_habits_of_a_shell_are_met(jobctl, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rows.txt").write_text("1\n")
    one_word = jobctl("submit", "rows.txt", "gzip -9 {}")
    assert one_word.code == 2
    assert "one word with blanks in it" in one_word.err and "--shell" in one_word.err
    piped = jobctl("submit", "rows.txt", "-n", "--", "echo", "{}", "|", "wc")
    assert piped.code == 0
    assert "'|' is handed to echo as it is: no shell is involved; for one there is --shell" in piped.err
    tool = tmp_path / "a tool"
    tool.write_text("#!/bin/sh\n")
    tool.chmod(0o755)
    assert jobctl("submit", "rows.txt", "-n", "--", str(tool)).code == 0
    program = jobctl("submit", "true", "{}")
    assert program.code == 7
    assert "true is a program: the file of rows comes before it" in program.err


def test_a_second_file_is_not_taken_for_the_command(jobctl, home, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("a.txt", "b.txt"):
        (tmp_path / name).write_text("1\n")
    for words in (("a.txt", "b.txt", "--", "true", "{}"), ("a.txt", "b.txt"), ("a.txt", "-j", "2", "b.txt")):
        done = jobctl("submit", *words)
        assert done.code == 2
        assert "one FILE at a time: 'b.txt' is where the command begins" in done.err
    assert not home.database.exists()
    (tmp_path / "b.txt").chmod(0o755)
    assert jobctl("submit", "a.txt", "-n", "./b.txt").code == 0
    assert jobctl("submit", "a.txt", "-n", "true", "--", "{}").code == 0


def test_the_version_is_an_option_like_others(jobctl):
    assert jobctl("-q", "--version").out.startswith("jobctl ")
    assert "-V, --version" in jobctl("--help").out


@pytest.mark.parametrize("words", ["submit", "queue", "daemon stop"])
def test_help_of_a_command_may_be_asked_for_first(jobctl, words):
    asked = jobctl("help", *words.split())
    assert asked.code == 0
    assert asked.out == jobctl(*words.split(), "--help").out
    assert jobctl("help").out == jobctl("--help").out
    assert jobctl("help", "sumbit").code == 2


def test_nothing_is_named_that_is_not_like_it():
    assert nearest("frobnicate", ["start", "stop"]) is None
    assert nearest("START", ["start", "stop"]) == "start"
    assert did_you_mean("x", ["start"], "there is start") == "there is start"
    assert did_you_mean("strt", ["start"]) == "did you mean start?"
