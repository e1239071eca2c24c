"""A command that is given two jobs does both, or says that it takes one. Nothing that was typed is ignored."""

from __future__ import annotations

import pytest

from jobctl.cli.app import command_tree
from tests.cli.every_command import _leaves, every_command

#: What would change the machine, follow for ever, or take a whole screen.
LEFT_OUT = {"top"}


def nodes():
    return {node.name: node for node in _leaves(command_tree())}


def job_commands():
    known = nodes()
    return {
        name: words
        for name, words in every_command().items()
        if name not in LEFT_OUT
        and any(argument.metavar.strip("[]. ").startswith("JOB") for argument in known[name].arguments)
    }


def test_there_are_such_commands():
    assert {"logs", "status", "cancel", "prune", "items", "explain"} <= set(job_commands())


@pytest.fixture
def two(store):
    """Two jobs of which every command has something to say."""
    store.job("ffuu", state="failed", finished_at=9, started_at=1, name="first")
    store.job("ffuu", state="failed", finished_at=9, started_at=1, name="second")


@pytest.mark.parametrize("jobs", [["1", "2"], ["1,2"], ["first", "second"]])
@pytest.mark.parametrize("name", sorted(job_commands()))
def test_both_or_a_refusal(name, jobs, two, jobctl):
    words = job_commands()[name]
    at = words.index("1")
    done = jobctl(*words[:at], *jobs, *words[at + 1 :])
    said = done.out + done.err
    if done.code == 2:
        assert "jobctl" in done.err
        return
    assert done.code != 1, said
    for job in ("1", "2"):
        assert any(mark in said for mark in (f"job {job}", f"{job}.1", f"\n{job}\t")) or said.startswith(f"{job}\t")


def bounded_commands():
    """Those that take neither a list nor the words of another command."""
    for name, node in nodes().items():
        if not node.takes_words and not any(argument.metavar.endswith("...") for argument in node.arguments):
            yield name


@pytest.mark.parametrize("name", sorted(bounded_commands()))
def test_an_argument_too_many_is_refused(name, two, jobctl, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    words = every_command()[name]
    done = jobctl(*words, *["surplus"] * (1 + len(nodes()[name].arguments)))
    assert (done.code, "surplus" in done.err) == (2, True), done.err
