"""Metrics as the reference parsers read them."""

from __future__ import annotations

from pathlib import Path

import pytest
from prometheus_client import parser
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from jobctl.config import Home
from jobctl.store.opening.open import open_database

LANE = "downloads"
TROUBLE = 'a "lane"\\with\ntrouble'


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    path = tmp_path / "rows.txt"
    path.write_text("1\n2\n3\n")
    return path


def values(text: str) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    families = text_string_to_metric_families(text)
    return {
        (sample.name, tuple(sample.labels.items())): sample.value for family in families for sample in family.samples
    }


def test_openmetrics_of_a_store(jobctl, rows: Path) -> None:
    assert jobctl("run", rows, "-q", "--attempts", "1", "--shell", "exit 4").code == 4
    assert jobctl("submit", rows, "--queue", LANE, "--new-queue", "--", "true").code == 0
    found = values(jobctl("metrics").out)
    assert found["jobctl_daemon_state", (("state", "down"),)] == 1
    assert found["jobctl_daemon_state", (("state", "up"),)] == 0
    assert found["jobctl_jobs", (("state", "failed"),)] == 1
    assert found["jobctl_jobs", (("state", "queued"),)] == 1
    assert found["jobctl_items", (("state", "failed"),)] == 3
    assert found["jobctl_live_items", (("state", "queued"),)] == 3
    assert found["jobctl_live_items", (("state", "failed"),)] == 0
    assert found["jobctl_failed_attempts", (("code", "exit_4"),)] == 3
    assert found["jobctl_attempts", ()] == 3
    assert found["jobctl_queue_queued_items", (("queue", LANE),)] == 3
    assert 0 < found["jobctl_oldest_live_job_age_seconds", ()] < 60


def test_a_queue_of_any_name_can_be_read_back(jobctl, rows: Path, home: Home) -> None:
    jobctl("submit", rows, "--", "true")
    database = open_database(home)
    with database.transaction():  # names were not always as restricted as they are now
        database.execute("UPDATE jobs SET queue = ?", (TROUBLE,))
    database.close()
    assert values(jobctl("metrics").out)["jobctl_queue_queued_items", (("queue", TROUBLE),)] == 3


def test_the_classic_format_of_node_exporter_too(jobctl, rows: Path) -> None:
    jobctl("submit", rows, "--", "true")
    text = jobctl("metrics").out
    classic = {sample.name for family in parser.text_string_to_metric_families(text) for sample in family.samples}
    assert classic == {name for name, _ in values(text)}


def test_a_store_that_is_not_there(jobctl) -> None:
    assert values(jobctl("metrics").out)["jobctl_daemon_state", (("state", "down"),)] == 1


def test_a_file_is_replaced_in_one_step(jobctl, rows: Path, tmp_path: Path) -> None:
    target = tmp_path / "jobctl.prom"
    target.write_text("old")
    before = target.stat().st_ino
    assert jobctl("metrics", "-o", target).code == 0
    assert values(target.read_text())
    assert target.stat().st_ino != before
    assert target.stat().st_mode & 0o777 == 0o644
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".jobctl")] == []
    said = jobctl("metrics", "-o", tmp_path / "nowhere" / "x.prom")
    assert said.code == 1
    assert "cannot write" in said.err
