"""A random walk of an engine: whatever commands, failures, deaths and clocks do to it, in any order.

``python -m tests.engine.walk --walks N --seed S`` goes as far as one likes; a few walks are among the tests. What must
hold is checked after every step: the counters (``Bench.check``), and at every start of an attempt that it may start.
"""

from __future__ import annotations

import argparse
import contextlib
import csv
import multiprocessing
import os
import random
import sys
import tempfile
import traceback
from collections import Counter
from functools import partial
from pathlib import Path
from typing import Any

from rich.cells import cell_len

from jobctl.domain.endings import Ending
from jobctl.domain.policy import Backoff, Policy
from jobctl.domain.ports import Finished
from jobctl.domain.selection import Selection
from jobctl.domain.states import TERMINAL_JOB_STATES, ItemState
from jobctl.errors import UsageError
from jobctl.render.explain import explain_lines
from jobctl.render.job.page import job_page
from jobctl.render.live import render_lines
from jobctl.render.look import Look
from jobctl.services.control import pause, rules
from jobctl.services.control.cancel_items import LIVE_STATES, ItemsToCancel, ask_for_items
from jobctl.services.control.retry import retry
from jobctl.services.control.targets import Target
from jobctl.services.control.undo import UndoRequest, undo
from jobctl.services.selection import SelectedItems
from jobctl.services.status.document import job_document, list_document
from jobctl.services.why.explain import explain
from jobctl.store import clock, jobs, queues, requests
from jobctl.undo.work import UndoWords
from tests.engine.bench import SECOND, Bench
from tests.executors.fake import FakeExecutor, Play
from tests.schemas import check

_YEARS = 20 * 366 * 86_400 * SECOND
_STEPS = (1_000, 60_000, 60_000, SECOND, 20 * SECOND)
_MOST_TICKS = 3_000
_SELECTIONS = (
    Selection(),
    Selection((ItemState.FAILED,)),
    Selection((ItemState.UNPROCESSED,)),
    Selection(unknown=True),
    Selection(undone=True),
)
_QUEUES = ("default", "q1", "q2")


class _Bench(Bench):
    def start(self, fresh=True):
        super().start(fresh)
        # A thread would make the copy, and outlive the walk.
        self.engine._parts.housekeeping._backups.make_if_due = lambda _: None


class _Executor(FakeExecutor):
    def __init__(self, walk: Walk) -> None:
        super().__init__(walk._begin, clock=lambda: walk.bench.now)
        self._walk = walk

    def finish(self, attempt, play):
        self._walk._end(attempt[:2], play)
        super().finish(attempt, play)


class Walk:
    """One store, one engine after the other, and what is known about every item."""

    def __init__(self, root: Path, seed: int) -> None:
        self.rng = random.Random(seed)
        self.bench = _Bench(root, slots=self.rng.choice((1, 2, 4)))
        self.bench.executor = _Executor(self)
        self._durations = self.rng.choice(((100,), (100, 5_000, 300_000)))  # short ones are handed over ahead
        self._weights = self.rng.choice(((10, 4, 1, 1, 5), (40, 1, 1, 1, 1), (5, 0, 0, 0, 5)))
        self.said: list[str] = []
        self._over: set[tuple[int, int]] = set()  # cancelled, or of unknown outcome where that is the end
        self._fails: Counter[tuple[int, int]] = Counter()  # in this round
        self._careful: set[int] = set()  # jobs whose items must not run after an unknown outcome
        self._attempts: dict[int, int] = {}
        self._after: dict[int, tuple[tuple[int, str], ...]] = {}  # what jobs come after
        self._since: dict[int, int] = {}  # when the round was asked for, by the steady clock
        self._waits: dict[int, float] = {}  # how long a job was told to wait before it starts, s
        self._still: set[int] = set()  # jobs that are paused, as the engine knows

    # ---- what is checked ----

    def _begin(self, dispatch):
        """The script of the executor: an attempt begins."""
        key = dispatch[:2]
        self._meet(key[0])
        self.said.append(f"  starts {'.'.join(map(str, dispatch[:3]))}")
        assert key not in [run[:2] for run in self.bench.executor.running], f"{key} runs twice at once"
        assert key not in self._over, f"{key} runs although it is over"
        waited = self._passed(key[0])
        assert waited > self._waits[key[0]] * SECOND - clock.TOLERANCE_US, f"{key} starts after {waited} us"
        assert key[0] not in self._still, f"{key} runs although its job is paused"
        assert self._fails[key] < self._attempts[key[0]], f"{key} runs more often than it may"
        for number, condition in self._after.get(key[0], ()):
            assert self._met(number, condition), f"{key} runs although job {number} has not met {condition!r}"
        return self._play()

    def _meet(self, number: int) -> None:
        """Take in a job that the walk has not submitted itself: an undo job."""
        if number not in self._attempts:
            policy = self.bench.job(number).policy
            self._attempts[number], self._waits[number] = policy.attempts, 0
            self._since[number] = self.bench.now.steady
            if policy.on_crash == "fail":
                self._careful.add(number)

    def _met(self, number: int, condition: str) -> bool:
        """Whether a job ended as those that come after it ask."""
        if condition == "any":  # another round may have begun since
            return "finished" in self.bench.events(number)
        return self.bench.job(number).state == "succeeded"

    def _passed(self, job):
        """Microseconds since the round was asked for; the wall clock may have been set meanwhile."""
        return self.bench.now.steady - self._since[job]

    def _check_times(self):
        """Deadlines are as long as they were given, and nothing live has times of the future."""
        now = int(self.bench.now)
        for row in jobs.load_live(self.bench.database):
            for at in (row.submitted_at, row.round_at, row.started_at, row.paused_at):
                assert at is None or at < now + clock.TOLERANCE_US, f"job {row.id} has times of the future"
            if row.policy.deadline_s is None:
                continue
            passed, given = self._passed(row.id), row.policy.deadline_s * SECOND
            assert row.stop != "expired" or passed > given - clock.TOLERANCE_US, f"job {row.id} expires too early"
            # A clock that was set by exactly the tolerance is not followed.
            assert row.deadline_at <= now + given - passed + clock.TOLERANCE_US, f"job {row.id} expires too late"

    def _end(self, key, play):
        """An attempt ends."""
        if play.lost or play.ending is Ending.INTERRUPTED:
            self._lose(key)
        elif play.code or play.ending is not Ending.EXITED:
            self._fails[key] += 1

    def _lose(self, key):
        if key[0] in self._careful:
            self._over.add(key)

    def _play(self) -> Play:
        return self.rng.choices(
            (
                Play(duration_us=self.rng.choice(self._durations)),
                Play(code=self.rng.choice((1, 65, 75, 127)), err=self.rng.choice((b"no luck\n", b"row 7 is bad\n"))),
                Play(ending=Ending.TIMED_OUT),
                Play(lost=True),
                Play(hold=True),
            ),
            self._weights,
        )[0]

    def finish(self) -> None:
        """End all faults: every item gets its outcome, and the result files have all of them."""
        bench = self.bench
        self._writable(yes=True)
        bench.executor.press("")
        self._still.clear()
        for name in _QUEUES:
            pause.resume_queue(bench.home, name, now=bench.now)
        for tick in range(_MOST_TICKS):
            live = [row.id for row in jobs.load_live(bench.database)]
            if not live:
                break
            pause.resume(bench.home, live, now=bench.now)
            for attempt in bench.executor.running:
                bench.executor.finish(attempt, Play())
            self._tick(SECOND if tick < _MOST_TICKS / 2 else 60 * SECOND)  # a clock that was set may be far off
        assert not live, f"jobs {live} never end"
        self._tick(SECOND)  # also requests about jobs that have ended are looked at
        assert not bench.database.scalar("SELECT count(*) FROM requests")
        assert not bench.database.scalar("SELECT count(*) FROM followed")
        for number, after in self._after.items():
            self._see_ended(number, after)
        for number, total in bench.database.execute("SELECT id, total FROM jobs").fetchall():
            files = [path for path in bench.home.job_results(number).glob("*.csv") if path.stem != "undone"]
            assert sum(map(_rows, files)) == total, number
        self._see_undone_once()

    def _see_undone_once(self) -> None:
        """No success of a row was taken back twice, and the files name what was."""
        database = self.bench.database
        payloads = database.execute(
            "SELECT i.payload FROM items i JOIN jobs j ON j.id = i.job AND j.undo_of IS NOT NULL WHERE i.state = 3"
        ).fetchall()
        successes = Counter(tuple(payload.split(b"\0")[-4:-2]) for (payload,) in payloads)
        assert not [key for key, count in successes.items() if count > 1], "a success was taken back twice"
        taken = "SELECT u.job, count(*) FROM undone u JOIN items i ON i.job = u.undo_job AND i.item = u.undo_item"
        for number, count in database.execute(f"{taken} AND i.state = 3 GROUP BY u.job").fetchall():
            assert _rows(self.bench.home.job_results(number) / "undone.csv") == count, number

    def _see_ended(self, number: int, after: tuple[tuple[int, str], ...]) -> None:
        """No job succeeds that comes after one that never did."""
        unmet = [job for job, condition in after if not self._met(job, condition)]
        row = self.bench.job(number)
        assert not unmet or row.state == "expired" or (row.state, row.counts.processed) == ("cancelled", 0), number

    # ---- what happens ----

    def go(self, steps: int) -> None:
        """Do ``count`` random things."""
        deeds = [getattr(self, name) for name in dir(self) if name.startswith("do_")]
        self.do_submit()
        for _ in range(steps):
            deed = self.rng.choice(deeds)
            self.said.append(deed.__name__.removeprefix("do_"))
            deed()
            for _ in range(self.rng.randrange(4)):
                self._tick(self.rng.choice(_STEPS))

    def _tick(self, step_us: int) -> None:
        bench = self.bench
        bench.tick(step_us=step_us)
        self._see_each_row_once()
        # An item that begins within a tick begins before the engine has read the pause; from then on none begins.
        if not bench.engine._parts.trouble.reason and bench.engine._parts.clock.is_followed(bench.now):
            self._check_times()
        if not bench.engine._parts.trouble.reason and not bench.engine._parts.live_jobs.is_stale():
            shut = {queue.name for queue in queues.load_all(bench.database).values() if queue.paused_at is not None}
            rows = jobs.load_live(bench.database)
            self._still = {row.id for row in rows if row.paused_at is not None or row.queue in shut}

    def do_look(self) -> None:
        """Every reader gets complete documents and screens that fit."""
        bench = self.bench
        numbers = [row[0] for row in bench.database.execute("SELECT id FROM jobs")]
        for number in numbers:
            document = check("status-1", job_document(bench.database, bench.home, number, bench.now))
            counts, failures = document["counts"], document["failures"]
            assert counts["total"] == sum(counts[state.word] for state in ItemState), number
            if failures["groups_total"] == len(failures["groups"]):
                grouped = sum(group["count"] for group in failures["groups"])
                assert counts["failed"] == grouped + failures["ungrouped"], number
            look = self.rng.choice((Look(80, 24), Look(120, 40), Look(40, 10, unicode=False)))
            assert all(cell_len(line) <= look.width for line in render_lines([job_page(document, look)], look))
        check("status_list-1", list_document(bench.database, bench.home, bench.now))
        job = self.rng.choice(numbers)
        items = self._items(job, "1")
        for item in (None, *self.rng.sample(items, min(1, len(items)))):
            target = Target(job, None if item is None else item[0])
            told = check("explain-1", explain(bench.database, bench.home, target, bench.now))
            assert all(line.isprintable() for line in explain_lines(told, Look(terminal=False)))

    def do_submit(self) -> None:
        rng, bench = self.rng, self.bench
        policy = Policy(
            slots=rng.choice((None, None, 1, 2)),
            attempts=rng.choice((1, 2, 3)),
            backoff=rng.choice((Backoff(0.001, 1, 0.001), Backoff(5, 2, 30))),
            on_crash=rng.choice(("requeue", "requeue", "fail")),
            max_failures=rng.choice((None, None, "2", "40%")),
            halt=rng.choice(("soon", "now")),
            deadline_s=rng.choice((None, None, None, 40)),
            rate=rng.choice((None, None, None, "3/s")),
            not_before_s=rng.choice((None, None, None, 30)),
        )
        earlier = [row[0] for row in bench.database.execute("SELECT id FROM jobs")]
        number = (bench.database.scalar("SELECT seq FROM sqlite_sequence WHERE name = 'jobs'") or 0) + 1
        before = rng.sample(earlier, min(len(earlier), rng.choice((0, 0, 1, 2))))
        after = self._after[number] = tuple((job, rng.choice(("ok", "ok", "any"))) for job in before)
        self._attempts[number] = policy.attempts
        if policy.on_crash == "fail":
            self._careful.add(number)
        self._waits[number] = policy.not_before_s or 0
        self._since[number] = bench.now.steady
        options = {"queue": rng.choice(_QUEUES), "priority": rng.choice((0, 0, 5)), "hold": rng.random() < 0.1}
        options |= self._news() if rng.random() < 0.4 else {"rows": rng.choice((1, 5, 40, 150))}
        if rng.random() < 0.4:
            options |= {"undo": UndoWords(("true", "{}")), "undo_on_failure": rng.random() < 0.5}
        made = bench.submit(policy=policy, after=after, **options)
        assert made == number

    def _news(self) -> dict[str, Any]:
        """The rows that are submitted several times under one name, and must run once."""
        keyed = {"header": "id", "item_key": "id", "name": "news", "only_new": True, "command": ("true", "{id}")}
        return {"rows": self.rng.choice((3, 12, 40)), **keyed}

    def _see_each_row_once(self) -> None:
        """No row of the name is open or has succeeded in two jobs."""
        twice = self.bench.database.execute(
            "SELECT payload, group_concat(job) FROM items WHERE state IN (0, 1, 2, 3)"
            " AND job IN (SELECT id FROM jobs WHERE name = 'news') GROUP BY payload HAVING count(*) > 1"
        ).fetchall()
        assert not twice, f"rows are in two jobs: {twice}"

    def _job(self, *, live: bool) -> int | None:
        states = self.bench.database.execute("SELECT id, state FROM jobs").fetchall()
        found = [number for number, state in states if (state not in TERMINAL_JOB_STATES) == live]
        return self.rng.choice(found) if found else None

    def _ask_to_cancel(self, job: int, item: int | None) -> None:
        with self.bench.database.transaction():
            request = requests.Request(job, item, "cancel", self.rng.random() < 0.3, "test", "enough")
            requests.add(self.bench.database, request, self.bench.now)

    def do_cancel_job(self) -> None:
        if (job := self._job(live=True)) is not None:
            self._ask_to_cancel(job, None)

    def do_cancel_item(self) -> None:
        if (job := self._job(live=True)) is None:
            return
        held = [item for item, _ in self._items(job, self.rng.choice(("state = 1", "state IN (0, 1, 2)")))]
        if held:
            self._ask_to_cancel(job, self.rng.choice(held))
            self.do_see_cancelled()

    def do_cancel_items(self) -> None:
        """Cancel a set of items, some of which are over, run, or begin meanwhile."""
        if (job := self._job(live=True)) is None:
            return
        where = self.rng.choice(("item > 3", "item in (1, 2, 5, 39)", "attempts > 0", "state == 'running'"))
        chosen = SelectedItems(
            self.bench.database, job, Selection(where=where), now=self.bench.now, default=LIVE_STATES
        )
        ask_for_items(self.bench.database, chosen, ItemsToCancel(self.rng.random() < 0.3, "enough", self.bench.now))
        self.do_see_cancelled()

    def _items(self, job: int, which: str):
        return self.bench.database.execute(
            f"SELECT item, attempt FROM items WHERE job = ? AND {which}",
            (job,),
        ).fetchall()

    def do_see_cancelled(self) -> None:
        """From the moment in which a request is obeyed its item is over."""
        before = self.bench.database.execute("SELECT id, job, item FROM requests WHERE verb = 'cancel'").fetchall()
        sets = self.bench.database.execute(
            "SELECT r.id, r.job, c.item FROM requests r JOIN cancelled c ON c.job = r.job AND c.batch = r.reason"
            " WHERE r.verb = 'cancel_items'"
        ).fetchall()
        before += sets
        self._tick(60_000)
        left = {row[0] for row in self.bench.database.execute("SELECT id FROM requests")}
        for number, job, item in before:
            over = [(job, item)] if item is not None else [(job, each) for each, _ in self._items(job, "1")]
            if number not in left and (item is not None or not self._items(job, "state = 1")):
                self._over.update(over)

    def do_pause(self) -> None:
        if (job := self._job(live=True)) is not None:
            pause.pause(self.bench.home, [job], reason="", now=self.bench.now)

    def do_resume(self) -> None:
        if (job := self._job(live=True)) is not None:
            self._still.discard(job)
            pause.resume(self.bench.home, [job], now=self.bench.now)

    def do_queue(self) -> None:
        name = self.rng.choice(_QUEUES)
        self._still.clear()  # until the engine has heard of it
        if self.rng.random() < 0.5:
            pause.pause_queue(self.bench.home, name, reason="", now=self.bench.now)
        else:
            pause.resume_queue(self.bench.home, name, now=self.bench.now)
        rules.set_queue(self.bench.home, name, {"slots": self.rng.choice(("none", "1", "2"))}, now=self.bench.now)

    def do_set(self) -> None:
        job = self._job(live=True)
        if job is None:
            return
        self._meet(job)
        attempts = self.rng.choice((1, 3, 5))
        self._attempts[job] = max(attempts, self._attempts[job])
        settings = self.rng.choice(
            ({"slots": "1"}, {"slots": "none"}, {"attempts": str(attempts)}, {"priority": "9"}, {"rate": "none"})
        )
        rules.set_rules(self.bench.home, job, settings, now=self.bench.now)

    def do_retry(self) -> None:
        job = self._job(live=False)
        if job is None:
            return
        self._meet(job)
        promised = job_document(self.bench.database, self.bench.home, job, self.bench.now)["retry"]
        selection = self.rng.choice(_SELECTIONS)
        try:
            retried = retry(self.bench.home, job, selection, now=self.bench.now)
        except UsageError as error:
            if "another job of the name" in error.message:
                return
            assert not selection.is_default or not promised["items"] or "--unknown" in promised["command"]
            return
        assert not selection.is_default or retried.items + retried.elsewhere == promised["items"]
        self._since[job], self._waits[job] = self.bench.now.steady, 0
        self._still.discard(job)
        for item, _ in self._items(job, "state = 0"):
            self._over.discard((job, item))
            self._fails.pop((job, item), None)

    def do_undo(self) -> None:
        job = self._job(live=False)
        if job is None:
            return
        request = UndoRequest(job, Selection(unknown=self.rng.random() < 0.2), UndoWords(("true", "{}")))
        with contextlib.suppress(UsageError):
            self._meet(undo(self.bench.home, request, now=self.bench.now).job)

    def do_end_something(self) -> None:
        held = [attempt for attempt, run in self.bench.executor._runs.items() if run.play.hold]
        if held:
            attempt = self.rng.choice(held)
            play = self._play()
            while play.hold:
                play = self._play()
            self.bench.executor.finish(attempt, play)

    def do_kill_engine(self) -> None:
        self.bench.start(fresh=False)

    def do_kill_everything(self) -> None:
        executor = self.bench.executor
        for key, told in executor._outcomes.items():  # they were not recorded
            failed = isinstance(told, Finished) and (told.code or told.ending is not Ending.EXITED)
            self._fails[key[:2]] -= bool(failed and told.ending is not Ending.INTERRUPTED)
        for lost in [*executor.running, *executor._outcomes]:
            self._lose(lost[:2])
        self.bench.executor = _Executor(self)
        self.bench.start(fresh=True)

    def do_stop(self) -> None:
        """The daemon is stopped, by one signal or two, and another one comes."""
        self.bench.executor.stop(self.rng.choice((1, 2)))
        for _ in range(self.rng.randrange(4)):
            self._tick(60_000)
        self.do_kill_everything()

    def do_break_database(self) -> None:
        self._writable(yes=False)

    def do_mend_database(self) -> None:
        self._writable(yes=True)

    def _writable(self, *, yes: bool) -> None:
        if self.bench.engine is not None:
            self.bench.engine._parts.database.connection.execute(f"PRAGMA query_only = {'OFF' if yes else 'ON'}")

    def do_press(self) -> None:
        self.bench.executor.press(self.rng.choice(("", "EAGAIN: no more processes")))

    def do_set_clock(self) -> None:
        jump = self.rng.choice((-1, 1)) * self.rng.choice((SECOND // 2, SECOND, 3600 * SECOND, _YEARS))
        self.bench.set_clock(max(jump, 3600 * SECOND - self.bench.now))  # no clock is before 1970


def _rows(path: Path) -> int:
    with path.open(newline="", encoding="utf-8") as file:
        return sum(1 for _ in csv.reader(file)) - 1


def walk(root: Path, seed: int, steps: int = 60) -> None:
    """One walk to its end. An error names what happened before."""
    made = Walk(root, seed)
    try:
        made.go(steps)
        made.said.append("finish")
        made.finish()
    except BaseException as error:
        error.add_note(f"walk {seed}: " + "\n".join(made.said[-60:]))
        raise


def _try(seed: int, folder: str | None) -> str:
    """The first rule that a walk broke; empty if it broke none."""
    with tempfile.TemporaryDirectory(dir=folder) as root:
        try:
            walk(Path(root), seed)
        except Exception:
            return traceback.format_exc()
    return ""


def main() -> int:
    """Walk as often as was asked for; 1 when something did not hold."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--walks", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", help="where stores are made (default: where temporary files are)")
    options = parser.parse_args()
    seeds = range(options.seed, options.seed + options.walks)
    bad = 0
    # Engines that were "killed" leave descriptors behind: a process makes a few walks only.
    with multiprocessing.get_context("spawn").Pool(os.cpu_count(), maxtasksperchild=20) as pool:
        for seed, found in zip(seeds, pool.imap(partial(_try, folder=options.folder), seeds), strict=True):
            if found:
                bad += 1
                print(f"again: --seed {seed} --walks 1\n{found}", flush=True)
    print(f"{options.walks} walks, {bad} bad")
    return int(bad > 0)


if __name__ == "__main__":
    sys.exit(main())
