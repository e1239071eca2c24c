"""A job whose row cannot be read: every list says what is wrong with it, and still shows the other jobs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from jobctl import store as jobctl_store
from jobctl.store import jobs, journal
from jobctl.store.views import jobs as job_views
from tests.factories import SECOND, SUBMITTED_AT
from tests.schemas import check

#: Of each column, what a hand or an older version may have left there. The year 10000 was taken by --not-before.
DAMAGE = (
    ("not_before_at", 253_402_343_999_000_000),
    ("not_before_at", -(1 << 62)),
    ("not_before_at", "soon"),
    ("deadline_at", 1 << 62),
    ("submitted_at", 1 << 62),
    ("started_at", 1 << 62),
    ("paused_at", "yesterday"),
    ("policy", "no json"),
    ("policy", "[]"),
    ("policy", '{"slots": "many"}'),
    ("policy", '{"backoff": {"base_s": "x"}}'),
    ("policy", '{"backoff": 3}'),
    ("policy", '{"max_failures": "lots"}'),
    ("policy", '{"rate": "0.00000000000000000000000000001/s"}'),
    ("policy", '{"resources": 5}'),
    ("policy", '{"timeout_s": 1e308}'),
    ("policy", "[" * 100_000),
    ("labels", "{"),
    ("labels", '["a"]'),
    ("labels", '{"a": 1}'),
    ("command", "{"),
    ("command", "7"),
    ("columns", "null"),
    ("columns", "[1]"),
    ("after", "[[]]"),
    ("after", '["x"]'),
    ("env", "[]"),
    ("env_names", "{}"),
    ("input_dialect", "[]"),
    ("work_options", "7"),
    ("results", "{"),
    ("results", '{"files": 3}'),
    ("rate_per_s", "fast"),
    ("mean_us", b"\xff"),
    ("name", b"caf\xe9"),
    ("queue", b"caf\xe9"),
    ("input_path", b"caf\xe9.csv"),
    ("cwd", b"/caf\xe9"),
    ("handler", "list"),  # a newer version may have it
    ("handler", 7),
)
#: Not damage: paths that are not UTF-8 are kept as bytes.
CARRIED = {("input_path", b"caf\xe9.csv"), ("cwd", b"/caf\xe9")}
LISTS = (
    ("status",),
    ("status", "--all"),
    ("status", "--json"),
    ("status", "--plain"),
    ("doctor",),
    ("metrics",),
    ("queue", "list"),
    ("prune", "--dry-run"),
)
ONE = (
    ("status", "{}"),
    ("status", "{}", "--json"),
    ("explain", "{}"),
    ("items", "{}"),
    ("items", "{}", "--json"),
    ("wait", "{}", "--timeout", "0"),
    ("report", "{}", "-o", "-"),
    ("logs", "{}"),
    ("retry", "{}"),
    ("notify", "list"),
    ("cancel", "{}"),
)


#: Tried in every run of the tests; the others take a while together.
_ALWAYS = (0, 7, 11, 17, 20, 26, 34, 38)
_CASES = [
    pytest.param(*case, marks=() if place in _ALWAYS else pytest.mark.slow, id=f"{case[0]}-{str(case[1])[:40]}")
    for place, case in enumerate(DAMAGE)
]


@pytest.mark.parametrize(("column", "value"), _CASES)
@pytest.mark.parametrize("done", [False, pytest.param(True, marks=pytest.mark.slow)], ids=["live", "done"])
def test_one_damaged_row_takes_nothing_down(store, home, jobctl, column, value, done):
    ended = {"started_at": SUBMITTED_AT, "finished_at": SUBMITTED_AT + 9 * SECOND}
    other = store.job("q", name="other")
    job = store.job("sf", name="hurt", state="partial", **ended) if done else store.job("qq", name="hurt")
    with store.database.transaction():
        store.database.execute(f"UPDATE jobs SET {column} = ? WHERE id = ?", (value, job))
    document = jobctl("status", "--all", "--json").document
    check("status-1", next(each for each in document["jobs"] if each["job"] == job))
    assert {each["job"] for each in document["jobs"]} == {other, job}
    told = next(each for each in document["jobs"] if each["job"] == job)
    if (column, value) not in CARRIED:
        assert "damaged" in [found["code"] for found in told["attention"]]
        assert column in told["state_reason"]
    assert json.dumps(document).isascii() or "\udce9" not in json.dumps(document, ensure_ascii=False)
    for words in (*LISTS, *ONE):
        said = jobctl(*(word.format(job) for word in words))
        assert "bug in jobctl" not in said.err, (words, said.err)
        assert said.code in (0, 1, 2, 3, 5, 9, 75, 124), (words, said.err)
        assert said.code != 1 or words[0] == "doctor", (words, said.err)
        assert said.code != 2 or words[0] == "retry", (words, said.err)


def test_the_line_of_a_damaged_job_says_so_and_has_its_number(store, jobctl):
    store.job("q", name="fine")
    job = store.job("q", name="hurt", not_before_at=253_402_343_999_000_000)
    shown = jobctl("status")
    assert shown.code == 0
    assert "fine" in shown.out
    line = next(line for line in shown.out.splitlines() if line.lstrip().startswith(str(job)))
    assert "hurt" in line
    assert f"job {job}" in shown.err
    assert "not_before_at is a time that no calendar shows" in shown.err


def test_completion_and_suggestions_leave_out_a_name_that_is_not_text(store, home, jobctl, capfd, monkeypatch):
    from jobctl.cli.completion.answers import complete

    job = store.job("q", name="hurt")
    store.job("q", name="fine")
    with store.database.transaction():
        store.database.execute("UPDATE jobs SET name = ?, queue = ? WHERE id = ?", (b"caf\xe9", b"\xff", job))
    for kind in ("jobs", "items", "queues"):
        for beginning in ("", "1", "9" * 5_000, "9" * 5_000 + ".", "\udcff", "١."):
            complete([kind, "--home", str(home.root), "--", beginning])
    assert "fine" in capfd.readouterr().out
    done = jobctl("status", "fien")
    assert done.code == 9
    assert "fine" in done.err


def test_doctor_names_a_damaged_job(store, jobctl):
    store.job("q")
    job = store.job("q", policy="{")
    said = jobctl("doctor")
    assert f"job {job}" in said.out
    assert "policy" in said.out


def test_readable_parts_of_a_policy_stay_and_set_repairs_the_others(store, home, jobctl):
    job = store.job("q", policy=json.dumps({"slots": 7, "rate": "1/x"}))
    row = jobs.load(store.database, job)
    assert row is not None
    assert row.policy.slots == 7
    assert row.damage == "policy has no valid rate"
    assert jobctl("set", job, "rate=5/s").code == 0
    repaired = job_views.job(store.database, job)
    assert repaired is not None
    assert repaired.damage == ""
    assert json.loads(repaired.policy)["slots"] == 7
    assert json.loads(repaired.policy)["rate"] == "5/s"


TABLES = ("items", "attempts", "failures", "journal", "queues", "daemon", "leftovers", "undone")
#: What no command writes into a column, whatever its type.
CELLS = {
    "a text": "zz",
    "bytes": b"\xff\xfe",
    "text that is not UTF-8": None,
    "nested": "[" * 5_000,
    "infinite": float("inf"),
    "negative": -(1 << 63),
    "huge": (1 << 63) - 1,
}
#: Without these a row is another row.
_KEYS = {"job", "item", "attempt", "id"}


def _columns():
    schema = (Path(jobctl_store.__file__).parent / "schema.sql").read_text()
    for table in TABLES:
        body = schema.partition(f"CREATE TABLE {table} (")[2].partition("\n)")[0]
        for line in body.splitlines():
            name = line.strip().partition(" ")[0].strip('"')
            if name and name.islower() and name not in _KEYS:
                yield pytest.param(table, name, marks=() if name in _QUICK else pytest.mark.slow, id=f"{table}.{name}")


_QUICK = {"heartbeat_at"}


@pytest.mark.parametrize(("table", "column"), list(_columns()))
def test_a_damaged_cell_of_any_other_table_breaks_no_command(store, home, jobctl, table, column):
    store.job("q", name="other")
    job = store.job("sfqtr", name="hurt", state="running", started_at=SUBMITTED_AT)
    store.failure(job, 1, samples="[2]")
    store.daemon()
    with store.database.transaction():
        journal.note(store.database, job, "submitted", at=SUBMITTED_AT, actor="me")
        store.database.execute("INSERT INTO queues (name, slots, rate) VALUES ('default', 2, '1/s')")
        store.database.execute("INSERT INTO leftovers VALUES (?, 2, 1, 1, 'sleep')", (job,))
    store.database.execute("PRAGMA ignore_check_constraints=ON")
    for value in CELLS.values():
        with store.database.transaction():
            cell, values = ("?", [value]) if value is not None else ("CAST(x'636166e9' AS TEXT)", [])
            store.database.execute(f"UPDATE {table} SET {column} = {cell}", values)
        for words in (*LISTS, *ONE[:-1], ("daemon", "status"), ("export", "{}", "--joblog"), ("explain", "{}.2")):
            if words[0] in ("retry", "prune"):
                continue
            said = jobctl(*(word.format(job) for word in words))
            assert "bug in jobctl" not in said.err, (value, words, said.err)
            assert said.code in (0, 2, 3, 5, 9, 75, 124) or words[0] == "doctor", (value, words, said.out, said.err)


@pytest.mark.parametrize("command", ["[", "[]", '["prog"]', '"text"'])
def test_a_call_without_a_function_is_shown_with_the_other_jobs(store, jobctl, command):
    bad = store.job("q", handler="call", command=command)
    other = store.job("q")
    for words in (
        ["status", "--json"],
        ["status"],
        ["status", str(bad)],
        ["explain", str(bad)],
        ["status", str(other)],
    ):
        found = jobctl(*words)
        assert "bug in jobctl" not in found.err, (words, found.err)
