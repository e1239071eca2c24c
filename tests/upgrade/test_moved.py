"""A release whose modules have other names than those that a running daemon of the release before will import."""

import re

import pytest

from tests.engine.receiver import Receiver
from tests.upgrade.test_upgrade import begin, cli, kill_engine, log, release, witnessed
from tests.wait import wait_until

__all__ = ["cli", "release"]

UPGRADED = "jobctl was upgraded under this daemon"
FUNCTION = "def double(row):\n    return {'twice': 2 * int(row['id'])}\n"


@pytest.fixture
def receiver():
    made = Receiver()
    yield made
    made.close()


def use_names_of_before(release):
    """The names that 0.1.0 gave to the modules that its daemon imports only when it needs them."""
    for module, now, before in (
        ("supervisor/attempts.py", "supervisor.calls.kept_calls import", "process.kept_calls import"),
        (
            "supervisor/attempts.py",
            "supervisor.calls.pool import WorkerPool  #",
            "engine.supervisor_calls import Calls as WorkerPool  #",
        ),
    ):
        release.change(module, re.escape(f"jobctl.{now}"), f"jobctl.{before}")
    late = "__import__('jobctl.engine.delivery', fromlist=['deliver']).deliver"
    release.change("engine/notifier.py", re.escape("self._deliver(sending"), f"{late}(sending")


def use_names_of_now(release):
    """The files are those of the new release, and what runs keeps the names that it was started with."""
    for module in ("supervisor/attempts.py", "engine/notifier.py"):
        release.restore(module)
    release.speak_another_wire()


def test_calls_wait_for_the_new_release_if_the_daemon_never_made_one(cli, release):
    use_names_of_before(release)
    begin(cli, "--on-crash", "fail")
    use_names_of_now(release)
    cli.file("work.py", FUNCTION)
    cli.file("ids.csv", "id\n1\n2\n3\n")
    cli.submit("ids.csv", "--call", "work:double")
    wait_until(lambda: UPGRADED in log(cli), 60, "the upgrade to be noticed")
    (cli.work / "go").touch()
    cli("wait", 2)
    assert cli.status(2)["counts"]["succeeded"] == 3
    cli("wait", 1)
    assert witnessed(cli, "end") == list(range(1, 31)), "each item of the other job ended once"
    cli("verify", 1)
    cli("verify", 2)


def test_a_notification_waits_for_the_new_release_if_the_daemon_never_sent_one(cli, release, receiver):
    use_names_of_before(release)
    cli("daemon", "start")
    use_names_of_now(release)
    cli.file("ids.csv", "id\n1\n")
    cli.submit("ids.csv", "--notify", receiver.url("/200"), "--", "true")
    assert receiver.arrived.acquire(timeout=120), "the notification arrives"
    assert UPGRADED in log(cli)
    assert len(receiver.requests) == 1, "it is delivered once"


def test_a_supervisor_of_before_finds_the_new_worker(cli, release):
    """It starts a file under the name that it knows."""
    release.change("supervisor/job_plan.py", r'"worker", "main\.py"', '"engine", "worker.py"')
    cli.file("work.py", FUNCTION)
    cli.file("ids.csv", "id\n1\n2\n3\n")
    cli("daemon", "start")
    cli.submit("ids.csv", "--call", "work:double")
    cli("wait", 1)
    assert cli.status(1)["counts"]["succeeded"] == 3


def test_a_daemon_of_before_starts_again_by_the_name_that_it_was_started_with(cli, release):
    release.change(
        "process/start_options.py",
        r'python_argv\("jobctl\.supervisor\.main"\)',
        'python_argv("jobctl.engine.supervisor_start")',
    )
    begin(cli, "--on-crash", "fail")
    release.restore("process/start_options.py")
    release.speak_another_wire()
    kill_engine(cli)
    wait_until(lambda: UPGRADED in log(cli), 60, "the upgrade to be noticed")
    (cli.work / "go").touch()
    cli("wait", 1)
    assert witnessed(cli, "end") == list(range(1, 31))
    cli("verify", 1)
