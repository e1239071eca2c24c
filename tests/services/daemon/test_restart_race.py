"""The next daemon moves from the line to the lock between two looks at it."""

from __future__ import annotations

import pytest

from jobctl.errors import JobctlError
from jobctl.services.daemon import restart

PID = 4242


def test_a_daemon_that_leaves_the_line_between_two_looks_is_not_missed(store, home, monkeypatch):
    looks = []

    def look(place):
        def asked(_path):
            looks.append(place)
            is_moved = len(looks) > 1  # it takes the lock and leaves the line right after the first look
            return PID if (place == "lock") == is_moved else None

        return asked

    monkeypatch.setattr(restart.lock, "next_in_line", look("line"))
    monkeypatch.setattr(restart.lock, "holder", look("lock"))

    class Ended(Exception):
        """The loop looks again instead of giving the daemon up."""

    def wait(*_):
        raise Ended

    monkeypatch.setattr(restart, "_START_S", 60.0)
    monkeypatch.setattr(restart.StoreWatch, "wait", wait)
    monkeypatch.setattr(restart, "daemon_view", lambda *_: type("View", (), {"pid": None, "is_working": False}))
    with pytest.raises(Ended):
        restart._await_ready(home, PID)
    monkeypatch.setattr(restart.lock, "next_in_line", lambda _: None)
    monkeypatch.setattr(restart.lock, "holder", lambda _: None)
    with pytest.raises(JobctlError, match="does not start"):
        restart._await_ready(home, PID)
