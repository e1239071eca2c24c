"""Rows are taken back by real processes and functions, once for each success, whatever is killed."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shlex
import signal
from pathlib import Path

import pytest

from tests.wait import wait_until

ROOT = Path(__file__).parents[2]
ROWS = "id,amount\n" + "".join(f"{n},{n * 10}\n" for n in range(1, 7))
#: Rows 5 and 6 fail; the others say who they are.
WORK = ("sh", "-c", '[ "$1" -lt 5 ] || exit 65; echo "charge-$1"', "sh", "{id}")
UNDO = "sh -c 'echo \"$1 $2 $JOBCTL_UNDO_OF $JOBCTL_TOKEN\" >> undone' sh {id} {jobctl_undo_result}"


def undone(cli):
    """The lines that the undo has written."""
    path = cli.work / "undone"
    return [line.split() for line in path.read_text().splitlines()] if path.exists() else []


def test_rows_are_taken_back_newest_first_with_their_results(cli):
    cli.file("rows.csv", ROWS)
    cli("run", "rows.csv", "-j", 1, "--undo", UNDO, "--", *WORK, check=3)
    cli("daemon", "start", "--slots", 1)
    job = int(cli("undo", 1).stdout)
    cli("wait", job)
    assert [line[:3] for line in undone(cli)] == [[str(n), f"charge-{n}", f"1.{n}"] for n in (4, 3, 2, 1)]
    assert len({line[3] for line in undone(cli)}) == 4
    refused = cli("undo", 1, check=2)
    assert "4 rows were taken back before" in refused.stderr


@pytest.mark.parametrize("killed", ["engine", "supervisor"])
def test_a_kill_in_the_middle_forgets_no_row(cli, killed):
    cli.file("rows.txt", "".join(f"{n}\n" for n in range(1, 41)))
    cli("daemon", "start", "--slots", 2)
    cli.submit("rows.txt", "--undo", "sh -c 'echo \"$1 $JOBCTL_TOKEN\" >> undone' sh {}", "--", "true", "{}")
    cli("wait", 1)
    cli("undo", 1)
    wait_until(lambda: len(undone(cli)) > 3, 60, "some rows to be taken back")
    victim = cli.engine_pid() if killed == "engine" else cli.daemon_pid()
    os.kill(victim, signal.SIGKILL)
    if killed == "supervisor":
        wait_until(lambda: cli.daemon_pid() is None, 60, "the daemon to be gone")
        cli("daemon", "start")
    wait_until(lambda: cli("wait", 2, check=None).returncode == 0, 60, "the undo to end")
    tokens = {}
    for row, token in undone(cli):
        tokens.setdefault(row, set()).add(token)
    assert sorted(map(int, tokens)) == list(range(1, 41)), "no row is forgotten"
    assert all(len(found) == 1 for found in tokens.values()), "a repeated attempt has the same token"
    assert cli.status(2)["counts"]["succeeded"] == 40


def test_a_function_takes_back_what_a_function_returned(cli):
    cli.file("rows.csv", ROWS)
    cli.file(
        "shop.py",
        "import json\n"
        "def charge(id, amount): return {'charge': int(id)}\n"
        "def plain(id, amount): print(id, amount)\n"
        "def refund(id, amount, jobctl_undo_result):\n"
        "    print(json.loads(jobctl_undo_result)['charge'])\n",
    )
    cli("run", "rows.csv", "--undo-call", "shop:refund", "--call", "shop:charge")
    cli("daemon", "start")
    cli("wait", int(cli("undo", "1.1-3").stdout))
    printed = [cli("logs", f"2.{item}", "-q").stdout.split()[-1] for item in (1, 2, 3)]
    assert sorted(printed) == ["1", "2", "3"]
    cli("wait", int(cli("undo", 1, "--call", "shop:plain").stdout))
    assert json.loads(cli("status", 3, "--json").stdout)["counts"]["succeeded"] == 3


def test_a_result_that_looks_like_a_program_is_an_argument(cli):
    """S1 for what an item prints: the undo gets it byte for byte, and no shell evaluates it."""
    hostile = "$(touch planted); `touch planted` 'a\"b' --force {id}"
    cli.file("rows.txt", f"{hostile}\n")
    undo = 'sh -c \'printf "%s|%s" "$1" "$JOBCTL_UNDO_RESULT" > undone\' sh {jobctl_undo_result}'
    cli("run", "rows.txt", "--undo", undo, "--", "printf", "%s\\n", "{}")
    cli("daemon", "start")
    cli("wait", int(cli("undo", 1).stdout))
    assert (cli.work / "undone").read_text() == f"{hostile}|{hostile}"
    assert not (cli.work / "planted").exists()


def test_the_output_of_a_job_with_secrets_is_not_passed_on(cli):
    cli.file("rows.txt", "1\n")
    cli.file("secrets", "KEY=hunter2-hunter2\n").chmod(0o600)
    undo = "sh -c 'echo \"got:$JOBCTL_UNDO_RESULT\" > undone' sh {}"
    cli("run", "rows.txt", "--env-file", "secrets", "--undo", undo, "--", "sh", "-c", 'echo "$KEY"')
    cli("daemon", "start")
    cli("wait", int(cli("undo", 1).stdout))
    assert (cli.work / "undone").read_text() == "got:\n"


def test_a_run_that_fails_takes_its_rows_back_before_it_ends(cli):
    cli.file("rows.csv", ROWS)
    told = ("--on-done", "cat >> told; echo >> told")
    done = cli("run", "rows.csv", "-j", 1, "--undo", UNDO, "--undo-on-failure", *told, "--", *WORK, check=3)
    events = [json.loads(line) for line in (cli.work / "told").read_text().splitlines()]
    assert [(event["type"], event["data"]["undo"]) for event in events] == [
        ("job.partial", {"of": None, "job": 2}),
        ("job.succeeded", {"of": 1, "job": None}),
    ]
    assert "undo: 4 of 4 rows taken back (job 2)" in done.stderr
    assert [line[0] for line in undone(cli)] == ["4", "3", "2", "1"]
    assert "job 1 ended without success: job 2 takes its rows back" in done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("trial", range(6))
def test_kills_at_any_moment_begin_one_undo_and_forget_no_row(cli, trial):
    cli.file("rows.txt", "".join(f"{n}\n" for n in range(1, 31)))
    cli("daemon", "start", "--slots", 3)
    work = ("sh", "-c", 'echo "$1" >> done; [ "$1" != 17 ] || exit 65', "sh", "{}")
    undo = "sh -c 'echo \"$1 $JOBCTL_TOKEN\" >> undone' sh {}"
    cli.submit("rows.txt", "--undo", undo, "--undo-on-failure", "--max-failures", 1, "--", *work)
    killed = set()
    for lines in (10 * trial, 45, 52):  # of both files together: around the end of the job, and in the undo
        wait_until(lambda lines=lines: _written(cli) >= lines or _is_over(cli), 60, "work")
        wait_until(lambda: cli.engine_pid() not in (*killed, 0, None) or _is_over(cli), 60, "the next engine")
        if not _is_over(cli):
            killed.add(cli.engine_pid())
            with contextlib.suppress(ProcessLookupError):
                os.kill(cli.engine_pid(), signal.SIGKILL)
    wait_until(lambda: _is_over(cli), 60, "both jobs to end")
    (undo_job,) = [row[0] for row in cli.rows("SELECT id FROM jobs WHERE undo_of = 1")]
    tokens = {}
    for row, token in undone(cli):
        tokens.setdefault(int(row), set()).add(token)
    assert sorted(tokens) == [n for n in range(1, 31) if n != 17]
    assert all(len(found) == 1 for found in tokens.values())
    assert cli.status(undo_job)["counts"]["succeeded"] == 29


def _written(cli):
    paths = [cli.work / "done", cli.work / "undone"]
    return sum(len(path.read_text().splitlines()) for path in paths if path.exists())


def _is_over(cli):
    found = cli.rows("SELECT count(*), count(finished_at) FROM jobs")
    return tuple(found[0]) == (2, 2)


@pytest.mark.slow
def test_the_transcript_of_the_manual_is_that_of_the_example(cli):
    """examples/booking.sh, without the lines that the manual leaves out."""
    program = os.path.dirname(cli.program[0])
    done = cli.shell(f"PATH={shlex.quote(program)}:$PATH sh {shlex.quote(str(ROOT / 'examples' / 'booking.sh'))}")
    assert (done.returncode, done.stderr) == (0, "")
    page = (ROOT / "man" / "man1" / "jobctl-undo.1").read_text()
    (shown,) = re.findall(r"(?ms)^\.Bd -unfilled.*?\n(.*?)^\.Ed", page)
    said = iter(_lines(done.stdout.expandtabs()))
    for line in _lines(shown.replace("\\-", "-").replace("\\e\n    ", "")):
        assert line in said, f"{line!r} is not in {done.stdout}"  # after the line before it
    assert "job 1 is correct" in done.stdout


def _lines(text):
    return [re.sub(r"\b[\d.]+m?s\b", "TIME", line).rstrip() for line in text.splitlines() if line.strip()]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--undo", "true {colour}"], "--undo: unknown placeholder {colour}"),
        (["--undo", "true 'x"], "--undo: "),
        (["--undo", "no-such-program-at-all {id}"], "no-such-program-at-all"),
        (["--undo", "sh -c 'rm {id}'"], "--undo: "),
        (["--undo-call", "shop:nothing"], "--undo-call shop:nothing"),
        (["--undo-on-failure"], "--undo-on-failure needs a way to take a row back"),
        (["--undo", "true", "--undo-shell", "true"], "--undo and --undo-shell at once"),
    ],
)
def test_a_mistake_in_the_way_back_is_found_at_submit(cli, options, said):
    cli.file("rows.csv", ROWS)
    refused = cli("submit", "rows.csv", *options, "--", "true", check=2)
    assert said in refused.stderr


def test_the_way_back_is_a_part_of_the_work_of_a_key(cli):
    cli.file("rows.csv", ROWS)
    cli.submit("rows.csv", "--key", "k", "--undo", "true {id}", "--", "true")
    cli.submit("rows.csv", "--key", "k", "--undo", "true {id}", "--", "true")
    other = cli("submit", "rows.csv", "--key", "k", "--undo", "true {amount}", "--", "true", check=None)
    assert other.returncode != 0 and "undo" in other.stderr
