"""A job of some rows of a file: what it counts, and that it is other work than a job of all of them."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def rows(tmp_path, monkeypatch):
    (tmp_path / "rows.csv").write_text("id,country\n1,DE\n2,FR\n3,DE\nbad\n")
    monkeypatch.chdir(tmp_path)


def test_counts_are_of_the_selected_rows_and_the_input_is_the_file(jobctl):
    done = jobctl("submit", "rows.csv", "--where", "country == 'DE'", "--invalid", "skip", "--", "true", "{id}")
    assert (done.code, "1 row of the file not selected" in done.err) == (0, True)
    document = jobctl("status", "1", "--json").document
    counts = document["counts"]
    assert (counts["total"], counts["rejected"], counts["skipped"]) == (2, 1, 0)
    assert (document["input"]["rows"], document["input"]["not_selected"]) == (4, 1)
    assert document["input"]["selection"] == {"where": "country == 'DE'"}
    assert jobctl("verify", "1").code == 0


def test_the_selection_is_part_of_the_work(jobctl):
    submit = ("submit", "rows.csv", "--key", "k")
    assert jobctl(*submit, "--select", "1-3", "--", "true").code == 0
    assert jobctl(*submit, "--select", "1-3", "--", "true").out == "1\n"
    other = jobctl(*submit, "--select", "1-2", "--", "true")
    assert (other.code, "selection:" in other.err) == (8, True)


def test_a_wrong_condition_makes_nothing(jobctl, home):
    done = jobctl("submit", "rows.csv", "--where", "contry == 'DE'", "--", "true")
    assert (done.code, "character 1, 'contry'" in done.err, home.root.exists()) == (2, True, False)
