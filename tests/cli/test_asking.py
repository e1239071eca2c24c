"""Questions before something that cannot be undone: on a terminal, off it, and with every answer."""

from __future__ import annotations

import json

import pytest

from jobctl.store.opening.open import open_database
from tests.factories import SECOND, SUBMITTED_AT
from tests.stages import few
from tests.terminal import Terminal

CONTROLS_C, CONTROLS_D = "\x03", "\x04"


def states(home):
    database = open_database(home)
    try:
        return dict(database.execute("SELECT id, state FROM jobs ORDER BY id"))
    finally:
        database.close()


def old(store, **values):
    times = dict.fromkeys(("submitted_at", "started_at", "finished_at"), SUBMITTED_AT - 9_000_000 * SECOND)
    return store.job("ss", state="succeeded", **times, **values)


@pytest.fixture
def three(store):
    """Two jobs of one name that are not done, one that is, and one of another name."""
    store.job("qq", name="nightly")
    store.job("qqq", name="nightly")
    store.job("ss", name="nightly", state="succeeded", started_at=1, finished_at=2)
    store.job("q", name="other")


# ---- conditions: cancel ----


def test_cancel_with_a_condition_needs_yes_without_a_terminal(three, home, jobctl):
    refused = jobctl("cancel", "--name", "night*", "--reason", "wrong file")
    assert refused.code == 2
    assert "this would cancel 2 jobs with 5 items left, and there is no terminal to ask: it needs --yes" in refused.err
    assert "1  nightly  queued  2 of 2 items left" in refused.err and "4  other" not in refused.err
    assert "jobctl cancel --name 'night*' --reason 'wrong file' --yes" in refused.err
    assert states(home) == {1: "queued", 2: "queued", 3: "succeeded", 4: "queued"}
    done = jobctl("cancel", "--name", "night*", "--yes")
    assert done.code == 0 and "job 1 cancelled" in done.err and "job 2 cancelled" in done.err
    assert states(home) == {1: "cancelled", 2: "cancelled", 3: "succeeded", 4: "queued"}


def test_cancel_all_ends_what_is_not_done(three, home, jobctl):
    refused = jobctl("cancel", "--all", "--json")
    assert refused.code == 2 and "--yes" in json.loads(refused.out)["error"]["message"]
    done = jobctl("cancel", "--all", "--yes", "--json")
    assert [each["job"] for each in done.document["cancelled"]] == [1, 2, 4]
    again = jobctl("cancel", "--all")
    assert again.code == 0 and "no job that is not done is selected: nothing was changed" in again.err


def test_the_command_to_type_names_the_store_once(three, home, jobctl):
    refused = jobctl("--home", str(home.root), "cancel", "--all")
    assert f"\n  jobctl --home {home.root} cancel --all --yes" in refused.err


@pytest.mark.parametrize("answer", few(["n", "", "no", "x", CONTROLS_D], ["", CONTROLS_D]))
def test_no_changes_nothing(three, home, answer):
    terminal = Terminal(home, "cancel", "--all")
    terminal.await_text("Continue? [y/N]")
    assert "This will cancel 3 jobs with 6 items left:" in terminal.text()
    terminal.child.send(answer if answer == CONTROLS_D else f"{answer}\r")
    assert terminal.end() == 1
    assert "nothing was changed" in terminal.text()
    assert set(states(home).values()) == {"queued", "succeeded"}


def test_yes_cancels(three, home):
    terminal = Terminal(home, "cancel", "--state", "queued", "--name", "other")
    terminal.await_text("Continue? [y/N]")
    terminal.child.send("y\r")
    terminal.await_text("job 4 cancelled")
    assert terminal.end() == 0
    assert states(home) == {1: "queued", 2: "queued", 3: "succeeded", 4: "cancelled"}


@pytest.mark.parametrize(
    "words", few([("cancel", "--all"), ("cancel", "nightly"), ("prune",)], [("cancel", "nightly")])
)
def test_ctrl_c_at_a_question_says_that_nothing_was_changed(three, store, home, words):
    old(store)
    terminal = Terminal(home, *words)
    terminal.await_text("? [y/N]" if words[-1] != "nightly" else "Which one?")
    terminal.child.send(CONTROLS_C)
    assert terminal.end() == 130
    assert "nothing was changed" in terminal.text() and "Traceback" not in terminal.text()
    assert states(home)[1] == "queued"


@pytest.mark.parametrize("columns", few([40, 80, 200], [40]))
def test_the_list_fits_the_screen(store, home, columns):
    for n in range(14):
        store.job("q" * n, name="日本語" * 30 if n else "\x1b[2Jodd")
    terminal = Terminal(home, "cancel", "--all", columns=columns, lines=40)
    terminal.await_text("Continue? [y/N]")
    lines = terminal.text().splitlines()
    assert len(lines) == (14 if columns == 40 else 13), "one line for each job; the heading may take two"
    assert lines[-2] == "  and 4 more" and sum("queued" in line for line in lines) == 10
    terminal.child.send("\r")
    assert terminal.end() == 1


# ---- names with several meanings ----


def test_a_name_of_several_jobs_is_refused_without_a_terminal(three, home, jobctl):
    refused = jobctl("cancel", "nightly")
    assert refused.code == 2
    assert "2 jobs that are not done have the name 'nightly', and it is not clear which one is meant" in refused.err
    assert "jobctl cancel 2, or all of them: jobctl cancel 1,2" in refused.err
    items = jobctl("cancel", "nightly.2")
    assert items.code == 2 and "\n  jobctl cancel 2.2" in items.err
    assert jobctl("cancel", "nightly", "--yes").code == 2, "--yes does not say which one"
    assert states(home)[2] == "queued"


def test_a_name_of_one_job_that_is_not_done_needs_no_question(store, home, jobctl):
    first = store.job("q", name="nightly")
    for _ in range(3):
        store.job("s", name="nightly", state="succeeded", started_at=1, finished_at=2)
    done = jobctl("cancel", "nightly")
    assert done.code == 0 and f"job {first} cancelled" in done.err
    again = jobctl("cancel", "nightly")
    assert again.code == 0 and "job 4: it is done already" in again.err


ANSWERS = [("1", [1]), ("all", [1, 2]), ("2, 1", [1, 2]), ("7\r2", [2]), ("", [])]


@pytest.mark.parametrize(("answer", "ended"), few(ANSWERS, ANSWERS[3:4], several=True))
def test_a_person_says_which_one(three, home, answer, ended):
    terminal = Terminal(home, "cancel", "nightly")
    terminal.await_text("Which one? Its number, all, or Enter for none:")
    terminal.child.send(f"{answer}\r")
    assert terminal.end() == (0 if ended else 1)
    assert [job for job, state in states(home).items() if state == "cancelled"] == ended


def test_a_person_says_of_which_job_an_item_is_meant(three, home):
    terminal = Terminal(home, "cancel", "nightly.2")
    terminal.await_text("Which one?")
    terminal.child.send("1\r")
    terminal.await_text("item 1.2: cancelled")
    assert terminal.end() == 0
    assert states(home)[2] == "queued"


def test_a_name_that_looks_like_an_item_wins(store, jobctl):
    store.job("qq", name="v")
    store.job("qq", name="v.1")
    assert "job 2 cancelled" in jobctl("cancel", "v.1").err


# ---- prune ----


def test_prune_without_a_terminal_asks_nothing(store, home, jobctl):
    old(store)
    done = jobctl("prune")
    assert done.code == 0 and "1 job done for more than 30d removed" in done.err
    assert states(home) == {}


def test_prune_with_a_condition_removes_only_jobs_that_meet_it(store, home, jobctl):
    for name in ("test-1", "test-2", "real"):
        old(store, name=name)
    store.job("ss", name="test-3", state="succeeded", started_at=1, finished_at=9_000_000_000_000_000)
    refused = jobctl("prune", "--name", "test-*")
    assert refused.code == 2
    assert "this would remove 2 jobs with 4 items and 0 B of files, for ever" in refused.err
    assert "jobctl prune --name 'test-*' --yes" in refused.err
    assert jobctl("prune", "--name", "test-*", "--dry-run").code == 0
    assert len(states(home)) == 4
    assert jobctl("prune", "--name", "test-*", "--yes").code == 0
    assert sorted(states(home)) == [3, 4]
    assert jobctl("prune", "--state", "running", "--yes").code == 2


def test_prune_all_removes_finished_jobs_of_every_age(store, home, jobctl):
    store.job("ss", state="succeeded", started_at=1, finished_at=2)
    store.job("q")
    assert jobctl("prune", "--all").code == 2
    assert jobctl("prune", "--all", "--older-than", "1h").code == 2
    assert jobctl("prune", "--all", "--yes").code == 0
    assert sorted(states(home)) == [2]


def test_prune_on_a_terminal_says_what_it_removes_and_asks(store, home):
    old(store)
    old(store)
    terminal = Terminal(home, "prune")
    terminal.await_text("Continue? [y/N]")
    assert "This will remove 2 jobs with 4 items and 0 B of files, for ever:" in terminal.text()
    terminal.child.send("n\r")
    assert terminal.end() == 1
    assert len(states(home)) == 2
    terminal = Terminal(home, "prune", "1")
    terminal.await_text("Continue? [y/N]")
    terminal.child.send("yes\r")
    assert terminal.end() == 0
    assert list(states(home)) == [2]


def test_prune_on_a_terminal_needs_yes_for_a_program(store, home):
    old(store)
    terminal = Terminal(home, "prune", "--json")
    terminal.await_text("--json asks nothing")
    assert terminal.end() == 2
    assert Terminal(home, "prune", "--json", "--yes").end() == 0
    assert states(home) == {}


def test_prune_of_a_name_that_several_jobs_have(store, home, jobctl):
    old(store, name="nightly")
    store.job("ff", name="nightly", state="failed", started_at=1, finished_at=2)
    store.job("q", name="nightly")
    refused = jobctl("prune", "nightly")
    assert refused.code == 2 and "2 jobs that are done have the name 'nightly'" in refused.err
    assert jobctl("prune", "nightly", "--dry-run").code == 2
    assert len(states(home)) == 3
    assert jobctl("prune", "1").code == 0
    assert jobctl("prune", "nightly").code == 0, "only one of them is done"
    assert list(states(home)) == [3]


# ---- pause and resume, wait ----


def test_pause_and_resume_of_the_jobs_that_meet_a_condition(store, home, jobctl):
    for n in range(12):
        store.job("q", name=f"n{n}", queue="mail" if n < 4 else "default")
    assert jobctl("pause", "--queue", "mail", "--name", "n[12]").code == 0
    assert [job for job, state in states(home).items() if state == "paused"] == [2, 3]
    assert jobctl("pause", "--all", "--queue", "mail", "--json").document["queue"] is None
    assert [job for job, state in states(home).items() if state == "paused"] == [1, 2, 3, 4]
    assert jobctl("pause", "--all").code == 0, "a script needs no --yes: nothing is lost"
    assert set(states(home).values()) == {"paused"}
    assert jobctl("resume", "--name", "n1*").code == 0
    assert [job for job, state in states(home).items() if state == "queued"] == [2, 11, 12]
    assert "no job that is paused is selected" in jobctl("resume", "--name", "n1*").err
    assert jobctl("resume", "--all").code == 0
    assert set(states(home).values()) == {"queued"}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("cancel",), "cancel needs a JOB, or a condition"),
        (("cancel", "1", "--all"), "JOB and --all at once"),
        (("pause", "1", "--queue", "default"), "JOB and --queue at once"),
        (("pause", "1", "--name", "x"), "JOB and --name at once"),
        (("resume",), "resume needs a JOB, a queue, or a condition"),
        (("wait",), "wait needs a JOB, or a condition"),
        (("prune", "1", "--all"), "JOB and --all at once"),
        (("cancel", "--state", "failed"), "--state: cancel has no effect on a job that is failed"),
        (("pause", "--state", "paused"), "--state: pause has no effect on a job that is paused"),
        (("cancel", "--since", "noon"), "--since: 'noon'"),
    ],
)
def test_mistakes(three, jobctl, words, message):
    done = jobctl(*words)
    assert done.code == 2 and message in done.err and "jobctl" in done.err


def test_more_than_ten_jobs_are_asked_for_on_a_terminal(store, home):
    for _ in range(11):
        store.job("q")
    terminal = Terminal(home, "pause", "--all", lines=30)
    terminal.await_text("This will pause 11 jobs")
    terminal.await_text("Continue? [y/N]")
    terminal.child.send("y\r")
    assert terminal.end() == 0
    assert set(states(home).values()) == {"paused"}


def test_wait_counts_selected_jobs_that_are_done_and_those_that_are_not(store, jobctl):
    label = json.dumps({"batch": "7"})
    store.job("ss", state="succeeded", started_at=1, finished_at=2, labels=label)
    store.job("ff", state="failed", started_at=1, finished_at=2, labels=label)
    store.job("ff", state="failed", started_at=1, finished_at=2)
    done = jobctl("wait", "--label", "batch=7")
    assert done.code == 4 and done.err == "2 of 2 jobs done already: 1 succeeded, 1 failed\n"
    assert jobctl("wait", "--label", "batch=8").code == 9
    assert jobctl("wait", "--all").code == 0
    store.job("q", labels=label)
    assert jobctl("wait", "--all", "--timeout", "0").code == 124
    assert jobctl("wait", "--label", "batch=7", "--timeout", "0").code == 124


def test_a_prune_calls_its_observer(store, home):
    from jobctl.services.control.prune import prune
    from jobctl.services.control.prune_choice import PruneOptions

    old(store)
    store.database.close()
    looks = []
    report = prune(home, PruneOptions(), now=SUBMITTED_AT, look=lambda: looks.append(1))
    assert len(report.jobs) == 1 and looks


def test_the_list_of_a_prune_fits_a_narrow_screen(store, home):
    for _ in range(3):
        old(store, name="a-long-name-" * 9)
    terminal = Terminal(home, "prune", "--all", columns=60, lines=20)
    terminal.await_text("Continue? [y/N]")
    jobs = [line for line in terminal.text().splitlines() if "a-long-name" in line]
    assert len(jobs) == 3 and all(line.endswith("…") for line in jobs)
    terminal.child.send("\r")
    assert terminal.end() == 1
