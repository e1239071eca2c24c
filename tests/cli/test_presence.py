"""The note that no daemon is running appears when there is work for one, and only then."""

from __future__ import annotations

from pathlib import Path

import pytest

import jobctl as package
from tests.locks import held_lock

PHRASE = "no daemon is running; start it with: jobctl daemon start"
DONE = {"state": "failed", "finished_at": 9, "started_at": 1}
#: Verb -> a job on which it does something, and whether it leaves work.
LEAVES = {
    ("resume", "1"): ("qq", {"state": "paused", "paused_at": 5}, True),
    ("retry", "1"): ("sff", DONE, True),
    ("pause", "1"): ("qq", {"state": "queued"}, False),
    ("set", "1", "slots=2"): ("qq", {"state": "queued"}, False),
    ("resume", "--queue", "default"): ("qq", {"state": "queued"}, True),
    ("pause", "--queue", "default"): ("qq", {"state": "queued"}, False),
    ("queue", "set", "default", "slots=3"): ("qq", {"state": "queued"}, False),
    ("wait", "1", "--timeout", "10ms"): ("qq", {"state": "queued"}, True),
    ("status",): ("qq", {"state": "queued"}, True),
    ("logs", "1"): ("qq", {"state": "queued"}, False),
    ("items", "1"): ("qq", {"state": "queued"}, False),
}
#: No work is left after these, so none of them mentions the daemon.
NOTHING = [
    ("resume", "1"),
    ("pause", "1"),
    ("cancel", "1"),
    ("cancel", "1.1"),
    ("wait", "1"),
    ("status",),
    ("resume", "--queue", "default"),
    ("pause", "--queue", "default"),
    ("logs", "1"),
    ("verify", "1"),
    ("prune", "1"),
    ("notify", "list"),
]


@pytest.mark.parametrize("words", LEAVES, ids=" ".join)
def test_a_note_says_that_work_waits_for_a_daemon(words, store, jobctl):
    states, values, leaves = LEAVES[words]
    store.job(states, **values)
    assert (PHRASE in jobctl(*words).err) is leaves


@pytest.mark.parametrize("words", LEAVES, ids=" ".join)
def test_with_a_daemon_it_is_not_said(words, store, home, jobctl):
    states, values, _ = LEAVES[words]
    store.job(states, **values)
    with held_lock(home):
        assert "no daemon" not in jobctl(*words).err


@pytest.mark.parametrize("words", NOTHING, ids=" ".join)
def test_it_is_not_said_when_nothing_is_left(words, store, jobctl):
    store.job("sff", **DONE)
    done = jobctl(*words)
    assert "no daemon" not in done.err + done.out


def test_one_module_has_the_words():
    folder = Path(package.__file__).parent
    found = [path.name for path in folder.rglob("*.py") if "; start it with: " in path.read_text()]
    assert found == ["absence.py"]
