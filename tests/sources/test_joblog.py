"""A GNU parallel joblog: its failed rows are found, and each runs as the shell text in it."""

from __future__ import annotations

import pytest

HEADER = b"Seq\tHost\tStarttime\tJobRuntime\tSend\tReceive\tExitval\tSignal\tCommand\n"


def line(seq, command, code=0, signal=0):
    return b"%d\t:\t1770000000.123\t     0.004\t0\t0\t%d\t%d\t%s\n" % (seq, code, signal, command)


LOG = HEADER + b"".join(
    [
        line(2, b"exit 3 # 'it''s'", 3),
        line(1, b"echo ok"),
        line(3, b"sleep 100", 0, 9),
        line(4, b"flaky", 1),
        line(5, b"printf a\tb\0exit 4", 4),
        line(4, b"flaky"),
        line(2, b"exit 3 # 'it''s'", 2),
        line(6, b"slow", -1),
    ]
)


def test_failed_rows_are_read_once_and_the_last_ending_counts(read):
    found = read(LOG, name="log", format="joblog")
    assert found.payloads == [b"sleep 100", b"printf a\tb\nexit 4", b"exit 3 # 'it''s'", b"slow"]
    assert (found.source.format, found.source.columns) == ("lines", ())


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "line 1: this is not a GNU parallel joblog: the first line must be Seq, Host, ... Command"),
        (b"id,url\n1,2\n", "line 1: this is not a GNU parallel joblog: the first line must be Seq, Host, ... Command"),
        (HEADER + line(1, b"true"), "no job of this joblog failed: there is nothing to run"),
        (LOG + b"7\t:\t1\n", "line 10, record 5: is not a line of a joblog: nine fields, separated by tabs"),
        (
            HEADER + line(1, b"\xff", 1),
            "line 2, record 1: is not valid UTF-8; if it has another encoding, add --encoding",
        ),
    ],
)
def test_a_file_that_is_not_a_joblog_is_refused(read, content, sentence):
    assert read.refused(content, name="log", format="joblog").details == (sentence,)


def test_the_commands_run_by_the_shell(jobctl, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "runs.log").write_bytes(
        HEADER
        + line(1, b"echo \"$((6*7))\" > 'a b'; exit 3", 3)
        + line(2, b"printf %s x\0exit 5", 5)
        + line(3, b"true")
    )
    ran = jobctl("run", "--from-joblog", "runs.log", "--attempts", "1", "-q")
    assert ran.code == 4
    assert (tmp_path / "a b").read_text() == "42\n"
    items = jobctl("items", "1", "--json").document["items"]
    assert [item["exit_code"] for item in items] == [3, 5]


def test_a_joblog_brings_its_own_commands(jobctl, tmp_path):
    (tmp_path / "runs.log").write_bytes(LOG)
    for words in (["--", "echo"], ["--shell", "x"], ["--format", "csv"]):
        done = jobctl("submit", "--from-joblog", tmp_path / "runs.log", *words)
        assert (done.code, "--from-joblog" in done.err) == (2, True)
