"""Names of jobs at submit: each names its job afterwards, or it is refused."""

from __future__ import annotations

import pytest


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    (tmp_path / "rows.csv").write_text("id\n1\n")
    return tmp_path


@pytest.mark.parametrize("name", ["last", "12", "1,2", "1-3", "1.5", "last.3", "--", "-x", "a:any"])
@pytest.mark.parametrize("command", ["submit", "run"])
def test_a_name_that_means_something_else_is_refused(jobctl, home, place, command, name):
    for more in ((), ("--dry-run",)):
        done = jobctl(command, "rows.csv", f"--name={name}", *more, "--", "true")
        assert (done.code, done.out) == (2, "")
        assert f"--name {name!r} cannot be a name: as a JOB it means " in done.err
        assert "such as --name job-" in done.err
    assert not home.database.exists()


def test_a_recipe_names_jobs_by_the_same_rule(jobctl, home, place):
    (place / "config" / "jobctl").mkdir(parents=True)
    (place / "config" / "jobctl" / "config.toml").write_text('[recipe.r]\nname = "last"\ncommand = ["true"]\n')
    done = jobctl("submit", "rows.csv", "--recipe", "r")
    assert done.code == 2 and "--name 'last' cannot be a name" in done.err
    assert not home.database.exists()


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("12.csv", "12.csv"),
        ("last.csv", "last.csv"),
        ("1,2.csv", "1,2.csv"),
        ("3-4.csv", "3-4.csv"),
        ("-.csv", "job-1"),
    ],
)
def test_a_file_may_be_called_anything(jobctl, place, file, name):
    (place / file).write_text("id\n1\n")
    assert jobctl("submit", f"./{file}", "--", "true").code == 0
    found = jobctl("status", name, "--json").document
    assert (found["job"], found["name"]) == (1, name)


def test_the_job_of_a_numbered_file_is_offered_for_its_number(jobctl, place):
    (place / "20261126.csv").write_text("id\n1\n")
    assert jobctl("submit", "20261126.csv", "--", "true").code == 0
    done = jobctl("status", "20261126")
    assert done.code == 9 and "did you mean 20261126.csv?" in done.err


def test_names_that_were_given_before_are_listed_and_still_work(jobctl, store, place):
    store.job("q", name="last")
    store.job("q", name="2026", item_key="id")
    assert [line.split("\t")[1] for line in jobctl("status").out.splitlines()[1:]] == ["2026", "last"]
    line = ("submit", "rows.csv", "--item-key", "id", "--name", "2026")
    assert jobctl(*line, "--", "true").code == 2
    assert jobctl(*line, "--only-new", "--", "true").code == 0
