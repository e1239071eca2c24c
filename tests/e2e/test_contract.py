"""Promises of the command line, kept by the installed command with real processes."""

import json
import os
import shlex
import signal
import time
from pathlib import Path

import pytest

from jobctl.process import lock
from tests.schemas import check
from tests.stages import few
from tests.wait import wait_until

PATIENCE_S = 60
ROWS = "id\n1\n2\n3\n"
#: Item 2 fails until the file ``repaired`` is there.
LOAD = ("sh", "-c", 'test "$1" != 2 || test -e repaired || { echo "row $1 is not ready" >&2; exit 1; }', "load", "{id}")


def quiet(done, code=0):
    """Nothing was said, and it ended so."""
    assert (done.stdout, done.stderr, done.returncode) == ("", "", code)


# ---- keys ----


@pytest.mark.slow
def test_twenty_simultaneous_submissions_with_one_key_are_one_job(cli):
    cli.file("rows.csv", ROWS)
    started = [cli.start("submit", "rows.csv", "--key", "k", "-q", "--", "true") for _ in range(20)]
    answers = [process.communicate(timeout=PATIENCE_S) for process in started]
    assert [process.returncode for process in started] == [0] * 20
    assert {out for out, _ in answers} == {"1\n"}
    assert {err for _, err in answers} == {""}
    assert cli.rows("SELECT count(*), sum(total) FROM jobs") == [(1, 3)]
    assert cli.rows("SELECT count(*) FROM items") == [(3,)]


def test_of_simultaneous_submissions_with_different_work_one_wins_and_the_others_fail(cli):
    for n in range(4):
        cli.file(f"rows{n}.csv", ROWS + f"{n + 10}\n")
    started = [cli.start("submit", f"rows{n % 4}.csv", "--key", "k", "-q", "--", "true") for n in range(8)]
    codes = []
    for process in started:
        _, err = process.communicate(timeout=PATIENCE_S)
        codes.append(process.returncode)
        assert ("key 'k' belongs to job 1, which is other work" in err) == (process.returncode == 8)
    assert sorted(codes) == [0, 0, 8, 8, 8, 8, 8, 8]
    assert cli.rows("SELECT count(*) FROM jobs") == [(1,)]


def test_what_a_replay_says(cli):
    cli.file("rows.csv", ROWS)
    cli("submit", "rows.csv", "--key", "k", "--", "true")
    again = cli("submit", "rows.csv", "--key", "k", "--", "true")
    assert again.stdout == "1\n"
    assert "has this key and is the same work: nothing new was accepted" in again.stderr
    document = check("status-1", json.loads(cli("submit", "rows.csv", "--key", "k", "--json", "--", "true").stdout))
    assert document["idempotency"] == {"key": "k", "replayed": True}


def test_unique_and_a_duplicate_as_an_error(cli):
    cli.file("rows.csv", ROWS)
    cli("submit", "rows.csv", "--unique", "--", "true")
    assert "already as job 1" in cli("submit", "rows.csv", "--unique", "--", "true", check=8).stderr
    cli("submit", "rows.csv", "--key", "k", "--on-duplicate", "fail", "--", "true")
    error = json.loads(
        cli("submit", "rows.csv", "--key", "k", "--on-duplicate", "fail", "--json", "--", "true", check=8).stdout
    )
    assert error["error"]["code"] == "key_conflict"


# ---- one line for cron, daemon or not ----


def test_run_with_a_key_is_silent_until_something_is_wrong_and_converges(cli):
    cli.file("rows.csv", ROWS)
    line = ("run", "rows.csv", "-q", "--key", "k", "--on-duplicate", "resume", "--attempts", 1, "--", *LOAD)
    failed = cli(*line, check=3)
    assert failed.stdout == ""
    lines = failed.stderr.splitlines()
    assert lines[0].startswith("job 1 (rows) partial: 2 succeeded, 1 failed, ")
    assert lines[1] == "  1x exit_1: row <n> is not ready (item 2)"
    assert lines[2] == f"  results: {cli.home.job_results(1)}"
    assert lines[3:] == ["  retry: jobctl retry 1"]
    (cli.work / "repaired").touch()
    quiet(cli(*line))
    quiet(cli(*line))
    status = cli.status(1)
    assert (status["state"], status["round"], status["attempts"]) == ("succeeded", 2, 4)


@pytest.mark.parametrize("command", [("run",), ("submit", "--start-daemon", "--wait")], ids=" ".join)
def test_the_first_command_ever_works_while_another_one_makes_the_store(cli, command):
    cli.home.root.mkdir(mode=0o700)
    cli.home.database.touch(mode=0o600)  # the other one is about to fill it, or was killed there
    cli.file("rows.csv", ROWS)
    quiet(cli(*command, "rows.csv", "-q", "--", "true"))


def test_simultaneous_first_runs_of_a_line_are_one_run(cli):
    cli.file("rows.csv", ROWS)
    line = ("run", "rows.csv", "-q", "--key", "k", "--", "sh", "-c", "echo $1 >> ran", "load", "{id}")
    started = [cli.start(*line) for _ in range(8)]
    answers = [(*process.communicate(timeout=PATIENCE_S), process.returncode) for process in started]
    assert answers == [("", "", 0)] * 8
    assert sorted((cli.work / "ran").read_text().split()) == ["1", "2", "3"]


def test_a_key_that_was_submitted_and_never_started_is_run(cli):
    cli.file("rows.csv", ROWS)
    cli("submit", "rows.csv", "--key", "k", "--", "true")
    quiet(cli("run", "rows.csv", "--key", "k", "-q", "--", "true"))
    assert cli.status(1)["state"] == "succeeded"


def test_run_of_a_job_that_is_done_exits_as_it_ended_and_does_nothing(cli):
    cli.file("rows.csv", ROWS)
    line = ("run", "rows.csv", "--key", "k", "-q", "--", "sh", "-c", "exit 65")
    first, second = cli(*line, check=4), cli(*line, check=4)
    assert first.stderr == second.stderr
    assert cli.status(1)["attempts"] == 3


def test_submit_and_wait_needs_a_daemon_and_says_so(cli):
    cli.file("rows.csv", ROWS)
    refused = cli("submit", "rows.csv", "--wait", "-q", "--", "true", check=75)
    assert refused.stdout == ""
    assert "no daemon is running, so nothing was accepted" in refused.stderr
    assert "jobctl daemon start" in refused.stderr
    assert not cli.home.database.exists()
    left = cli("submit", "rows.csv", "--wait", "-q", "--key", "k", "--", "true", check=75)
    assert "job 1 is accepted and queued, but no daemon is running" in left.stderr
    assert cli.rows("SELECT state FROM jobs") == [("queued",)]


def test_submit_and_wait_is_a_whole_line(cli):
    cli.file("rows.csv", ROWS)
    line = ("submit", "rows.csv", "--key", "k", "--on-duplicate", "resume", "--attempts", 1, "--wait", "-q")
    failed = cli(*line, "--start-daemon", "--", *LOAD, check=3)
    assert failed.stdout == ""
    assert failed.stderr.splitlines()[0].startswith("job 1 (rows) partial: 2 succeeded, 1 failed, ")
    (cli.work / "repaired").touch()
    quiet(cli(*line, "--", *LOAD))
    quiet(cli(*line, "--", *LOAD))
    cli("daemon", "stop")
    quiet(cli(*line, "--", *LOAD))  # it is done, so no daemon is needed
    assert cli.status(1)["round"] == 2


def test_a_wait_without_quiet_says_the_number_first_and_the_end_last(cli):
    cli.file("rows.csv", ROWS)
    cli("daemon", "start")
    done = cli("submit", "rows.csv", "--wait", "--", "true")
    assert done.stdout == "1\n"
    assert "3 items accepted" in done.stderr
    assert "job 1 (rows) succeeded: all 3 items succeeded" in done.stderr
    document = json.loads(cli("submit", "rows.csv", "--wait", "--json", "--attempts", 1, "--", "false", check=4).stdout)
    assert check("status-1", document)["state"] == "failed"


@pytest.mark.slow
def test_a_wait_ends_when_the_daemon_stops_and_none_follows(cli):
    cli.file("rows.csv", "id\n1\n2\n")
    cli("daemon", "start", "--slots", 1)
    waiting = cli.start("submit", "rows.csv", "--wait", "-q", "--", "sh", "-c", "sleep 1; true")
    wait_until(
        lambda: cli.home.database.exists() and cli.rows("SELECT 1 FROM items WHERE state = 1"), PATIENCE_S, "a start"
    )
    cli("daemon", "stop")
    _, err = waiting.communicate(timeout=PATIENCE_S)
    assert waiting.returncode == 75
    # On a slow machine the command gives up while the daemon still waits for the running item.
    stopping = "is stopping" in err and "jobctl daemon stop && jobctl daemon start" in err
    assert stopping or "no daemon is running" in err


def test_a_run_takes_over_from_another_one_that_leaves(cli):
    cli.file("rows.csv", ROWS)
    cli.file("one.txt", "1\n")
    first = cli.start("run", "one.txt", "-q", "-j", 1, "--", "sh", "-c", "sleep 1.5")
    wait_until(lambda: cli.home.lock.exists() and cli.daemon_pid(), PATIENCE_S, "the first one")
    began = time.monotonic()
    quiet(cli("run", "rows.csv", "-q", "-j", 1, "--", "sh", "-c", "sleep 1"))
    assert time.monotonic() - began < 20  # an event, not the next look after a minute
    first.communicate(timeout=PATIENCE_S)
    assert first.returncode == 0


def test_what_can_never_end_is_not_waited_for(cli):
    cli.file("rows.csv", ROWS)
    for line in (("run", "rows.csv", "--hold"), ("submit", "rows.csv", "--wait", "--start-daemon", "--hold")):
        refused = cli(*line, "--", "true", check=2)
        assert "--hold" in refused.stderr
    assert not cli.home.database.exists()


# ---- retry ----


def pasted(cli, job):
    """Type the retry command of the status into a shell; its status then."""
    command = cli.status(job)["retry"]["command"]
    folder = os.path.dirname(cli.program[0])
    done = cli.shell(f"PATH={shlex.quote(folder)}:$PATH; {command}")
    assert done.returncode == 0, done.stderr
    return cli.status(job)


def test_the_retry_command_is_pasted_into_a_shell(cli):
    cli.file("rows.csv", ROWS)
    cli("run", "rows.csv", "-q", "--attempts", 1, "--", *LOAD, check=3)
    (cli.work / "repaired").touch()
    status = pasted(cli, 1)
    assert (status["state"], status["round"], status["counts"]["queued"]) == ("queued", 2, 1)
    cli("daemon", "run", "--drain")
    assert check("status-1", cli.status(1))["state"] == "succeeded"
    assert (cli.home.job_results(1) / "failed.csv").read_text().count("\n") == 1


def test_the_retry_command_names_the_store_when_that_is_not_the_usual_one(cli):
    cli.file("rows.csv", ROWS)
    elsewhere = cli.work / "my store"
    cli("--home", elsewhere, "run", "rows.csv", "-q", "--", "sh", "-c", "exit 65", check=4)
    document = json.loads(cli("--home", elsewhere, "status", 1, "--json").stdout)
    command = document["retry"]["command"]
    assert command == f"jobctl --home '{elsewhere}' retry 1"
    folder = os.path.dirname(cli.program[0])
    assert cli.shell(f"PATH={shlex.quote(folder)}:$PATH; {command}").returncode == 0
    explained = json.loads(cli("--home", elsewhere, "explain", 1, "--json").stdout)
    actions = [a for a in (*explained["next"], *(h["action"] for h in explained["holds"])) if a]
    assert actions and all(action.startswith(f"jobctl --home '{elsewhere}' ") for action in actions)


# ---- tokens and lineage ----

TOKEN = ("sh", "-c", 'echo "$1 $JOBCTL_TOKEN" >> tokens; test "$1" != 2 || test -e repaired', "load", "{id}")


def tokens(cli):
    found = {}
    for line in (cli.work / "tokens").read_text().splitlines():
        row, token = line.split()
        found.setdefault(row, []).append(token)
    return found


def test_a_token_stays_through_attempts_and_retries(cli):
    cli.file("rows.csv", ROWS)
    cli("run", "rows.csv", "-q", "--attempts", 3, "--backoff", "10ms", "--", *TOKEN, check=3)
    cli("retry", 1, "-q")
    (cli.work / "repaired").touch()
    cli("daemon", "run", "--drain")
    found = tokens(cli)
    assert [len(found[row]) for row in "123"] == [1, 4, 1]
    assert len(set(found["2"])) == 1
    assert len({token for row in found.values() for token in row}) == 3


def test_a_token_stays_through_a_crash_of_everything(cli):
    cli.file("rows.csv", "id\n1\n")
    cli("daemon", "start")
    script = 'echo "$1 $JOBCTL_TOKEN" >> tokens; test -e repaired || sleep 60'
    cli("submit", "rows.csv", "--", "sh", "-c", script, "load", "{id}")
    wait_until((cli.work / "tokens").exists, PATIENCE_S, "the first attempt")
    engine, supervisor = cli.engine_pid(), cli.daemon_pid()
    os.kill(engine, signal.SIGKILL)
    os.kill(supervisor, signal.SIGKILL)
    (cli.work / "repaired").touch()
    wait_until(lambda: cli.daemon_pid() is None, PATIENCE_S, "the lock to be free")
    cli("daemon", "run", "--drain")
    found = tokens(cli)["1"]
    assert len(found) == 2
    assert len(set(found)) == 1
    assert cli.status(1)["state"] == "succeeded"


@pytest.mark.parametrize("kind", few(["csv", "jsonl"], ["csv"]))
def test_a_row_with_a_key_keeps_its_token_when_its_failed_file_is_submitted(cli, kind):
    cli.file("rows.csv", ROWS)
    cli.file("rows.jsonl", '{"id": "1"}\n{"id": "2"}\n{"id": "3"}\n')
    options = ("-q", "--attempts", 1, "--item-key", "id")
    cli("run", f"rows.{kind}", *options, "--", *TOKEN, check=3)
    for job in (1, 2):
        cli("run", cli.home.job_results(job) / f"failed.{kind}", *options, "--", *TOKEN, check=4)
    found = tokens(cli)["2"]
    assert len(found) == 3
    assert len(set(found)) == 1


def test_where_rows_come_from_is_kept_and_shown(cli):
    cli.file("rows.csv", ROWS)
    cli("run", "rows.csv", "-q", "--attempts", 1, "--", *LOAD, check=3)
    failed = cli.home.job_results(1) / "failed.csv"
    (cli.work / "repaired").touch()
    quiet(cli("run", failed, "-q", "--", *LOAD))
    status = check("status-1", cli.status(2))
    assert (status["input"]["resubmit_of"], status["input"]["resubmit_of_job"]) == (cli.status(1)["uid"], 1)
    assert status["input"]["columns"] == ["id"]
    assert "rows of job 1" in cli("status", 2).stdout
    assert "its rows come from job 1" in cli("explain", 2).stdout
    assert check("explain-1", json.loads(cli("explain", 2, "--json").stdout))["resubmit_of_job"] == 1
    cli("prune", "--older-than", "0s", "--include-failed", "-q")


# ---- look ----


def test_documents_of_real_jobs_are_as_their_schemas_say(cli):
    cli.file("rows.csv", ROWS)
    check("status_list-1", json.loads(cli("status", "--json").stdout))
    cli("submit", "rows.csv", "--hold", "--label", "a=b", "--on-done", "true", "--", "true")
    cli("run", "rows.csv", "-q", "--attempts", 1, "--on-done", "cat > event.json", "--", *LOAD, check=3)
    cli("submit", "rows.csv", "--after", 2, "--", "true")
    document = check("status_list-1", json.loads(cli("status", "--json").stdout))
    assert [job["state"] for job in document["jobs"]] == ["queued", "partial", "paused"]
    for job in (1, 2, 3):
        check("status-1", cli.status(job))
        check("explain-1", json.loads(cli("explain", job, "--json").stdout))
        check("explain-1", json.loads(cli("explain", f"{job}.2", "--json").stdout))
    check("manifest-1", json.loads((cli.home.job_results(2) / "manifest.json").read_bytes()))
    check("event-1", json.loads((cli.work / "event.json").read_bytes()))


def test_explain_says_what_holds_a_job_back(cli):
    cli.file("rows.csv", ROWS)
    first = cli.submit("rows.csv", "--hold", "--", "true")
    later = ("--queue", "night", "--new-queue", "--not-before", "2h")
    second = cli.submit("rows.csv", "--after", first, *later, "--", "true")
    cli("pause", "--queue", "night", "--reason", "until the disk is changed")
    holds = {h["code"]: h for h in json.loads(cli("explain", second, "--json").stdout)["holds"]}
    assert {"daemon_down", "queue_paused", "not_before", "after"} <= set(holds)
    assert "until the disk is changed" in holds["queue_paused"]["message"]
    assert holds["queue_paused"]["action"] == "jobctl resume --queue night"
    assert f"job {first} (paused) succeeds" in holds["after"]["message"]
    assert f"jobctl resume {first}" in cli("explain", first).stdout


def test_bounds_are_said_at_submit_and_by_a_dry_run(cli):
    cli.file("rows.csv", ROWS)
    line = ("rows.csv", "--timeout", "10s", "--attempts", 2, "--backoff", "5s", "--grace", "1s", "-j", 1, "--", "true")
    said = "at most 27s an item (2 attempts, waits and ends included), 1m 21s for the job with 1 at once"
    assert said in cli("submit", *line).stderr
    assert said in cli("submit", "--dry-run", *line).stderr
    assert "no time limit: neither --timeout nor --deadline is set" in cli("submit", "rows.csv", "--", "true").stderr
    deadline = cli("submit", "rows.csv", "--deadline", "1h", "--", "true").stderr
    assert "at most 1h 00m for the job (its deadline)" in deadline


def test_only_new_rows_run_and_bounds_count_those_alone(cli):
    cli.file("rows.csv", ROWS)
    line = ("run", "rows.csv", "-q", "--name", "nightly", "--item-key", "id", "--only-new", "--", "sh", "-c")
    script = ('echo "$1" >> ran', "load", "{id}")
    quiet(cli(*line, *script))
    quiet(cli(*line, *script))
    cli.file("rows.csv", ROWS + "4\n")
    quiet(cli(*line, *script))
    assert sorted((cli.work / "ran").read_text().split()) == ["1", "2", "3", "4"]
    assert [cli.status(job)["counts"]["skipped"] for job in (1, 2, 3)] == [0, 3, 3]


def test_rules_of_a_job_are_changed_while_it_runs(cli):
    cli.file("rows.csv", "id\n" + "".join(f"{n}\n" for n in range(8)))
    cli("daemon", "start", "--slots", 4)
    job = cli.submit("rows.csv", "--slots", 1, "--", "sh", "-c", "test -e go || sleep 60")
    wait_until(lambda: cli.document(job)["counts"]["running"] == 1, PATIENCE_S, "a start")
    cli("set", job, "slots=4", "max-failures=2")
    wait_until(lambda: cli.document(job)["counts"]["running"] == 4, PATIENCE_S, "all slots in use")
    status = cli.status(job)
    assert (status["policy"]["slots"], status["policy"]["max_failures"]) == (4, "2")
    assert "rules changed: slots=4, max-failures=2" in cli("explain", job).stdout
    for setting, said in (
        ("slots=0", "slots=0: 0 is less than 1"),
        ("halt=later", "soon or now"),
        ("x=1", "use one of"),
    ):
        assert said in cli("set", job, setting, check=2).stderr
    assert cli.status(job)["policy"] == status["policy"]
    (cli.work / "go").touch()
    cli("cancel", job, "--now")


@pytest.mark.parametrize(
    "locale", few([{}, {"LC_CTYPE": "C.UTF-8"}, {"LANG": "C.UTF-8"}, {"LC_ALL": "C"}], [{"LC_ALL": "C"}]), ids=str
)
def test_an_item_has_the_locale_of_the_submitter_and_no_other(cli, locale):
    cli.file("rows.csv", "id\nZürich\n")
    cli.env.pop("LANG")
    cli.env |= locale
    cli("run", "rows.csv", "-q", "--", "sh", "-c", 'echo "$1" > row; env > environment', "x", "{id}")
    lines = (cli.work / "environment").read_text().splitlines()
    assert {
        line.partition("=")[0]: line.partition("=")[2] for line in lines if line.startswith(("LC_", "LANG"))
    } == locale
    assert (cli.work / "row").read_text(encoding="utf-8") == "Zürich\n"


@pytest.mark.slow
def test_the_night_of_the_examples(cli):
    """examples/nightly.sh, whose transcript is in the README."""
    script = Path(__file__).parents[2] / "examples" / "nightly.sh"
    done = cli.shell(f"PATH={shlex.quote(os.path.dirname(cli.program[0]))}:$PATH sh {shlex.quote(str(script))}")
    assert (done.returncode, done.stderr) == (0, "")
    for line in (
        "job 1 (orders) failed: ",
        "[exit 4]",
        "x exit_1: order <n>: no tax table for CH (item ",
        "-> jobctl retry 1   ",
        "item 1.9: failed: after ",
        ": order 7009: no tax table for CH\n",
        "succeeded 2 all 240 items succeeded",
        "job 1 is correct",
        "order 7009: 972",
    ):
        assert line in done.stdout
    assert done.stdout.count("[exit ") == 1
    assert "-- ./price {order} {country} {amount}\n\n# It prints nothing" in done.stdout


def test_cancelling_one_item_without_a_daemon_leaves_no_process(cli):
    cli.file("rows.csv", ROWS)
    job = cli.submit("rows.csv", "--", "true")
    cli("cancel", f"{job}.2", "--reason", "wrong row")
    wait_until(lambda: cli.daemon_pid() is None, PATIENCE_S, "the engine to end")
    assert cli.status(job)["counts"]["unprocessed"] == 1
    (entry,) = [e for e in json.loads(cli("explain", f"{job}.2", "--json").stdout)["journal"] if e["item"] == 2]
    assert (entry["event"], entry["reason"], "pid" in entry["actor"]) == ("cancelled", "wrong row", True)
    assert cli.status(job)["counts"]["queued"] == 2  # no daemon has run it meanwhile
    cli("daemon", "run", "--drain")
    assert cli.status(job)["counts"]["succeeded"] == 2
    assert "never tried: wrong row" in cli("explain", f"{job}.2").stdout
    assert (
        Path(cli("results", job, "--unprocessed").stdout.strip()).read_text(encoding="utf-8").endswith(",wrong row\n")
    )


def test_cancelling_several_jobs_without_a_daemon(cli):
    cli.file("rows.csv", ROWS)
    for _ in range(3):
        cli.submit("rows.csv", "--", "true")
    done = cli("cancel", "1-3")
    assert done.stderr == "".join(f"job {job} cancelled\n" for job in (1, 2, 3))


def test_a_daemon_is_next_in_line_behind_an_engine_of_another_job(cli):
    gate, begun = cli.work / "gate", cli.work / "begun"
    cli.file("rows.txt", "only\n")
    run = cli.start("run", "rows.txt", "--shell", f"echo {{}} > begun; until [ -e {gate} ]; do sleep 0.05; done")
    wait_until(begun.exists, 60, "the run to start its items")
    alone = "runs only job 1; when it has ended: jobctl daemon start"
    assert alone in cli("submit", "rows.txt", "--", "true").stderr
    first = cli("submit", "rows.txt", "--start-daemon", "--", "true")
    following = lock.next_in_line(str(cli.home.lock))
    assert f"runs only job 1; process {following} is the daemon after it" in first.stderr
    waiting = cli.start("submit", "rows.txt", "--start-daemon", "--wait", "--", "true")
    wait_until(lambda: cli.rows("SELECT count(*) FROM jobs") == [(4,)], 60, "its acceptance")
    assert lock.next_in_line(str(cli.home.lock)) == following, "one is enough"
    gate.touch()
    run.communicate(timeout=60)
    assert run.returncode == 0
    waiting.communicate(timeout=60)
    assert waiting.returncode == 0
    cli("wait", 2, 3)
    assert cli.daemon_pid() == following
    cli("daemon", "stop")


def test_a_daemon_is_next_in_line_behind_one_that_stops_until_it_is_told_to_stop(cli):
    gate, begun = cli.work / "gate", cli.work / "begun"
    cli.file("rows.txt", "only\n")
    cli("daemon", "start")
    cli.submit("rows.txt", "--shell", f"echo {{}} > begun; until [ -e {gate} ]; do sleep 0.05; done")
    wait_until(begun.exists, 60, "the item to run")
    cli("daemon", "stop", "--timeout", "0s", check=75)
    said = cli("submit", "rows.txt", "--start-daemon", "--", "true").stderr
    following = lock.next_in_line(str(cli.home.lock))
    assert f"the daemon is stopping (process {cli.daemon_pid()}); process {following} is the daemon after it" in said
    cli("daemon", "stop", "--timeout", "0s", check=None)  # the second stop ends the item, at once or a little later
    assert lock.next_in_line(str(cli.home.lock)) is None, "no daemon comes after a stop"
    gate.touch()
    cli("daemon", "stop")
    assert cli.daemon_pid() is None
    assert "queued" in cli("status", 2).stdout


def test_every_document_says_its_schema(cli):
    cli.file("rows.csv", ROWS)
    job = cli.submit("rows.csv", "--hold", "--", "true")
    for words, schema in (
        (("pause", job), "pause"),
        (("pause", "--queue", "default"), "pause"),
        (("resume", "--queue", "default"), "resume"),
        (("set", job, "slots=1"), "set"),
        (("queue", "set", "q", "slots=2"), "queues"),
        (("cancel", job), "cancel"),
        (("retry", job), "retry"),
        (("resume", job), "resume"),
        (("daemon", "stop"), "daemon"),
    ):
        document = json.loads(cli(*words, "--json").stdout)
        assert document["schema"] == f"jobctl.{schema}/1", words


def test_a_retry_of_several_jobs_is_of_all_or_none(cli):
    cli.file("rows.csv", ROWS)
    done, other = cli.submit("rows.csv", "--", "false"), cli.submit("rows.csv", "--hold", "--", "true")
    cli("cancel", done)
    assert f"job {other} is paused, not done" in cli("retry", done, other, check=2).stderr
    assert cli.status(done)["state"] == "cancelled"
