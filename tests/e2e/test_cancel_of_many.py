"""Without a daemon, one cancel ends many jobs, and starts one engine after the other as long as some are left."""

from __future__ import annotations


def test_one_cancel_ends_many_jobs_without_a_daemon(cli):
    cli.file("rows.txt", "a\nb\n")
    jobs = [cli.submit("rows.txt", "--", "true", "{}") for _ in range(4)]
    cli("cancel", "--all", "--yes")
    assert cli.rows("SELECT id, state, unprocessed FROM jobs ORDER BY id") == [(job, "cancelled", 2) for job in jobs]
    for job in jobs:
        cli("verify", job)
