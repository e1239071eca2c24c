"""The order of starts: any sequence of events keeps every limit, starts everything in order and loses nothing."""

from __future__ import annotations

from collections import Counter, defaultdict

from hypothesis import given
from hypothesis import strategies as st

from jobctl.supervisor.backlog import Backlog, Dispatch, JobLine

QUEUES = {"wide": None, "narrow": 1}
JOBS = {1: (2, "wide"), 2: (1, "wide"), 3: (3, "narrow"), 4: (2, "narrow")}

Step = tuple[str, int]
steps = st.lists(
    st.tuples(
        st.sampled_from(["add", "fill", "end", "put_back", "recall", "withdraw", "hold", "free"]), st.integers(0, 9)
    ),
    max_size=80,
)


class Machine:
    """A backlog that takes random steps, and a model of it."""

    def __init__(self, capacity: int) -> None:
        self.backlog = Backlog()
        self.backlog.capacity = capacity
        for job, (slots, queue) in JOBS.items():
            self.backlog.define(job, slots, queue, QUEUES[queue])
        self.running: list[tuple[JobLine, Dispatch, int]] = []
        self.added = 0
        self.started: list[Dispatch] = []
        self.taken_back: list[Dispatch] = []

    def do(self, step: Step) -> None:
        getattr(self, step[0])(step[1])
        self.check()

    def add(self, n: int) -> None:
        self.backlog.add((n % 4 + 1, self.added, 1, (), (), 0))
        self.added += 1

    def fill(self, _: int = 0) -> None:
        while (line := self.backlog.next_line()) is not None:
            dispatch, slot = self.backlog.take(line)
            self.running.append((line, dispatch, slot))
            self.started.append(dispatch)
            self.check()

    def end(self, n: int) -> None:
        if self.running:
            line, _, slot = self.running.pop(n % len(self.running))
            self.backlog.release(line, slot)

    def put_back(self, _: int) -> None:
        line = self.backlog.next_line()
        if line is not None:
            dispatch, slot = self.backlog.take(line)
            self.backlog.put_back(line, dispatch, slot)
            assert line.waiting[0] == dispatch

    def recall(self, n: int) -> None:
        self.taken_back += self.backlog.recall(n % 4 + 1)

    def withdraw(self, n: int) -> None:
        self.taken_back += self.backlog.withdraw({(job, self.added - 1 - n, 1) for job in JOBS})

    def hold(self, n: int) -> None:
        self.backlog.hold(self.backlog.lines[n % 4 + 1], held=True)

    def free(self, n: int) -> None:
        self.backlog.hold(self.backlog.lines[n % 4 + 1], held=False)

    def check(self) -> None:
        busy = Counter(line.job for line, _, _ in self.running)
        slots: dict[int, list[int]] = defaultdict(list)
        for line, _, slot in self.running:
            slots[line.job].append(slot)
        assert len(self.running) == self.backlog.running <= self.backlog.capacity
        assert all(busy[job] <= limit for job, (limit, _) in JOBS.items())
        assert busy[3] + busy[4] <= 1
        assert all(len(set(numbers)) == len(numbers) and max(numbers) <= JOBS[job][0] for job, numbers in slots.items())
        assert self.backlog.waiting == sum(len(line.waiting) for line in self.backlog.lines.values())
        assert self.backlog.waiting + len(self.started) + len(self.taken_back) == self.added


@given(capacity=st.integers(1, 5), plan=steps)
def test_limits_hold_and_nothing_is_lost(capacity: int, plan: list[Step]) -> None:
    machine = Machine(capacity)
    for step in plan:
        machine.do(step)
    for job in JOBS:
        machine.free(job - 1)
    while machine.backlog.waiting or machine.running:
        machine.fill()
        assert machine.running, "attempts wait although there is room"
        machine.end(0)
    for job in JOBS:
        in_order = [dispatch[1] for dispatch in machine.started if dispatch[0] == job]
        assert in_order == sorted(in_order)


def test_a_job_moved_to_another_queue_counts_there() -> None:
    backlog = Backlog()
    backlog.capacity = 9
    backlog.define(1, 9, "a", 1)
    backlog.define(2, 9, "b", 1)
    for item in range(2):
        backlog.add((1, item, 1, (), (), 0))
        backlog.add((2, item, 1, (), (), 0))
    taken = []
    while (line := backlog.next_line()) is not None:
        taken.append((line, backlog.take(line)[1]))
    assert [line.job for line, _ in taken] == [1, 2]
    backlog.define(1, 9, "b", 1)
    backlog.release(*taken[1])
    assert backlog.next_line() is None, "job 1 fills the queue it moved to"
    backlog.release(*taken[0])
    assert backlog.next_line() is not None


def test_a_job_is_forgotten_only_when_it_is_idle() -> None:
    backlog = Backlog()
    line = backlog.define(1, 1, "q", None)
    backlog.add((1, 0, 1, (), (), 0))
    assert backlog.forget(1) is None
    _, slot = backlog.take(line)
    assert backlog.forget(1) is None
    backlog.release(line, slot)
    assert backlog.forget(1) is line
    assert backlog.next_line() is None
