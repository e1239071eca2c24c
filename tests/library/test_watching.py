"""A program shows a job that another process runs, and a notebook shows it as a table."""

from __future__ import annotations

from typing import Any

import jobctl
from tests.factories import SECOND, SUBMITTED_AT


def test_a_job_is_shown_until_it_is_done(store: Any, home: Any) -> None:
    number = store.job("ssf", state="partial", started_at=SUBMITTED_AT, finished_at=SUBMITTED_AT + SECOND)
    seen: list[str] = []
    job = jobctl.Store(home.root).job(number)
    assert job.watch(lambda status: seen.append(status.state)).counts.failed == 1
    assert seen == ["partial"]


def test_a_notebook_shows_a_job_as_a_table_and_a_removed_one_by_its_name(store: Any, home: Any) -> None:
    number = store.job("ssf", state="partial", started_at=SUBMITTED_AT, finished_at=SUBMITTED_AT + SECOND)
    job = jobctl.Store(home.root).job(number)
    shown = job._repr_html_()
    assert shown is not None
    assert "partial" in shown
    assert "<table>" in shown
    assert jobctl.Job(job.store, 99)._repr_html_() is None
