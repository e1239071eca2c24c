"""The meaning of an ending for the item."""

import errno
import signal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobctl.domain.endings import Ending
from jobctl.domain.outcome import Budget, decide, describe, failure_code, is_absent, is_known, is_retryable, signal_of
from jobctl.domain.policy import MAX_FACTOR, Backoff, Policy
from jobctl.domain.states import Verb

NOW = 1_000_000_000
FIRST = Budget(spent=1, crashes=0)


def verb(ending, code=0, budget=FIRST, policy=None, deadline_at=None):
    return decide(ending, code, budget, policy or Policy(), now=NOW, deadline_at=deadline_at, jitter=0.5).verb


@pytest.mark.parametrize(
    ("ending", "code", "expected"),
    [
        (Ending.EXITED, 0, Verb.SUCCEED),
        (Ending.EXITED, 1, Verb.RETRY_LATER),
        (Ending.EXITED, 65, Verb.FAIL),
        (Ending.EXITED, 75, Verb.RETRY_LATER),
        (Ending.EXITED, 126, Verb.FAIL),
        (Ending.EXITED, 127, Verb.FAIL),
        (Ending.SIGNALLED, signal.SIGSEGV, Verb.RETRY_LATER),
        (Ending.TIMED_OUT, signal.SIGTERM, Verb.RETRY_LATER),
        (Ending.CANCELLED, signal.SIGTERM, Verb.FAIL),
        (Ending.INTERRUPTED, 0, Verb.REQUEUE),
        (Ending.NOT_STARTED, errno.ENOENT, Verb.FAIL),
    ],
)
def test_first_attempt(ending, code, expected):
    assert verb(ending, code) is expected


def test_the_last_attempt_fails():
    assert verb(Ending.EXITED, 1, Budget(spent=2, crashes=0)) is Verb.RETRY_LATER
    assert verb(Ending.EXITED, 1, Budget(spent=3, crashes=0)) is Verb.FAIL


def test_own_lists_of_exit_codes_win():
    assert verb(Ending.EXITED, 65, policy=Policy(retry_on=(65,))) is Verb.RETRY_LATER
    assert verb(Ending.EXITED, 1, policy=Policy(retry_on=(65,))) is Verb.FAIL
    assert verb(Ending.EXITED, 75, policy=Policy(no_retry_on=(75,))) is Verb.FAIL


def test_interruptions_are_bounded_and_at_most_once_never_runs_again():
    assert verb(Ending.INTERRUPTED, 0, Budget(spent=1, crashes=2)) is Verb.REQUEUE
    assert verb(Ending.INTERRUPTED, 0, Budget(spent=1, crashes=3)) is Verb.FAIL
    once = Policy(on_crash="fail")
    for ending in (Ending.INTERRUPTED, Ending.TIMED_OUT, Ending.SIGNALLED):
        assert verb(ending, 9, policy=once) is Verb.FAIL
    assert verb(Ending.EXITED, 1, policy=once) is Verb.RETRY_LATER


def test_backoff_grows_is_capped_and_jittered():
    policy = Policy(attempts=10, backoff=Backoff(base_s=2, factor=4, cap_s=60))
    waits = [
        (decide(Ending.EXITED, 1, Budget(n, 0), policy, now=NOW, deadline_at=None, jitter=0.5).due_at - NOW) / 1e6
        for n in range(1, 6)
    ]
    assert waits == [1.5, 6, 24, 45, 45]
    assert Backoff().ceiling_s(10_000) == 60


@given(
    base_s=st.floats(0, 36_600 * 86_400),
    factor=st.floats(1, MAX_FACTOR),
    cap_s=st.floats(0, 36_600 * 86_400),
    failed=st.integers(1, 10_000),
    jitter=st.floats(0, 1, exclude_max=True),
)
def test_a_wait_is_never_less_than_half_of_the_longest_and_never_more(base_s, factor, cap_s, failed, jitter):
    backoff = Backoff(base_s, factor, cap_s)
    longest_s = backoff.ceiling_s(failed)
    assert longest_s / 2 <= backoff.wait_s(failed, jitter) <= longest_s
    policy = Policy(attempts=20_000, backoff=backoff)
    decision = decide(Ending.EXITED, 1, Budget(failed, 0), policy, now=NOW, deadline_at=None, jitter=jitter)
    assert longest_s * 5e5 - 1 <= decision.due_at - NOW <= longest_s * 1e6


def test_the_random_half_reaches_from_half_of_the_wait_to_nearly_all_of_it():
    backoff = Backoff(base_s=3, factor=1)
    assert [backoff.wait_s(1, jitter) for jitter in (0, 0.5, 1)] == [1.5, 2.25, 3]


def test_no_retry_past_the_deadline():
    due_at = decide(Ending.EXITED, 1, FIRST, Policy(), now=NOW, deadline_at=None, jitter=0.5).due_at
    assert verb(Ending.EXITED, 1, deadline_at=due_at) is Verb.FAIL
    assert verb(Ending.EXITED, 1, deadline_at=due_at + 1) is Verb.RETRY_LATER


def test_words():
    assert failure_code(Ending.EXITED, 3) == "exit_3"
    assert failure_code(Ending.SIGNALLED, signal.SIGSEGV) == "sigsegv"
    assert failure_code(Ending.TIMED_OUT, 15) == "timeout"
    assert "3" in describe(Ending.EXITED, 3, 0)
    assert "No such file" in describe(Ending.NOT_STARTED, errno.ENOENT, 0)


def test_known_and_absent():
    assert is_known(Ending.EXITED)
    assert not is_known(Ending.TIMED_OUT)
    assert is_absent(Ending.EXITED, 127)
    assert is_absent(Ending.NOT_STARTED, errno.ENOENT)
    assert not is_absent(Ending.NOT_STARTED, errno.E2BIG)
    assert not is_retryable(Ending.CANCELLED, 15, Policy())


def test_what_a_call_raised():
    assert verb(Ending.RAISED, 1) is Verb.RETRY_LATER
    assert verb(Ending.RAISED, 65) is Verb.FAIL
    assert verb(Ending.RAISED, 75) is Verb.RETRY_LATER
    assert verb(Ending.RAISED, 75, Budget(spent=3, crashes=0)) is Verb.FAIL
    assert not is_retryable(Ending.RAISED, 65, Policy())
    assert is_known(Ending.RAISED)
    assert failure_code(Ending.RAISED, 75) == "raised"


def test_a_wait_that_the_attempt_asked_for_replaces_the_backoff():
    def due(after_s, deadline_at=None):
        found = decide(
            Ending.RAISED, 75, FIRST, Policy(), now=NOW, deadline_at=deadline_at, jitter=0.5, after_s=after_s
        )
        return found.verb, found.due_at

    assert due(2.5) == (Verb.RETRY_LATER, NOW + 2_500_000)
    assert due(0.0) == (Verb.RETRY_LATER, NOW)
    assert due(10.0, deadline_at=NOW + 5_000_000) == (Verb.FAIL, None)
    assert due(1e300)[1] < 1 << 63


@pytest.mark.parametrize("ending", [Ending.TIMED_OUT, Ending.CANCELLED])
def test_an_item_that_exits_from_its_handler_of_term_was_ended_by_no_signal(ending):
    assert signal_of(ending, 15) == "SIGTERM"
    assert signal_of(ending, -143) is None
    assert signal_of(ending, 143) is None, "as an older jobctl recorded it"
    assert signal_of(ending, 0) is None
    assert signal_of(Ending.SIGNALLED, 9) == "SIGKILL"
    assert signal_of(Ending.EXITED, 9) is None
