"""The longest that a job can take, as it is said before it begins."""

import pytest

from jobctl.domain.bounds import worst_case
from jobctl.domain.policy import Backoff, Policy

#: A point in time; the bounds do not depend on it.
NOW = 1_000_000_000_000_000
LIMITED = Policy(timeout_s=10, attempts=2, grace_s=1, backoff=Backoff(base_s=5))
AN_ITEM = "at most 27s an item (2 attempts, waits and ends included)"


@pytest.mark.parametrize(
    ("policy", "slots", "rates", "job_s", "said"),
    [
        (LIMITED, 2, (), 81, f"{AN_ITEM}, 1m 21s for the job with 2 at once"),
        (LIMITED, 1, (), 162, f"{AN_ITEM}, 2m 42s for the job with 1 at once"),
        (LIMITED, 50, (), 27, f"{AN_ITEM}, 27s for the job with 50 at once"),
        (LIMITED, 2, (0.1,), 81 + 6 * 2 / 0.1, f"{AN_ITEM}, 3m 21s for the job with 2 at once"),
        (LIMITED, 2, (0.1, 0.05), 81 + 6 * 2 / 0.05, f"{AN_ITEM}, 5m 21s for the job with 2 at once"),
        (LIMITED, None, (), None, f"{AN_ITEM}; no limit for the job, as it is not known how many run at once"),
        (LIMITED.changed(deadline_s=60.0), None, (), 61, f"{AN_ITEM}, 1m 01s for the job (its deadline)"),
        (LIMITED.changed(deadline_s=60.0), 2, (), 61, f"{AN_ITEM}, 1m 01s for the job (its deadline)"),
        (LIMITED.changed(deadline_s=90.0), 2, (), 81, f"{AN_ITEM}, 1m 21s for the job with 2 at once"),
        (Policy(), 2, (), None, "no time limit: neither --timeout nor --deadline is set"),
    ],
)
def test_the_bound_of_six_items(policy, slots, rates, job_s, said):
    found = worst_case(policy, 6, slots, rates, now=NOW)
    assert found.job_s == job_s
    assert found.sentence == said
