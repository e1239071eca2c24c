"""Fair sharing of free slots."""

from jobctl.engine.jobs.fair_share import JOBS_PER_CLAIM, Candidate, share


def candidate(job, used_us=0.0, wants=100, priority=0, cost_us=1000.0):
    return Candidate(job, priority, used_us, wants, cost_us)


def test_one_job_gets_everything_it_wants():
    assert share([candidate(1, wants=3)], 10) == [(1, 3)]
    assert share([candidate(1, wants=30)], 10) == [(1, 10)]


def test_equal_jobs_get_equal_parts():
    assert dict(share([candidate(1), candidate(2)], 10)) == {1: 5, 2: 5}


def test_a_newcomer_gets_the_next_slot_although_the_other_job_is_huge():
    huge = candidate(1, used_us=3_600e6, wants=1_000_000)
    newcomer = candidate(2, used_us=3_600e6 - 1, wants=10)
    assert share([huge, newcomer], 1) == [(2, 1)]


def test_time_counts_not_items():
    slow, quick = candidate(1, cost_us=9_000), candidate(2, cost_us=1_000)
    parts = dict(share([slow, quick], 20))
    assert parts[2] > 4 * parts[1] > 0


def test_priority_comes_first_and_the_rest_gets_the_remaining_slots():
    assert share([candidate(1, wants=4), candidate(2, priority=5, wants=3)], 5) == [(2, 3), (1, 2)]


def test_nothing_is_given_twice_or_beyond_demand():
    jobs = [candidate(n, used_us=n % 3, wants=n % 5 + 1) for n in range(1, 40)]
    parts = share(jobs, 17)
    assert sum(n for _, n in parts) == 17
    assert len({job for job, _ in parts}) == len(parts)
    assert all(n <= job % 5 + 1 for job, n in parts)


def test_with_many_jobs_the_poorest_are_served_and_all_have_their_turn():
    used = dict.fromkeys(range(1, 101), 0.0)
    served = set()
    for _ in range(100 // JOBS_PER_CLAIM + 1):
        for job, n in share([candidate(j, used_us=u) for j, u in used.items()], JOBS_PER_CLAIM):
            used[job] += n * 1000
            served.add(job)
    assert served == set(used)


def test_no_demand_no_parts():
    assert share([candidate(1)], 0) == []
    assert share([], 5) == []


def test_all_jobs_of_one_owner_have_one_share():
    many = [Candidate(n, 0, 0.0, 100, 1000.0, "bulk", 0.0) for n in range(1, 5)]
    parts = dict(share([*many, candidate(5)], 40))
    assert sum(parts.values()) == 40
    assert abs(parts[5] - 20) <= 2
    assert all(abs(parts[n] - 5) <= 2 for n in range(1, 5))


def test_a_thousand_jobs_of_one_owner_do_not_crowd_a_single_job_out():
    many = [Candidate(n, 0, 0.0, 1, 1000.0, "bulk", 0.0) for n in range(1, 1001)]
    assert (1001, 1) in share([*many, candidate(1001, wants=1)], 2)


def test_an_owner_that_has_used_more_waits_for_the_others():
    used = Candidate(1, 0, 0.0, 100, 1000.0, "bulk", 50_000.0)
    assert share([used, candidate(2, used_us=10_000.0)], 10) == [(2, 10)]


def test_priority_comes_before_the_share_of_an_owner():
    urgent = [Candidate(n, 5, 0.0, 2, 1000.0, "bulk", 9e9) for n in (1, 2)]
    assert share([*urgent, candidate(3)], 4) == [(1, 2), (2, 2)]
