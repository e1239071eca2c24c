"""Housekeeping of the engine: the store it keeps house in is still there."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from jobctl.config import Home
from jobctl.engine.house import HEARTBEAT_US, House, StoreGone
from jobctl.store.database import open_database

NOW = 1_800_000_000_000_000


@pytest.fixture
def house(home: Home) -> House:
    made = House(open_database(home, create=True), None, 2, NOW)
    made.keep(NOW, "up", "")
    return made


@pytest.mark.parametrize("again", [False, True])
def test_a_store_that_was_removed_is_noticed_with_the_next_beat(house: House, home: Home, again: bool) -> None:
    home.root.rename(home.root.with_name("away"))
    if again:
        open_database(home, create=True).close()
    house.keep(NOW + 1, "up", "")
    with pytest.raises(StoreGone):
        house.keep(NOW + HEARTBEAT_US, "up", "")


def test_a_disk_that_fails_is_not_one_that_was_removed(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.stat

    def failing(path: str | Path, **options: object) -> os.stat_result:
        if str(path).endswith("jobctl.db"):
            raise OSError(5, "Input/output error", str(path))
        return real(path, **options)  # type: ignore[arg-type]

    monkeypatch.setattr("jobctl.store.database.os.stat", failing)
    house.keep(NOW + HEARTBEAT_US, "up", "")
