"""The daemons that end when their user logs out."""

from __future__ import annotations

import os
import pwd
from pathlib import Path

import pytest

from jobctl.process.process_status import ends_with_session

SESSION = "0::/user.slice/user-1000.slice/session-4.scope\n"
SERVICE = "0::/user.slice/user-1000.slice/user@1000.service/app.slice/jobctl.service\n"


@pytest.fixture
def machine(tmp_path: Path):
    """A folder with the system files that the test needs."""

    def make(cgroup: str, *settings: str, linger: bool = False) -> str:
        (tmp_path / "proc/7").mkdir(parents=True)
        (tmp_path / "proc/7/cgroup").write_text(cgroup)
        folder = tmp_path / "etc/systemd/logind.conf.d"
        folder.mkdir(parents=True)
        for number, text in enumerate(settings):
            (folder / f"{number}.conf").write_text(f"[Login]\n{text}\n")
        if linger:
            place = tmp_path / "var/lib/systemd/linger"
            place.mkdir(parents=True)
            (place / pwd.getpwuid(os.geteuid()).pw_name).touch()
        return str(tmp_path)

    return make


@pytest.mark.parametrize(
    ("cgroup", "settings", "linger", "ends"),
    [
        (SESSION, ["KillUserProcesses=yes"], False, True),
        (SESSION, ["KillUserProcesses=yes"], True, False),
        (SESSION, ["KillUserProcesses=yes", "KillUserProcesses=no"], False, False),
        (SESSION, ["#KillUserProcesses=yes"], False, False),
        (SESSION, [], False, False),
        (SERVICE, ["KillUserProcesses=yes"], False, False),
    ],
)
def test_a_process_of_a_session_that_is_ended_at_logout(machine, cgroup, settings, linger, ends) -> None:
    assert ends_with_session(7, machine(cgroup, *settings, linger=linger)) is ends


def test_without_a_request_nothing_ends(tmp_path: Path) -> None:
    assert not ends_with_session(7, str(tmp_path))
