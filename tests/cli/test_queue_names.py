"""A queue that there is not: asked for on a terminal, refused elsewhere, made with --new-queue."""

from __future__ import annotations

import io

import pytest


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    (tmp_path / "rows.csv").write_text("id\n1\n2\n")
    return tmp_path


class Terminal(io.StringIO):
    def isatty(self):
        return True

    @property
    def buffer(self):
        return io.BytesIO(self.read().encode())


def _submit(jobctl, queue, *more):
    return jobctl("submit", "rows.csv", "--queue", queue, *more, "--", "true", "{id}")


def test_a_typing_error_makes_no_queue(jobctl, home, place):
    for command in ("submit", "run"):
        for more in ((), ("--dry-run",)):
            done = jobctl(command, "rows.csv", "--queue", "nightly", *more, "--", "true")
            assert (done.code, done.out) == (2, "")
            assert "\n  --new-queue makes it" in done.err
    assert not home.database.exists()
    assert _submit(jobctl, "nightly", "--new-queue").code == 0
    done = _submit(jobctl, "nigthly")
    assert done.code == 2 and "did you mean nightly? --new-queue makes it" in done.err
    for verb in ("pause", "resume"):
        done = jobctl(verb, "--queue", "nigthly")
        assert done.code == 9 and "there is no queue 'nigthly'\n  did you mean nightly?" in done.err
    assert [queue["name"] for queue in jobctl("queue", "list", "--json").document["queues"]] == ["default", "nightly"]


def test_a_queue_is_there_once_it_was_made_or_used(jobctl, store, place):
    store.job("s", queue="used", state="succeeded", started_at=1, finished_at=2)  # by a version that made no row
    assert _submit(jobctl, "default").code == _submit(jobctl, "used").code == 0
    jobctl("queue", "set", "made", "slots=2")
    assert _submit(jobctl, "made").code == 0
    assert _submit(jobctl, "made", "--new-queue").code == 0
    for job in range(1, 6):
        jobctl("cancel", job)
    assert jobctl("prune", "--older-than", "0s").code == 0
    assert _submit(jobctl, "used").code == 0  # as a line of cron does after a month


def test_settings_and_recipes_name_queues_by_the_same_rule(jobctl, home, place, monkeypatch):
    (place / "config" / "jobctl").mkdir(parents=True)
    recipes = '[recipe.typo]\nqueue = "x"\n[recipe.made]\nqueue = "lane"\nnew-queue = true\n'
    (place / "config" / "jobctl" / "config.toml").write_text(recipes)
    assert "there is no queue 'x'" in jobctl("submit", "rows.csv", "--recipe", "typo", "--", "true").err
    monkeypatch.setenv("JOBCTL_SUBMIT_QUEUE", "y")
    assert "there is no queue 'y'" in jobctl("submit", "rows.csv", "--", "true").err
    assert not home.database.exists()
    assert jobctl("submit", "rows.csv", "--recipe", "made", "--", "true").code == 0
    monkeypatch.setenv("JOBCTL_SUBMIT_NEW_QUEUE", "true")
    assert jobctl("submit", "rows.csv", "--", "true").code == 0


@pytest.mark.parametrize(
    ("answer", "code"),
    [("y\n", 0), ("YES\n", 0), ("n\n", 2), ("\n", 2), ("", 2)],
    ids=["y", "yes", "n", "enter", "end"],
)
def test_on_a_terminal_it_is_asked(jobctl, home, place, monkeypatch, answer, code):
    monkeypatch.setattr("sys.stdin", Terminal(answer))
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    done = _submit(jobctl, "lane")
    assert done.code == code
    assert "there is no queue 'lane'; make it? [y/N] " in done.err
    assert home.database.exists() == (code == 0)
    assert _submit(jobctl, "other", "--json").code == 2  # a program is not asked
