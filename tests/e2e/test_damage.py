"""A damaged row of a job with a real daemon: it is held and said, the others run, it can be cancelled."""

from __future__ import annotations

import pytest

from jobctl.store.opening.open import open_database
from tests.stages import few
from tests.wait import wait_until


def hurt(cli, column, value, job):
    """Put a bad value where a hand or an older version may have left it."""
    database = open_database(cli.home)
    try:
        with database.transaction():
            database.execute(f"UPDATE jobs SET {column} = ?, revision = revision + 1 WHERE id = ?", (value, job))
    finally:
        database.close()


@pytest.mark.parametrize("running", few([False, True], [True]), ids=["before the daemon starts", "under a daemon"])
def test_the_engine_holds_damaged_jobs_and_runs_the_others(cli, running):
    cli.file("rows.txt", "a\nb\n")
    bad = {
        "not_before_at": 253_402_343_999_000_000,
        "policy": "no json",
        "command": "{",
        "columns": "[1]",
        "env": "[]",
        "after": '["x"]',
        "deadline_at": "soon",
        "labels": "{",
        "handler": "list",
    }
    jobs = {column: cli.submit("rows.txt", "--hold", "--shell", f"echo {column} >> ran") for column in bad}
    if running:
        cli("daemon", "start")
    for column, job in jobs.items():
        hurt(cli, column, bad[column], job)
        hurt(cli, "paused_at", None, job)
        hurt(cli, "state", "queued", job)
    if not running:
        cli("daemon", "start")
    sound = cli.submit("rows.txt", "--shell", "echo sound >> ran")
    wait_until(lambda: cli.document(sound)["done"], 90, "the sound job to end")
    assert cli.status(sound)["state"] == "succeeded"
    assert set((cli.work / "ran").read_text().split()) <= {"sound", "labels"}
    for column, job in jobs.items():
        document = cli.status(job)
        assert column in document["state_reason"], document["state_reason"]
        assert document["attention"][-1]["code"] == "damaged" or "damaged" in str(document["attention"])
    for job in jobs.values():
        cli("cancel", job)
    wait_until(lambda: all(cli.status(job)["done"] for job in jobs.values()), 90, "the damaged jobs to be cancelled")
    again = cli.submit("rows.txt", "--", "true")
    wait_until(lambda: cli.document(again)["done"], 90, "another job to end")
    assert cli.status(again)["state"] == "succeeded"
