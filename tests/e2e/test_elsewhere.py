"""A store that says that a cluster has its items, without any cluster."""

import json
import os
import signal

from jobctl.store.opening.open import open_database
from tests.wait import wait_until


def test_a_start_here_is_refused_until_the_cluster_is_forgotten(cli):
    gate, begun = cli.work / "gate", cli.work / "begun"
    cli.file("rows.txt", "only\n")
    cli("daemon", "start")
    job = cli.submit("rows.txt", "--shell", f"echo {{}} >> begun; until [ -e {gate} ]; do sleep 0.05; done")
    wait_until(begun.exists, 60, "it to begin")
    for pid in (cli.engine_pid(), cli.daemon_pid()):
        os.kill(pid, signal.SIGKILL)
    wait_until(lambda: cli.daemon_pid() is None, 60, "the end of the daemon")
    database = open_database(cli.home)
    with database.transaction():
        values = [("executor", "fence"), ("cluster", json.dumps(["cluster.scheduler=tls://gone:8786"]))]
        database.executemany("INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)", values)
    database.close()
    refused = cli("daemon", "start", check=75).stderr
    assert "1 item may still run on a cluster (tls://gone:8786)" in refused
    assert "jobctl daemon start --forget-cluster" in refused
    cli.file("more.txt", "later\n")
    cli("submit", "more.txt", "--start-daemon", "--", "true", check=75)
    gate.touch()
    cli("daemon", "start", "--forget-cluster")
    cli("wait", job)
    assert cli.rows("SELECT attempt, ending FROM attempts WHERE job = ? ORDER BY attempt", job) == [(1, 4), (2, 0)]
    cli("daemon", "stop")
    cli("daemon", "start")
    cli("daemon", "stop")
