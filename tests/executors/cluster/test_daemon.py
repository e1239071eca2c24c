"""The whole of it: the command line, a daemon, workers started by ``jobctl worker``."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator

import pytest

from tests.e2e.conftest import Cli, cli  # noqa: F401 - a fixture
from tests.executors.cluster.rig import Cluster, end
from tests.supervisor.processes import alive, marker
from tests.wait import wait_until


@pytest.fixture
def worker(cli: Cli, cluster: Cluster) -> Iterator[subprocess.Popen[str]]:  # noqa: F811
    """Start a worker of our own in addition to those of the cluster, and the daemon."""
    worker = cli.start("worker", "--scheduler-file", cluster.file, "--slots", 2, "--spool", cli.work / "spool")
    cli("daemon", "start", "--executor", "dask", "--scheduler-file", cluster.file)
    yield worker
    end(worker)


def test_a_new_daemon_finds_the_items_of_a_killed_one_and_settles_them_once(
    cli: Cli,  # noqa: F811
    cluster: Cluster,
) -> None:
    gate, mark = cli.work / "gate", marker()
    cli.file("rows.txt", "first\nsecond\n")
    cli("daemon", "start", "--executor", "dask", "--scheduler-file", cluster.file)
    script = f"echo $JOBCTL_SLOT >> begun; echo early; until [ -e {gate} ]; do sleep 0.05; done; echo late; : {mark}"
    job = cli.submit("rows.txt", "--shell", script)
    begun = cli.work / "begun"
    wait_until(lambda: begun.exists() and len(begun.read_text().splitlines()) == 2, 60, "both items to begin")
    wait_until(lambda: [r["host"] for r in cli.document(job)["running"]] == [os.uname().nodename] * 2, 60, "hosts")
    follower = cli.start("logs", f"{job}.2", "--follow")
    assert follower.stdout is not None
    assert follower.stdout.readline() == "early\n", "what it wrote so far is brought here while it runs"
    for pid in (cli.engine_pid(), cli.daemon_pid()):
        os.kill(pid, signal.SIGKILL)
    wait_until(lambda: cli.daemon_pid() is None, 60, "the end of the daemon")
    gate.touch()
    cli("daemon", "start", "--executor", "dask", "--scheduler-file", cluster.file)
    cli("wait", job)
    assert sorted(begun.read_text().split()) == ["1", "2"], "their slots, each once"
    assert cli.rows("SELECT item, attempt, ending FROM attempts WHERE job = ?", job) == [(1, 1, 0), (2, 1, 0)]
    assert cli("logs", job).stdout.count("early\nlate\n") == 2
    assert follower.communicate(timeout=60)[0] == "late\n"
    cli("daemon", "stop")
    assert not alive(mark)


@pytest.mark.slow
def test_items_that_a_killed_daemon_left_on_the_cluster_do_not_run_here_too(
    cli: Cli,  # noqa: F811
    cluster: Cluster,
) -> None:
    gate, begun = cli.work / "gate", cli.work / "begun"
    cli.file("rows.txt", "only\n")
    cli("daemon", "start", "--executor", "dask", "--scheduler-file", cluster.file)
    job = cli.submit("rows.txt", "--shell", f"echo {{}} >> begun; until [ -e {gate} ]; do sleep 0.05; done")
    wait_until(begun.exists, 60, "it to begin")
    for pid in (cli.engine_pid(), cli.daemon_pid()):
        os.kill(pid, signal.SIGKILL)
    wait_until(lambda: cli.daemon_pid() is None, 60, "the end of the daemon")
    again = f"jobctl daemon start --executor dask --scheduler-file {cluster.file}"
    other = Cluster(cli.work)
    try:
        other.start_scheduler()
        assert again in cli("daemon", "start", "--scheduler-file", other.file, check=1).stderr
    finally:
        other.close()
    for words in (["daemon", "start"], ["daemon", "run"], ["run", "rows.txt", "--", "true"], ["cancel", job]):
        assert again in cli(*words, check=75).stderr, words
    assert cli.rows("SELECT count(*) FROM jobs") == [(1,)], "run accepts nothing that it cannot work off"
    assert again in cli("doctor", check=None).stdout
    assert begun.read_text() == "only\n"
    cli(*again.split()[1:])
    cli("wait", job, check=5)
    assert begun.read_text() == "only\n"
    cli("daemon", "stop")
    cli("daemon", "start")
    cli("daemon", "stop")


@pytest.mark.slow
def test_a_daemon_that_a_submission_starts_is_on_the_cluster_of_the_settings(
    cli: Cli,  # noqa: F811
    cluster: Cluster,
) -> None:
    cli.file("rows.txt", "only\n")
    cli.file("jobctl.toml", '[daemon]\nexecutor = "dask"\nscheduler-file = "absent.json"\n')
    cli("config", "trust")
    refused = cli("submit", "rows.txt", "--start-daemon", "--", "true", check=1)
    assert "absent.json" in refused.stderr
    cli.file("jobctl.toml", f'[daemon]\nexecutor = "dask"\nscheduler-file = "{cluster.file}"\n')
    cli("config", "trust")
    cli("submit", "rows.txt", "--start-daemon", "--wait", "--", "sh", "-c", "echo $JOBCTL_SLOT")
    assert cli.rows("SELECT value FROM meta WHERE key = 'cluster'") == [(f'["cluster.scheduler_file={cluster.file}"]',)]
    cli("daemon", "stop")


@pytest.mark.slow
def test_a_worker_that_is_told_to_stop_ends_its_items_and_the_job_continues(
    cli: Cli,  # noqa: F811
    worker: subprocess.Popen[str],
) -> None:
    wait_until(lambda: "of 10" in cli("daemon", "status").stdout, 60, "its two slots")
    cli.file("rows.txt", "".join(f"{n}\n" for n in range(10)))
    gate = cli.work / "gate"
    job = cli.submit("rows.txt", "--", "sh", "-c", f"until [ -e {gate} ]; do sleep 0.05; done")
    wait_until(lambda: len(cli.document(job)["running"]) == 10, 60, "all slots")
    worker.terminate()
    assert worker.wait(60) == 0
    wait_until(
        lambda: cli.rows("SELECT count(*) FROM attempts WHERE ending = 4") == [(2,)], 60, "two interrupted items"
    )
    gate.touch()
    cli("wait", job)
    assert cli.status(job)["counts"]["succeeded"] == 10
    cli("daemon", "stop")
