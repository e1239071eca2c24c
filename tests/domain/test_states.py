"""States of jobs as a function of their counts and flags."""

import pytest

from jobctl.domain.states import (
    LIVE_ITEM_STATES,
    TERMINAL_ITEM_STATES,
    TRANSITIONS,
    Counts,
    ItemState,
    JobState,
    Stop,
    Verb,
    final_state,
    live_state,
)


def test_every_live_state_leads_somewhere_and_every_terminal_state_only_out_by_retry():
    sources = {source for source, _ in TRANSITIONS}
    assert sources >= LIVE_ITEM_STATES
    for source, verb in TRANSITIONS:
        if source in TERMINAL_ITEM_STATES:
            assert verb is (Verb.REPEAT if source is ItemState.SUCCEEDED else Verb.RETRY)


def test_an_item_that_started_is_never_unprocessed_except_when_it_was_given_back():
    reachable = [verb for (source, verb), to in TRANSITIONS.items() if to is ItemState.UNPROCESSED]
    assert set(reachable) == {Verb.DROP}


@pytest.mark.parametrize(
    ("counts", "flags", "state"),
    [
        (Counts(queued=2), {}, JobState.QUEUED),
        (Counts(queued=1, running=1), {}, JobState.RUNNING),
        (Counts(queued=1), {"started": True}, JobState.RUNNING),
        (Counts(queued=1, running=1), {"paused": True}, JobState.PAUSED),
        (Counts(running=1), {"stop": Stop.CANCEL}, JobState.CANCELLING),
        (Counts(running=1), {"stop": Stop.CANCEL, "paused": True}, JobState.CANCELLING),
        (Counts(running=1), {"stop": Stop.FAILURES}, JobState.RUNNING),
    ],
)
def test_state_of_an_open_round(counts, flags, state):
    assert live_state(counts, **({"started": False, "paused": False, "stop": None} | flags)) is state


@pytest.mark.parametrize(
    ("counts", "stop", "cut", "state"),
    [
        (Counts(succeeded=3), None, False, JobState.SUCCEEDED),
        (Counts(succeeded=2, failed=1), None, False, JobState.PARTIAL),
        (Counts(failed=3), None, False, JobState.FAILED),
        (Counts(failed=3, skipped=1), None, False, JobState.PARTIAL),
        (Counts(succeeded=3, rejected=1), None, False, JobState.PARTIAL),
        (Counts(succeeded=1, unprocessed=2), Stop.CANCEL, True, JobState.CANCELLED),
        (Counts(succeeded=3), Stop.CANCEL, False, JobState.SUCCEEDED),
        (Counts(succeeded=1, unprocessed=2), Stop.EXPIRED, True, JobState.EXPIRED),
        (Counts(succeeded=2, failed=1), Stop.EXPIRED, False, JobState.PARTIAL),
        (Counts(succeeded=1, failed=5, unprocessed=9), Stop.FAILURES, False, JobState.FAILED),
        (Counts(failed=3, unprocessed=9), Stop.COMMAND, False, JobState.FAILED),
    ],
)
def test_state_of_a_closed_round(counts, stop, cut, state):
    assert final_state(counts, stop=stop, cut=cut) is state


def test_counts_add_up():
    counts = Counts(queued=1, running=2, retrying=3, succeeded=4, failed=5, unprocessed=6, rejected=7, skipped=8)
    assert (counts.total, counts.live, counts.processed) == (21, 6, 9)
