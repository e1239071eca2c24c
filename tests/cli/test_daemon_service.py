"""The daemon as a service: its unit, its log, what its status says."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from jobctl.config import Home
from jobctl.domain.addresses import Address
from jobctl.services.daemon.log import follow, last_lines
from jobctl.services.daemon.serve_unit import ServeUnit
from jobctl.services.daemon.service_unit import Unit
from tests.locks import held_lock
from tests.schemas import check_named

ROOT = Path(__file__).parents[2]


def test_install_writes_a_unit_once_and_leaves_a_foreign_one_alone(
    jobctl, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    path = tmp_path / "systemd" / "user" / "jobctl.service"
    assert jobctl("daemon", "install", "--slots", "3").code == 0
    text = path.read_text()
    assert "Type=notify" in text
    assert f"{sys.executable} -P -m jobctl --home" in text
    assert "daemon run --slots 3" in text
    assert jobctl("daemon", "install", "--slots", "3", "--json").document == {
        "schema": "jobctl.unit/1",
        "path": str(path),
        "changed": False,
    }
    refused = jobctl("daemon", "install")
    assert refused.code == 2
    assert "--force" in refused.err
    assert path.read_text() == text
    assert jobctl("daemon", "install", "--force").code == 0
    assert jobctl("daemon", "install", "--print").out == path.read_text()
    assert jobctl("daemon", "install", "--name", "../x").code == 2


def test_a_path_with_everything_in_it_is_quoted() -> None:
    text = Unit(Path('/srv/50% of "$x" \\y')).text()
    assert '--home "/srv/50%% of \\"$$x\\" \\\\y" daemon run' in text


def test_systemd_understands_the_unit(tmp_path: Path) -> None:
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("systemd is not installed")
    unit = tmp_path / "jobctl.service"
    unit.write_text(Unit(tmp_path / "a store", 2).text())
    env = {**os.environ, "XDG_RUNTIME_DIR": str(tmp_path), "MANPATH": str(ROOT / "man")}
    said = subprocess.run([program, "--user", "verify", unit], env=env, capture_output=True, text=True)
    # It tells of units of this machine too, and of man when that is not installed.
    wrong = [line for line in said.stderr.splitlines() if unit.name in line and "man jobctl-daemon" not in line]
    assert not wrong
    served = ServeUnit(tmp_path / "a store", str(tmp_path / "a 100% store" / "s"), (Address("::1", 8421),))
    files = [tmp_path / "jobctl-serve.service", tmp_path / "jobctl-serve.socket"]
    for path, text in zip(files, (served.service_text(), served.socket_text()), strict=True):
        path.write_text(text)
    said = subprocess.run([program, "--user", "verify", *files], env=env, capture_output=True, text=True)
    wrong = [line for line in said.stderr.splitlines() if "jobctl-serve." in line and "man jobctl-serve" not in line]
    assert not wrong


def test_install_serve_writes_a_service_and_its_socket(
    jobctl, home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    folder = tmp_path / "systemd" / "user"
    done = jobctl("daemon", "install", "--serve")
    assert done.code == 0 and "enable --now jobctl-serve.socket" in done.err
    socket = (folder / "jobctl-serve.socket").read_text()
    assert f"ListenStream={home.serve_socket}\nListenStream=127.0.0.1:8421\n" in socket
    assert "jobctl --home" in (folder / "jobctl-serve.service").read_text()
    again = jobctl("daemon", "install", "--serve", "--json").document
    assert (again["changed"], again["socket"]["changed"]) == (False, False)
    shown = check_named(jobctl("daemon", "install", "--serve", "--print", "--json").document)
    assert shown["socket"]["text"] == socket
    assert jobctl("daemon", "install", "--serve", "--slots", "2").code == 2


@pytest.fixture
def log(home: Home) -> Path:
    home.root.mkdir(mode=0o700)
    home.daemon_log.write_text("2026-11-23T18:28:31Z supervisor: one\ntwo\n2026-11-23T18:28:32Z three\n")
    return home.daemon_log


def test_last_lines_and_the_log_before(jobctl, log: Path) -> None:
    log.with_name("daemon.log.1").write_text("earlier\nlater\n")
    assert jobctl("daemon", "logs", "-n", "1").out == "2026-11-23T18:28:32Z three\n"
    assert last_lines(log, 4) == ["later", "2026-11-23T18:28:31Z supervisor: one", "two", "2026-11-23T18:28:32Z three"]
    assert len(jobctl("daemon", "logs", "--all").out.splitlines()) == 5
    log.write_text("".join(f"{number}\n" for number in range(50_000)))
    assert last_lines(log, 3) == ["49997", "49998", "49999"]


def test_lines_as_json(jobctl, log: Path) -> None:
    document = jobctl("daemon", "logs", "--json").document
    assert (document["schema"], document["log"]) == ("jobctl.daemon_log/1", str(log))
    assert document["lines"][0] == {"at": "2026-11-23T18:28:31Z", "source": "supervisor", "message": "one"}
    assert document["lines"][1] == {"at": None, "source": None, "message": "two"}


def test_following_goes_over_to_a_new_log(log: Path) -> None:
    lines = follow(log)
    found: list[str] = []
    begun = threading.Event()

    def read() -> None:
        begun.set()
        found.extend(next(lines) for _ in range(3))

    reader = threading.Thread(target=read)
    reader.start()
    begun.wait()
    # Written again and again until it is seen: where following begins is not ours to know.
    while not found:
        with log.open("a") as file:
            file.write("x\n")
        reader.join(0.05)
    log.rename(log.with_name("daemon.log.1"))
    log.write_text("new\nnew\nnew\n")
    reader.join(60)
    assert not reader.is_alive()
    lines.close()
    assert set(found) <= {"x", "new"}


def test_no_log_says_where_it_may_be(jobctl) -> None:
    said = jobctl("daemon", "logs")
    assert said.code == 9
    assert "journalctl --user -u jobctl" in said.err


def test_status_has_figures_up_and_down(jobctl, tmp_path: Path) -> None:
    rows = tmp_path / "rows.txt"
    rows.write_text("1\n2\n")
    jobctl("submit", rows, "--queue", "lane", "--new-queue", "--hold", "--", "true")
    down = jobctl("daemon", "status", "--json").document
    assert (down["state"], down["memory"]) == ("down", {"supervisor_bytes": None, "engine_bytes": None})
    assert jobctl("daemon", "start", "-j", "2").code == 0
    try:
        up = jobctl("daemon", "status", "--json").document
        assert up["slots"] == 2
        assert up["database_bytes"] > 0
        assert {queue["name"]: queue["jobs"] for queue in up["queues"]} == {"default": 0, "lane": 1}
        if sys.platform == "linux":
            assert min(up["memory"].values()) > 1 << 20
        text = jobctl("daemon", "status").out
        assert "queue   lane: 1 job, 2 waiting" in text
        assert "memory" in text
    finally:
        jobctl("daemon", "stop", "--now")


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"state": "draining"}, "is stopping: running items finish"),
        ({"scope": "7"}, "runs only job 7, and the other jobs have no daemon"),
        ({}, "a daemon already runs for this store"),
    ],
)
def test_start_says_which_process_has_the_store(jobctl, store, home, row, said):
    with held_lock(home) as pid:
        store.daemon(**({"pid": pid, "heartbeat_at": time.time_ns() // 1000} | row))
        done = jobctl("daemon", "start")
    assert done.code == 75
    assert said in done.err and str(pid) in done.err


@pytest.mark.parametrize(
    ("unit", "said"),
    [
        (("jobctl.service", True), "systemctl --user restart jobctl\n"),
        (("queue.service", False), "systemctl restart queue\n"),
    ],
)
def test_a_daemon_that_systemd_runs_is_restarted_with_systemctl(jobctl, store, home, monkeypatch, unit, said) -> None:
    monkeypatch.setattr("jobctl.services.daemon.restart.systemd_unit", lambda pid: unit)
    with held_lock(home) as pid:
        done = jobctl("daemon", "restart")
    assert done.code == 75
    assert f"systemd runs the daemon as {unit[0]} (process {pid})\n  {said}" in done.err
