"""The options of a running daemon, and the unit as which systemd runs it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from jobctl.process.running_options import running_options, systemd_unit

_USER = "0::/user.slice/user-1000.slice/user@1000.service/app.slice/jobctl.service\n"


def _process(root: Path, environ: str, cgroup: str) -> str:
    place = root / "proc" / "7"
    place.mkdir(parents=True)
    (place / "environ").write_text(environ)
    (place / "cgroup").write_text(cgroup)
    return str(root)


@pytest.mark.parametrize(
    ("environ", "cgroup", "unit"),
    [
        ("A=b\0SYSTEMD_EXEC_PID=7\0", _USER, ("jobctl.service", True)),
        ("SYSTEMD_EXEC_PID=7\0", "0::/system.slice/jobctl-srv.service\n", ("jobctl-srv.service", False)),
        ("SYSTEMD_EXEC_PID=4\0", "0::/system.slice/cron.service\n", None),  # a child of cron
        ("SYSTEMD_EXEC_PID=77\0", _USER, None),
        ("SYSTEMD_EXEC_PID=7\0", "0::/user.slice/user-0.slice/session-3.scope\n", None),
        ("A=b\0", "0::/\n", None),
    ],
)
def test_the_unit_of_a_process(tmp_path: Path, environ: str, cgroup: str, unit: object) -> None:
    assert systemd_unit(7, _process(tmp_path, environ, cgroup)) == unit


def test_a_process_that_is_not_a_daemon_has_no_options() -> None:
    assert running_options(os.getpid()) is None
    assert running_options(0) is None
