"""Rows that another live job of the same name has: each runs once in any order of jobs, and none waits for ever."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from jobctl.domain.policy import Backoff, Policy
from jobctl.domain.ports import AttemptId
from jobctl.domain.selection import Selection
from jobctl.domain.states import ItemState, JobState
from jobctl.engine.rounds import followed_rows
from jobctl.errors import InputRejected, KeyConflict, UsageError
from jobctl.render.job.facts import retry_text
from jobctl.services.control import pause
from jobctl.services.control.prune import prune
from jobctl.services.control.prune_choice import PruneOptions
from jobctl.services.control.retry import retry
from jobctl.services.control.targets import Target
from jobctl.services.status.document import job_document
from jobctl.services.submit import feed, large_intake
from jobctl.services.submit.request import Accepted, SubmitRequest
from jobctl.services.submit.submit import preview, submit
from jobctl.services.why.explain import explain
from jobctl.sources.options import InputOptions
from jobctl.store import followed, requests
from tests.engine.bench import SECOND, Bench, state
from tests.executors.fake import Play
from tests.schemas import check


class News(Bench):
    """A bench on which the same line is given again and again, and every mail is counted."""

    def __init__(self, root: Path, script: Callable[[Any], Play] = lambda _: Play(), **options: Any) -> None:
        super().__init__(root, script, **options)

    def request(self, people: Sequence[object], **options: Any) -> SubmitRequest:
        path = self.root / f"people-{len(people)}.csv"
        path.write_text("email,file\n" + "".join(f"p{one}@x,a.csv\n" for one in people), encoding="utf-8")
        asked = {"name": "news", "item_key": "email", "only_new": True, "command": ("send", "{email}")} | options
        return SubmitRequest(input=InputOptions(str(path)), cwd=str(self.root), **asked)

    def line(self, people: Sequence[object], **options: Any) -> Accepted:
        """The line that sends the news."""
        return submit(self.home, self.request(people, **options), now=self.now, stdin=io.BytesIO())

    def mails(self) -> Counter[str]:
        """The number of times that each person was served."""
        return Counter(
            payload.split(b"\0")[0].decode()
            for (payload,) in self.database.execute("SELECT payload FROM items WHERE state = 3")
        )

    def cancel(self, job: int) -> None:
        with self.database.transaction():
            requests.add(self.database, requests.Request(job, None, "cancel", False, "test", "enough"), self.now)

    def document(self, job: int) -> dict[str, Any]:
        return check("status-1", job_document(self.database, self.home, job, self.now))

    def counts(self, job: int) -> tuple[int, int, int]:
        """(items, skipped, rows that still wait)."""
        row = self.job(job)
        return row.total, row.counts.skipped, sum(followed.counts(self.database, job).values())


def once(people: Sequence[object]) -> Counter[str]:
    return Counter(f"p{one}@x" for one in people)


PEOPLE = range(12)


@pytest.mark.parametrize("lines", [2, 3, 5])
def test_the_same_line_several_times_sends_once(tmp_path: Path, lines: int) -> None:
    bench = News(tmp_path)
    accepted = [bench.line(PEOPLE) for _ in range(lines)]
    assert [one.items for one in accepted] == [12] + [0] * (lines - 1)
    assert {one.followed for one in accepted[1:]} == {((1, 12),)}
    bench.work_off()
    assert bench.mails() == once(PEOPLE)
    assert [bench.counts(job) for job in range(2, lines + 1)] == [(0, 12, 0)] * (lines - 1)
    assert {state(bench, job) for job in range(1, lines + 1)} == {JobState.SUCCEEDED}


def test_an_added_row_runs_at_once_and_the_others_are_reported(tmp_path: Path) -> None:
    bench = News(tmp_path, script=lambda d: Play(hold=d.job == 1))
    bench.line(PEOPLE, policy=Policy(slots=1))
    bench.tick(3)
    second = bench.line(range(13))
    assert (second.items, second.followed) == (1, ((1, 12),))
    said = (
        "12 rows are open in job 1; they wait for its end and run here only if they did not succeed there"
        " with the same content and command"
    )
    bench.tick(5)
    assert bench.states(2) == "s"
    document = bench.document(2)
    assert said in document["state_reason"]
    assert document["follows"] == [{"job": 1, "rows": 12, "state": "running", "done": False}]
    assert (document["progress"]["fraction"], document["input"]["rows"]) == (0.0769, 13)
    assert said in [hold["message"] for hold in explain(bench.database, bench.home, Target(2), bench.now)["holds"]]
    for _ in range(12):
        for attempt in bench.executor.running:
            bench.executor.finish(attempt, Play())
        bench.tick(2)
    bench.work_off()
    assert bench.mails() == once(range(13))
    assert bench.document(2)["follows"] == []


def test_an_explanation_names_every_job_that_has_rows_of_a_job(tmp_path: Path) -> None:
    bench = News(tmp_path, script=lambda d: Play(hold=True))
    bench.line(range(12))
    bench.line(range(14))
    bench.line(range(14))
    bench.tick(3)
    (hold,) = (
        each
        for each in explain(bench.database, bench.home, Target(3), bench.now)["holds"]
        if each["code"] == "open_elsewhere"
    )
    assert hold["action"] == "jobctl status 1 2"
    reason = bench.document(3)["state_reason"]
    assert "12 rows are open in job 1, 2 rows are open in job 2; " in reason
    assert reason.endswith("with the same content and command")  # there is not one item whose progress could be told


OTHER_ENDS: dict[str, Callable[[News], None]] = {
    "cancelled": lambda bench: bench.cancel(1),
    "cancelled while held": lambda bench: (pause.pause(bench.home, [1], reason="", now=bench.now), bench.cancel(1))[0],
    "failed": lambda bench: None,
    "expired": lambda bench: setattr(bench, "now", bench.now + 60 * SECOND),
}


@pytest.mark.parametrize("how", OTHER_ENDS)
def test_rows_that_the_other_job_did_not_do_run_here(tmp_path: Path, how: str) -> None:
    good = {1, 2, 3}

    def script(dispatch: Any) -> Play:
        if dispatch.job > 1 or dispatch.item in good:
            return Play()
        return Play(code=65) if how == "failed" else Play(hold=True)

    bench = News(tmp_path, script=script)
    bench.line(PEOPLE, policy=Policy(attempts=1, deadline_s=30.0 if how == "expired" else None))
    second = bench.line(PEOPLE)
    third = bench.line(PEOPLE)
    bench.tick(6)
    OTHER_ENDS[how](bench)
    bench.work_off()
    assert bench.states(1).count("s") == 3
    assert bench.counts(second.job) == (9, 3, 0)
    assert bench.states(second.job) == "s" * 9
    assert bench.counts(third.job) == (0, 12, 0)


def test_a_row_that_succeeded_in_a_job_that_still_runs_is_skipped_at_once(tmp_path: Path) -> None:
    bench = News(tmp_path, script=lambda d: Play(hold=d.item > 5))
    bench.line(PEOPLE)
    bench.tick(8)
    assert bench.states(1).startswith("sssss")
    second = bench.line(PEOPLE)
    assert (second.items, second.skipped, second.followed) == (0, 5, ((1, 7),))
    found = preview(bench.home, bench.request(PEOPLE), stdin=io.BytesIO())
    assert (found.rows, found.skipped, found.followed) == (0, 5, ((1, 7),))


def test_a_follower_that_is_cancelled_has_the_rows_in_its_files_and_they_do_not_run(tmp_path: Path) -> None:
    bench = News(tmp_path, script=lambda d: Play(hold=d.job == 1))
    bench.line(PEOPLE)
    bench.line(range(14))
    third = bench.line(range(15))
    bench.tick(3)
    bench.cancel(2)
    bench.tick(10)
    assert state(bench, 2) is JobState.CANCELLED
    assert bench.counts(2) == (14, 0, 0)
    assert bench.states(2).count("u") >= 12
    assert (bench.home.job_results(2) / "unprocessed.csv").read_text().count("@x") == bench.states(2).count("u")
    with pytest.raises(UsageError, match="another job of the name 'news'"):  # the third job waits with them
        retry(bench.home, 2, Selection((ItemState.UNPROCESSED,)), now=bench.now)
    for _ in range(30):
        for attempt in bench.executor.running:
            bench.executor.finish(attempt, Play())
        bench.tick()
    bench.work_off()
    assert bench.mails() == once(range(15))
    assert state(bench, third.job) is JobState.SUCCEEDED
    with pytest.raises(UsageError, match="has done them"):
        retry(bench.home, 2, Selection(), now=bench.now)


def test_another_round_of_the_first_job_leaves_out_what_the_follower_has(tmp_path: Path) -> None:
    bench = News(tmp_path, script=lambda d: Play(code=65) if d.job == 1 and d.item > 8 else Play(hold=d.job == 2))
    bench.line(PEOPLE, policy=Policy(attempts=1))
    bench.line(range(4, 12))  # p8 to p11 fail in the first job
    while bench.job(1).finished_at is None or not bench.job(2).counts.running:
        bench.tick()
    assert bench.counts(2) == (4 - 0, 4, 0)
    with pytest.raises(UsageError, match="another job of the name"):
        retry(bench.home, 1, Selection(), now=bench.now)
    for _ in range(4):
        for attempt in bench.executor.running:
            bench.executor.finish(attempt, Play())
        bench.tick(3)
    bench.work_off()
    with pytest.raises(UsageError, match="has done them"):
        retry(bench.home, 1, Selection(), now=bench.now)


def test_another_round_before_the_follower_decided_is_what_it_waits_for(tmp_path: Path) -> None:
    """No engine lived between the end of the first job and its next round."""
    bench = News(tmp_path, script=lambda d: Play(code=65 if d.job == 1 and d.attempt == 1 else 0))
    bench.line(PEOPLE, policy=Policy(attempts=1))
    while bench.job(1).finished_at is None:
        bench.tick()
    bench.engine = None
    bench.line(PEOPLE, hold=True)  # nothing is open: these are items
    assert bench.counts(2) == (12, 0, 0)
    with pytest.raises(UsageError):
        retry(bench.home, 1, Selection(), now=bench.now)
    bench.cancel(2)
    bench.work_off()
    retry(bench.home, 1, Selection(), now=bench.now)
    third = bench.line(PEOPLE)
    assert third.followed == ((1, 12),)
    bench.start()
    bench.work_off()
    assert bench.states(1) == "s" * 12
    assert bench.counts(third.job) == (0, 12, 0)


def test_deaths_at_every_step_neither_lose_nor_repeat_a_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(followed_rows, "CHUNK", 3)
    bench = News(tmp_path, script=lambda d: Play(code=65 if d.job == 1 and d.item % 2 else 0))
    bench.line(PEOPLE, policy=Policy(attempts=1))
    bench.line(range(14))
    for _ in range(60):
        bench.start(fresh=False)
        bench.tick()
    bench.work_off()
    assert bench.counts(2) == (8, 6, 0)
    assert bench.states(2) == "s" * 8


def test_a_large_input_is_compared_as_well(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed, "HEAD_BYTES", 100)
    monkeypatch.setattr(feed, "PART_BYTES", 50)
    monkeypatch.setattr(large_intake, "PART_ROOM", 0)
    bench = News(tmp_path)
    first = bench.line(range(300))
    second = bench.line(range(301))
    assert (first.items, second.items, second.followed) == (300, 1, ((1, 300),))
    bench.line(range(301))
    bench.work_off(limit=5000)
    assert bench.mails() == once(range(301))


@pytest.mark.parametrize("ends", [False, True])
def test_a_job_that_comes_while_a_large_input_is_written_is_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ends: bool
) -> None:
    monkeypatch.setattr(large_intake, "PART_ROOM", 0)
    bench = News(tmp_path)
    real = large_intake.parts

    def parts(batches: Any) -> Any:
        for part in real(batches):
            yield part
            if bench.database.scalar("SELECT count(*) FROM jobs") == 0:
                monkeypatch.setattr(feed, "HEAD_BYTES", 4 << 20)
                assert bench.line(range(20, 40)).items == 20
                if ends:
                    bench.work_off()

    monkeypatch.setattr(feed, "HEAD_BYTES", 100)
    monkeypatch.setattr(large_intake, "parts", parts)
    second = bench.line(range(60))
    assert (second.job, second.items, second.followed) == (1, 0, ((2, 60),))
    bench.work_off()
    assert bench.mails() == once(range(60))


def test_a_follower_of_a_pruned_job_runs_the_remaining_rows(tmp_path: Path) -> None:
    bench = News(tmp_path, script=lambda d: Play(code=65 if d.job == 1 and d.item < 4 else 0))
    bench.line(PEOPLE, policy=Policy(attempts=1))
    second = bench.line(PEOPLE, hold=True)
    bench.tick(30)
    report = prune(bench.home, PruneOptions(older_than_s=0, include_failed=True), now=bench.now)
    assert [kept.job for kept in report.kept] in ([], [1])
    pause.resume(bench.home, [second.job], now=bench.now)
    bench.work_off()
    assert bench.counts(second.job) == (3, 9, 0)


def test_rows_with_other_content_wait_and_then_run(tmp_path: Path) -> None:
    bench = News(tmp_path)
    bench.line(PEOPLE)
    other = bench.line(PEOPLE, command=("send", "--again", "{email}"))
    assert other.followed == ((1, 12),)
    bench.work_off()
    assert bench.counts(other.job) == (12, 0, 0)
    assert bench.mails() == Counter(dict.fromkeys(once(PEOPLE), 2))


def test_jobs_of_another_name_or_without_keys_do_not_count(tmp_path: Path) -> None:
    bench = News(tmp_path)
    bench.line(PEOPLE, name="olds")
    bench.line(PEOPLE, item_key=None, only_new=False)
    assert bench.line(PEOPLE).items == 12
    assert bench.line(PEOPLE, only_new=False).items == 12  # without --only-new, rows run again
    last = bench.line(PEOPLE)
    assert last.followed == ((3, 12),)
    bench.cancel(3)
    bench.work_off()
    assert bench.counts(last.job) == (0, 12, 0)  # the fourth job has done them


def test_a_cycle_of_waiting_cannot_be(tmp_path: Path) -> None:
    """Rows of each of two jobs in the other: the second waits for the first, never the other way round."""
    bench = News(tmp_path, script=lambda d: Play(code=65 if d.job == 1 and d.attempt == 1 and d.item < 3 else 0))
    bench.line(PEOPLE, policy=Policy(attempts=2, backoff=Backoff(5, 1, 5)))
    bench.line(range(6, 18))
    bench.line(range(24))
    bench.work_off()
    retried = bench.line(range(24))
    assert (retried.items, retried.skipped) == (0, 24)
    assert bench.mails() == once(range(24))


def test_a_run_in_the_foreground_brings_the_jobs_that_it_follows_to_their_end(tmp_path: Path) -> None:
    bench = News(tmp_path)
    bench.line(PEOPLE)  # no daemon runs it
    bench.line(range(14))
    bench.line(PEOPLE, name="other")
    last = bench.line(range(15), foreground=True)
    bench.options = type(bench.options)(slots=2, scope=last.job)
    bench.start()
    while not bench.engine.is_over(bench.now):
        bench.tick()
    assert [state(bench, job) for job in (1, 2, 3, 4)] == ["succeeded", "succeeded", "queued", "succeeded"]
    assert bench.mails() == once(range(15))


def test_an_engine_that_drains_does_not_wait_for_a_job_that_is_held(tmp_path: Path) -> None:
    bench = News(tmp_path, drain=True)
    bench.line(PEOPLE, hold=True)
    bench.line(range(13))
    bench.submit(rows=1, after=((1, "ok"),))
    bench.tick(10)
    assert bench.states(2) == "s"
    assert bench.engine.is_over(bench.now)
    pause.resume(bench.home, [1], now=bench.now)
    bench.tick(2)
    assert not bench.engine.is_over(bench.now)
    bench.work_off()


@pytest.mark.parametrize("on_duplicate", ["return", "resume"])
def test_a_key_of_the_job_finds_the_follower(tmp_path: Path, on_duplicate: Any) -> None:
    bench = News(tmp_path)
    bench.line(PEOPLE)
    second = bench.line(PEOPLE, key="monday", on_duplicate=on_duplicate)
    again = bench.line(PEOPLE, key="monday", on_duplicate=on_duplicate)
    assert (again.job, again.replayed) == (second.job, True)
    bench.work_off()
    assert bench.line(PEOPLE, key="monday", on_duplicate=on_duplicate).job == second.job
    bench.work_off()
    assert bench.mails() == once(PEOPLE)


def test_the_page_of_a_job_says_that_a_retry_leaves_out_what_others_have(tmp_path: Path) -> None:
    bench = News(tmp_path, script=lambda d: Play(code=65 if d.job == 1 else 0))
    bench.line(PEOPLE, policy=Policy(attempts=1))
    bench.work_off()
    assert "other jobs of the name" not in retry_text(bench.document(1))
    bench.line(PEOPLE)
    bench.work_off()
    said = retry_text(bench.document(1))
    assert said.startswith("jobctl retry 1 ") and said.endswith(
        ", without the rows that other jobs of this name have or have done"
    )
    with pytest.raises(UsageError, match="another job of the name"):
        retry(bench.home, 1, Selection(), now=bench.now)


def test_a_follower_that_never_gets_a_slot_holds_no_other_job_up(tmp_path: Path) -> None:
    bench = News(tmp_path, script=lambda d: Play(hold=d.job == 1), slots=1)
    bench.line(PEOPLE)
    bench.line(PEOPLE)
    bench.tick(5)
    assert bench.engine._timeout_s(bench.now) > 0.01  # it does not spin
    for n in range(1, 13):
        bench.executor.finish(AttemptId(1, n, 1), Play())
        bench.tick(2)
    bench.work_off()
    assert bench.counts(2) == (0, 12, 0)


def test_the_same_work_is_refused_while_it_is_live_if_that_is_asked(tmp_path: Path) -> None:
    bench = News(tmp_path)
    bench.line(PEOPLE, unique=True)
    with pytest.raises(KeyConflict, match="the same work is queued already as job 1"):
        bench.line(PEOPLE, unique=True)
    assert not bench.database.scalar("SELECT count(*) FROM followed")
    assert bench.line(range(13), unique=True).items == 1  # with one more row it is other work
    bench.work_off()
    assert bench.line(PEOPLE, unique=True).skipped == 12


@pytest.mark.parametrize("large", [False, True])
def test_a_line_that_is_refused_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, large: bool
) -> None:
    monkeypatch.setattr(large_intake, "PART_ROOM", 0)
    if large:
        monkeypatch.setattr(feed, "HEAD_BYTES", 20)
    bench = News(tmp_path)
    bench.line(PEOPLE)
    with pytest.raises(InputRejected, match="the key of an earlier row"):
        bench.line([*range(14), 3])
    for table in ("followed", "prunings"):
        assert not bench.database.scalar(f"SELECT count(*) FROM {table}")
    assert bench.database.scalar("SELECT count(*) FROM items") == 12


def test_other_work_under_the_key_of_a_follower_is_reported_without_its_rows(tmp_path: Path) -> None:
    bench = News(tmp_path)
    bench.line(PEOPLE)
    bench.line(PEOPLE, key="monday")
    with pytest.raises(KeyConflict) as caught:
        bench.line(range(13), key="monday")
    assert not any("no such row" in line for line in caught.value.details)


def test_a_run_that_finds_a_follower_by_its_key_takes_what_it_follows_along(tmp_path: Path) -> None:
    bench = News(tmp_path)
    bench.line(PEOPLE)
    second = bench.line(range(13), key="monday")
    bench.line(range(13), key="monday", foreground=True)
    assert [bool(bench.job(job).foreground) for job in (1, 2)] == [True, True]
    bench.options = type(bench.options)(slots=2, scope=second.job)
    bench.start()
    while not bench.engine.is_over(bench.now):
        bench.tick()
    assert bench.mails() == once(range(13))


def test_another_round_does_not_forget_what_another_job_has_done_since(tmp_path: Path) -> None:
    bench = News(tmp_path, script=lambda d: Play(code=65) if d.job == 1 and d.item in (1, 2) else Play())
    bench.line(PEOPLE, policy=Policy(attempts=1))
    bench.work_off()
    second = bench.line(range(1, 2))
    assert second.items == 1
    bench.work_off()
    retry(bench.home, 1, Selection(), now=bench.now)  # the first row, which no other job has taken
    bench.work_off()
    assert bench.line(PEOPLE).items == 1
    bench.work_off()
    with pytest.raises(UsageError, match="has done them"):
        retry(bench.home, 1, Selection(), now=bench.now)
    assert bench.mails() == once(PEOPLE)


def test_another_round_does_not_bring_an_old_content_back(tmp_path: Path) -> None:
    bench = News(tmp_path, script=lambda d: Play(code=65) if d.job == 1 and d.item == 1 else Play())
    bench.line(PEOPLE, policy=Policy(attempts=1))
    bench.work_off()
    again = ("send", "--again", "{email}")
    assert bench.line(range(5, 9), command=again).items == 4
    bench.work_off()
    retry(bench.home, 1, Selection(), now=bench.now)
    bench.work_off()
    assert bench.line(range(5, 9), command=again).skipped == 4
