"""From a file to a finished job through the installed command."""

import csv
import json

import pytest

from tests.stages import few

FAILS = 'case "$1" in bad*) echo "no luck with $1" >&2; exit 65;; *) echo "done $1";; esac'


def numbered(rows, bad=()):
    names = [f"bad{n}" if n in bad else f"row{n}" for n in range(1, rows + 1)]
    return "name,size\n" + "".join(f"{name},{n}\n" for n, name in enumerate(names, 1))


def read_csv(path):
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_run_does_every_row_and_says_what_failed(cli):
    cli.file("batch.csv", numbered(60, bad=(7, 33)))
    done = cli("run", "batch.csv", "--", "sh", "-c", FAILS, "sh", "{name}", check=3)
    assert "2" in done.stderr
    document = cli.status("last")
    assert document["state"] == "partial"
    assert document["counts"] | {"succeeded": 58, "failed": 2, "total": 60} == document["counts"]
    group = document["failures"]["groups"][0]
    assert (group["code"], group["message"], group["count"]) == ("exit_65", "no luck with bad<n>", 2)
    assert sorted(group["sample_items"]) == [7, 33]
    files = document["results"]["files"]
    failed = read_csv(files["failed"]["path"])
    assert [(row["name"], row["jobctl_error_message"]) for row in failed] == [
        ("bad7", "no luck with bad7"),
        ("bad33", "no luck with bad33"),
    ]
    succeeded = read_csv(files["succeeded"]["path"])
    assert len(succeeded) == 58
    assert succeeded[0]["jobctl_output"] == "done row1"
    assert read_csv(files["unprocessed"]["path"]) == []
    assert cli("logs", "last.7").stderr.strip().endswith("no luck with bad7")


def test_a_corrected_failed_csv_is_a_valid_input(cli):
    cli.file("batch.csv", numbered(20, bad=(3, 4)))
    cli("run", "batch.csv", "-q", "--", "sh", "-c", FAILS, "sh", "{name}", check=3)
    failed = cli.status("last")["results"]["files"]["failed"]["path"]
    with open(failed, encoding="utf-8") as file:
        corrected = cli.file("again.csv", file.read().replace("\nbad", "\nrow"))
    cli("run", corrected, "-q", "--", "sh", "-c", FAILS, "sh", "{name}", check=0)
    document = cli.status("last")
    assert document["counts"]["succeeded"] == 2
    assert document["input"]["columns"] == ["name", "size"]


def test_submit_prints_the_id_alone_and_a_daemon_works_it_off(cli):
    cli.file("batch.csv", numbered(10))
    first = cli("submit", "batch.csv", "--", "true")
    assert first.stdout == "1\n"
    assert "10 items" in first.stderr
    assert "daemon start" in first.stderr
    assert cli.status(1)["state"] == "queued"
    cli("daemon", "start")
    cli("wait", 1)
    assert cli.submit("batch.csv", "--", "true") == 2
    cli("wait", 2)
    assert cli.status(2)["state"] == "succeeded"
    cli("daemon", "stop")
    assert cli.daemon_pid() is None


def test_a_second_daemon_is_refused_with_the_pid_of_the_first(cli):
    cli("daemon", "start")
    pid = cli.daemon_pid()
    refused = cli("daemon", "start", check=75)
    assert str(pid) in refused.stderr
    assert cli.daemon_pid() == pid
    assert str(pid) in cli("daemon", "status").stdout


def test_drain_runs_the_queued_items_and_ends(cli):
    cli.file("batch.csv", numbered(10))
    for _ in range(3):
        cli.submit("batch.csv", "--", "true")
    cli("daemon", "run", "--drain")
    assert {row[0] for row in cli.rows("SELECT state FROM jobs")} == {"succeeded"}
    assert cli.daemon_pid() is None


@pytest.mark.parametrize(
    ("name", "text", "options"),
    few(
        [
            ("in.csv", "name\na\nb\n", ()),
            ("in.tsv", "name\ta b\na\tx\nb\ty\n", ()),
            ("in.jsonl", '{"name": "a"}\n{"name": "b"}\n', ()),
            ("in.txt", "a\nb\n", ()),
            ("in.csv", "a\nb\n", ("--no-header",)),
            ("in.csv", "name;x\na;1\nb;2\n", ("--delimiter", ";")),
        ],
        [("in.txt", "a\nb\n", ()), ("in.csv", "name;x\na;1\nb;2\n", ("--delimiter", ";"))],
        several=True,
    ),
)
def test_every_format_reaches_the_command(cli, name, text, options):
    cli.file(name, text)
    cli("run", name, "-q", *options, "--", "echo", "got", "{}" if "json" not in name else "{name}")
    assert [cli("logs", f"last.{n}", "--stdout").stdout.split()[-2:] for n in (1, 2)] == [["got", "a"], ["got", "b"]]


def test_standard_input_and_results_as_json_lines(cli):
    text = '{"id": 1, "big": 12345678901234567890, "x": 1.50}\n{"id": 2}\n'
    cli(
        "run",
        "-",
        "--format",
        "jsonl",
        "-q",
        "--",
        "sh",
        "-c",
        "exit $(( ($1 - 1) * 65 ))",
        "sh",
        "{id}",
        stdin=text,
        check=3,
    )
    files = cli.status("last")["results"]["files"]
    with open(files["succeeded"]["path"], encoding="utf-8") as file:
        line = file.read()
    assert line.startswith('{"id": 1, "big": 12345678901234567890, "x": 1.50')
    assert json.loads(line)["_jobctl"]["exit_code"] == 0
    with open(files["failed"]["path"], encoding="utf-8") as file:
        assert json.loads(file.read())["_jobctl"]["error_code"] == "exit_65"


def test_a_bad_row_rejects_the_file_and_nothing_exists(cli):
    cli.file("bad.csv", "a,b\n1,2\n3\n4,5\n6,7,8\n")
    refused = cli("submit", "bad.csv", "--", "true", check=7)
    assert refused.stdout == ""
    assert "line 3" in refused.stderr
    assert "line 5" in refused.stderr
    assert not cli.home.database.exists() or cli.rows("SELECT count(*) FROM jobs") == [(0,)]


def test_good_rows_are_accepted_on_request(cli):
    cli.file("bad.csv", "a,b\n1,2\n3\n4,5\n")
    done = cli("run", "bad.csv", "--invalid", "skip", "-q", "--", "true", check=3)
    document = cli.status("last")
    assert document["counts"]["rejected"] == 1
    assert document["state"] == "partial"
    rejected = read_csv(cli.home.job_results(document["job"]) / "rejected.csv")
    assert rejected[0]["line"] == "3", done.stderr


def test_dry_run_renders_and_writes_nothing(cli):
    cli.file("batch.csv", numbered(5))
    shown = cli("submit", "batch.csv", "--dry-run", "--", "echo", "{name}", "{size}")
    assert "echo row1 1" in shown.stdout + shown.stderr
    assert not cli.home.database.exists()
    cli.file("bad.csv", "a\n1\n2,3\n")
    cli("submit", "bad.csv", "--dry-run", "--", "true", check=7)


def test_retries_keep_every_attempt_and_its_output(cli):
    cli.file("one.txt", "x\n")
    script = 'echo "try $JOBCTL_ATTEMPT"; [ "$JOBCTL_ATTEMPT" = 3 ] || exit 75'
    cli("run", "one.txt", "-q", "--backoff", "10ms", "--", "sh", "-c", script)
    assert cli.rows("SELECT attempt, ending, code FROM attempts") == [(1, 0, 75), (2, 0, 75), (3, 0, 0)]
    for attempt in (1, 2, 3):
        assert f"try {attempt}" in cli("logs", "last.1", "--attempt", attempt).stdout


def test_a_command_that_does_not_exist_stops_the_job(cli):
    cli.file("batch.csv", numbered(50))
    done = cli("run", "batch.csv", "--slots", 1, "-q", "--key", "none", "--", "no-such-program-here", "{name}", check=4)
    document = cli.status("last")
    assert document["state"] == "failed"
    assert document["counts"]["failed"] == 3
    assert document["counts"]["unprocessed"] == 47
    assert "could not be started" in document["state_reason"], done.stderr


def test_a_time_limit_ends_the_item(cli):
    cli.file("one.txt", "x\n")
    cli("run", "one.txt", "-q", "--timeout", "0.3s", "--attempts", 1, "--", "sh", "-c", "sleep 600", check=4)
    group = cli.status("last")["failures"]["groups"][0]
    assert (group["code"], group["outcome"]) == ("timeout", "unknown")


def test_cancel_without_a_daemon_settles_everything(cli):
    cli.file("batch.csv", numbered(30))
    job = cli.submit("batch.csv", "--", "true")
    cli("cancel", job)
    document = cli.status(job)
    assert (document["state"], document["counts"]["unprocessed"]) == ("cancelled", 30)
    assert len(read_csv(document["results"]["files"]["unprocessed"]["path"])) == 30
    assert "already" in cli("cancel", job).stderr
    cli("wait", job, check=5)
