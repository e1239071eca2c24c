"""Functions of a user's module, called by a real daemon: what they return, what they do to their worker, kill -9."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
from collections import Counter

import pytest

from tests.stages import few
from tests.wait import wait_until

MODULE = """
import ctypes, json, os, sys, time
import jobctl

PREPARED = []

def prepare():
    PREPARED.append(os.getpid())

def triple(id):
    return {"id": int(id), "triple": 3 * int(id), "é": None}

def pid(row):
    return os.getpid()

def prepared(row):
    return PREPARED == [os.getpid()]

def broken():
    raise ConnectionError("no database at 10.0.0.7")

def witness(id):
    fd = os.open("witness", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(fd, b"start %d\\n" % int(id))
    for _ in range(3000):
        pass
    os.write(fd, b"end %d\\n" % int(id))
    os.close(fd)

def odd(id, what):
    return globals()["do_" + what](int(id))

def do_nothing(id): print("item", id)
def do_exit(id): sys.exit("enough")
def do_leave(id): os._exit(9)
def do_crash(id): ctypes.string_at(0)
def do_fork(id):
    if pid := os.fork():
        return os.waitpid(pid, 0)[1]
def do_shout(id):
    for _ in range(3000):
        print("x" * 1000)
    print("the end")
def do_move(id):
    os.chdir("/")
    sys.stdout = open(os.devnull, "w")
def do_object(id): return object()
def do_raise(id):
    raise ValueError(f"row {id} is odd")
def do_permanent(id): raise jobctl.Permanent("never")
def do_sleep(id): time.sleep(600)
def do_talk(id):
    print("before", flush=True)
    time.sleep(600)

def once(id):
    try:
        os.close(os.open(f"seen-{id}", os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        return time.time()
    raise jobctl.Retry("not yet", after=0.7)
"""


@pytest.fixture
def called(cli):
    cli.file("tasks.py", MODULE)
    return cli


def numbers(cli, count):
    return cli.file("rows.csv", "id\n" + "".join(f"{n}\n" for n in range(1, count + 1)))


def results(cli, job, name="succeeded"):
    with open(cli.home.job_results(job) / f"{name}.csv", encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def run(cli, *words, check=0):
    """The status document of a job that was run here."""
    return json.loads(cli("run", *words, "--json", check=check).stdout)


@pytest.mark.parametrize("count", few([5_000, 20_000], [5_000]))
def test_thousands_of_calls(called, count):
    numbers(called, count)
    document = run(called, "rows.csv", "--call", "tasks:triple")
    assert document["counts"]["succeeded"] == count
    assert document["call"] == {"target": "tasks:triple", "setup": None, "style": None, "recycle": None}
    assert document["durations"]["attempts"] == count
    rows = results(called, 1)
    assert [int(row["id"]) for row in rows] == list(range(1, count + 1))
    assert all(json.loads(row["jobctl_result"])["triple"] == 3 * int(row["id"]) for row in rows)
    assert {row["jobctl_output"] for row in rows} == {""}
    found = json.loads(called("items", "1", "--json", "--limit", 2).stdout)["items"]
    assert found[1]["result"] == {"id": 2, "triple": 6, "é": None}
    called("verify", "1")


def test_json_rows_and_their_results(called):
    called.file("rows.jsonl", '{"id": 7}\n{"id": 8}\n')
    run(called, "rows.jsonl", "--call", "tasks:triple")
    path = called.home.job_results(1) / "succeeded.jsonl"
    told = [json.loads(line)["_jobctl"]["result"] for line in path.read_text(encoding="utf-8").splitlines()]
    assert told == [{"id": 7, "triple": 21, "é": None}, {"id": 8, "triple": 24, "é": None}]


def test_functions_that_do_not_behave(called):
    kinds = ["exit", "leave", "crash", "fork", "shout", "move", "object", "raise", "permanent"]
    odd = {10 * place: kind for place, kind in enumerate(kinds, 1)}
    lines = [f"{n},{odd.get(n, 'nothing')}\n" for n in range(1, 121)]
    called.file("rows.csv", "id,what\n" + "".join(lines))
    document = run(called, "rows.csv", "--call", "tasks:odd", "--attempts", 2, "--backoff", "0s", check=3)
    failed = {int(row["jobctl_item"]): row for row in results(called, 1, "failed")}
    assert {odd[item] for item in failed} == {"exit", "leave", "crash", "object", "raise", "permanent"}
    said = {odd[item]: (row["jobctl_error_code"], row["jobctl_error_message"]) for item, row in failed.items()}
    assert said["exit"][1].startswith("SystemExit: enough [tasks.py:")
    assert said["leave"][0] == "exit_9"
    assert said["crash"][0] == "sigsegv"
    assert said["object"][1].startswith("TypeError: the function returned a value that is not JSON")
    assert said["raise"][1].startswith("ValueError: row 80 is odd [tasks.py:")
    assert said["permanent"][1].startswith("Permanent: never [tasks.py:")
    tries = {odd[item]: int(row["jobctl_attempts"]) for item, row in failed.items()}
    assert (tries["raise"], tries["permanent"], tries["object"]) == (2, 1, 1)
    retryable = {odd[item]: row["jobctl_retryable"] for item, row in failed.items()}
    assert (retryable["raise"], retryable["permanent"]) == ("true", "false")
    assert document["counts"] | {"succeeded": 114, "failed": 6} == document["counts"]
    for item in (9, 11, 49, 51, 120):
        assert called("logs", f"1.{item}", "--stdout").stdout == f"item {item}\n"
    loud = called("logs", "1.50", "--stdout").stdout
    assert (len(loud.splitlines()), loud[-8:]) == (3001, "the end\n")
    assert "ValueError: row 80 is odd" in called("logs", "1.80", "--stderr").stdout
    groups = {group["message"] for group in document["failures"]["groups"]}
    assert any(message.startswith("ValueError: row <n> is odd [tasks.py:") for message in groups)
    called("verify", "1")


def test_a_wait_that_the_function_asked_for(called):
    numbers(called, 3)
    called("run", "rows.csv", "--call", "tasks:once")
    times = called.rows("SELECT item, attempt, started_at, duration_us FROM attempts ORDER BY item, attempt")
    assert [row[:2] for row in times] == [(n, k) for n in (1, 2, 3) for k in (1, 2)]
    for first, second in zip(times[::2], times[1::2], strict=True):
        assert second[2] - (first[2] + first[3]) >= 700_000
    assert "Retry: not yet" in called.rows("SELECT message FROM attempts WHERE attempt = 1")[0][0]


def test_an_interpreter_that_has_no_jobctl(called):
    other = getattr(sys, "_base_executable", sys.executable)
    if subprocess.run([other, "-c", "import jobctl"], cwd=called.work, stderr=subprocess.DEVNULL).returncode == 0:
        pytest.skip("every Python here has jobctl installed")
    called.file("rows.csv", "id,what\n1,nothing\n2,permanent\n")
    document = run(called, "rows.csv", "--call", "tasks:odd", "--python", other, check=3)
    (group,) = document["failures"]["groups"]
    assert group["message"].startswith("Permanent: never [tasks.py:")
    called("submit", "rows.csv", "--call", "tasks:odd", "--python", "no-such-python", check=2)


def test_workers_are_prepared_and_replaced(called):
    numbers(called, 400)
    run(called, "rows.csv", "--call", "tasks:prepared", "--call-style", "dict", "--call-setup", "tasks:prepare")
    assert {row["jobctl_result"] for row in results(called, 1)} == {"true"}
    run(called, "rows.csv", "--call", "tasks:pid", "--recycle", 40, "--slots", 2)
    calls = Counter(row["jobctl_result"] for row in results(called, 2))
    assert len(calls) >= 10
    assert max(calls.values()) <= 40


def test_a_setup_that_fails_stops_the_job(called):
    numbers(called, 400)
    document = run(
        called, "rows.csv", "--call", "tasks:triple", "--call-setup", "tasks:broken", "--attempts", 1, check=4
    )
    assert document["state"] == "failed"
    assert "in the setup: ConnectionError: no database at 10.0.0.7" in document["state_reason"]
    assert document["counts"]["failed"] <= 8
    assert document["counts"]["unprocessed"] >= 392


def test_a_module_that_is_gone_when_the_job_begins_stops_it(called):
    numbers(called, 400)
    job = called.submit("rows.csv", "--call", "tasks:triple", "--slots", 1)
    (called.work / "tasks.py").unlink()
    called("daemon", "start")
    called("wait", job, check=4)
    document = called.status(job)
    reason = "the function cannot be called: ModuleNotFoundError: No module named 'tasks'"
    assert document["state_reason"].startswith(reason)
    assert document["counts"] | {"failed": 1, "unprocessed": 399} == document["counts"]


def test_what_cannot_be_called_is_not_accepted(called):
    numbers(called, 3)
    for target, said in (
        ("tasks:nothing", "tasks has no 'nothing'"),
        ("taks:triple", "No module named 'taks'"),
        ("tasks:odd", "neither the columns (id) as keyword arguments nor one dict"),
        ("tasks:PREPARED", "is not a function but a list"),
    ):
        refused = called("submit", "rows.csv", "--call", target, check=2)
        assert f"--call {target}: " in refused.stderr
        assert said in refused.stderr
    called("run", "rows.csv", "--call", "tasks:nothing", check=2)
    called("submit", "rows.csv", "--dry-run", "--call", "tasks:nothing", check=2)
    assert not called.home.database.exists()
    preview = called("submit", "rows.csv", "--dry-run", "--call", "tasks:triple").stdout
    assert "tasks:triple id=1" in preview


def test_two_functions_at_once(called):
    numbers(called, 3_000)
    called("daemon", "start", "--slots", 2)
    one = called.submit("rows.csv", "--call", "tasks:triple")
    two = called.submit("rows.csv", "--call", "tasks:pid")
    called("wait", one, two)
    assert json.loads(results(called, one)[0]["jobctl_result"])["triple"] == 3
    assert {row["jobctl_result"].isdigit() for row in results(called, two)} == {True}


def test_a_key_belongs_to_the_function_too(called):
    numbers(called, 3)
    job = called.submit("rows.csv", "--key", "k", "--call", "tasks:pid")
    assert called.submit("rows.csv", "--key", "k", "--recycle", "5", "--call", "tasks:pid") == job
    called("submit", "rows.csv", "--key", "k", "--call", "tasks:pid", "--call-style", "dict", check=8)


def test_a_cancelled_call_is_the_only_one_that_ends(called):
    rows = ["1,talk", *(f"{n},nothing" for n in range(2, 500))]
    called.file("rows.csv", "id,what\n" + "\n".join(rows) + "\n")
    called("daemon", "start", "--slots", 2)
    job = called.submit("rows.csv", "--call", "tasks:odd")
    wait_until(lambda: called.document(job)["counts"]["succeeded"] == 498, 60, "the others to succeed")
    (running,) = called.status(job)["running"]
    assert running["item"] == 1
    assert called("logs", f"{job}.1").stdout.endswith("before\n")
    called("cancel", f"{job}.1", "--now")
    called("wait", job, check=3)
    (failed,) = results(called, job, "failed")
    assert (failed["jobctl_error_code"], failed["jobctl_attempts"]) == ("cancelled", "1")
    assert called("logs", f"{job}.1", "--stdout").stdout == "before\n"


def test_a_time_limit_is_that_of_one_call(called):
    rows = [f"{n},{'sleep' if n == 300 else 'nothing'}" for n in range(1, 601)]
    called.file("rows.csv", "id,what\n" + "\n".join(rows) + "\n")
    document = run(called, "rows.csv", "--call", "tasks:odd", "--timeout", "0.4", "--attempts", 1, check=3)
    assert document["counts"] | {"succeeded": 599, "failed": 1} == document["counts"]
    (failed,) = results(called, 1, "failed")
    assert (failed["id"], failed["jobctl_error_code"]) == ("300", "timeout")
    assert float(failed["jobctl_duration_s"]) >= 0.4


# kill -9 amid 20,000 calls.


def witnessed(cli, word):
    path = cli.work / "witness"
    if not path.exists():
        return []
    lines = [line.split() for line in path.read_text(encoding="utf-8").splitlines()]
    return [int(item) for said, item in lines if said == word]


def begin(cli, count=20_000):
    numbers(cli, count)
    cli("daemon", "start", "--slots", 2)
    job = cli.submit("rows.csv", "--call", "tasks:witness")
    wait_until(lambda: cli.rows("SELECT succeeded FROM jobs")[0][0] > count // 20, 60, "the first calls to be recorded")
    return job


def check(cli, job):
    interrupted = Counter(item for (item,) in cli.rows("SELECT item FROM attempts WHERE job = ? AND ending = 4", job))
    starts = Counter(witnessed(cli, "start"))
    assert all(times <= 1 + interrupted[item] for item, times in starts.items())
    assert set(witnessed(cli, "end")) == set(range(1, 20_001))
    assert cli.status(job)["counts"]["succeeded"] == 20_000
    cli("verify", job)
    return interrupted


def test_a_killed_engine_loses_no_call_and_repeats_none(called):
    job = begin(called)
    first = called.engine_pid()
    os.kill(first, signal.SIGKILL)
    wait_until(lambda: called.engine_pid() != first, 60, "a new engine")
    called("wait", job)
    assert not check(called, job)


@pytest.mark.parametrize("victims", few(["supervisor", "both"], ["both"]))
def test_after_the_death_of_the_supervisor_the_calls_continue(called, victims):
    job = begin(called)
    supervisor, engine = called.daemon_pid(), called.engine_pid()
    os.kill(supervisor, signal.SIGKILL)
    if victims == "both":
        os.kill(engine, signal.SIGKILL)
    wait_until(lambda: called.daemon_pid() is None, 60, "the lock to be free")
    called("daemon", "start", "--slots", 2)
    called("wait", job)
    # What had ended is recorded; no more than the groups that the two workers had just then is not known.
    assert len(check(called, job)) <= 2 * 512


def test_at_most_once_it_is_known_of_every_call_whether_it_began(called):
    called.file("rows.csv", "id,what\n" + "".join(f"{n},{'nothing' if n < 600 else 'talk'}\n" for n in range(1, 1001)))
    called("daemon", "start", "--slots", 2)
    job = called.submit("rows.csv", "--on-crash", "fail", "--call", "tasks:odd")
    wait_until(lambda: called.document(job)["counts"]["succeeded"] == 599, 60, "the quick calls to be recorded")
    wait_until(lambda: len(called.document(job)["running"]) == 2, 60, "two processes that stay")
    os.kill(called.daemon_pid(), signal.SIGKILL)
    wait_until(lambda: called.daemon_pid() is None, 60, "the lock to be free")
    called("daemon", "start", "--slots", 2)
    wait_until(lambda: called.document(job)["counts"]["failed"], 60, "the running items to get their outcomes")
    counts = called.status(job)["counts"]
    assert (counts["failed"], counts["succeeded"]) == (2, 599)  # and not all that the workers had been given
    called("cancel", job, "--now")
