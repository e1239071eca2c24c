"""Keys: the same work is the same job, other work is refused with both named, a rejected input takes no key."""

from __future__ import annotations

import io

import pytest

from jobctl.domain.durations import format_time
from jobctl.domain.policy import Policy
from jobctl.domain.states import JobState
from jobctl.errors import InputRejected, KeyConflict, UsageError
from jobctl.services.submit.request import SubmitRequest
from jobctl.services.submit.submit import submit
from jobctl.sources.options import InputOptions
from tests.engine.bench import SECOND, Bench, state
from tests.executors.fake import Play


class Counter(Bench):
    """A bench to which files are submitted."""

    def give(self, text, *, name="in.csv", command=("echo", "{id}"), **options):
        path = self.root / name
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        request = SubmitRequest(
            input=InputOptions(str(path), **options.pop("reading", {})), command=command, cwd=str(self.root), **options
        )
        return submit(self.home, request, now=self.now, stdin=io.BytesIO())

    def jobs(self):
        return self.database.scalar("SELECT count(*) FROM jobs")


@pytest.fixture
def bench(tmp_path):
    return Counter(tmp_path)


ROWS = "id,v\n1,a\n2,b\n3,c\n"


def test_the_same_work_under_a_key_is_the_same_job(bench):
    first = bench.give(ROWS, key="k")
    again = bench.give(ROWS, key="k")
    assert (again.job, again.uid, again.replayed, again.items) == (first.job, first.uid, True, 3)
    assert not first.replayed
    assert bench.jobs() == 1
    bench.work_off()
    assert bench.give(ROWS, key="k").job == first.job
    assert bench.states(1) == "sss"
    assert len(bench.executor.dispatched) == 3


@pytest.mark.parametrize(
    ("text", "options"),
    [
        ("\ufeffid,v\r\n1,a\r\n2,b\r\n3,c\r\n", {}),
        ('id,v\n"1",a\n2,"b"\n3,c\n', {}),
        (ROWS, {"name": "renamed.csv"}),
        (ROWS, {"priority": 9, "labels": {"a": "b"}, "queue": "q"}),
        (ROWS, {"policy": Policy(slots=1, attempts=9, rate="1/s")}),
        ("id;v\n1;a\n2;b\n3;c\n", {"reading": {"delimiter": ";"}}),
    ],
    ids=["bom and line ends", "quotes", "another file", "labels", "policy", "delimiter"],
)
def test_options_that_do_not_affect_results_are_the_same_work(bench, text, options):
    bench.give(ROWS, key="k")
    assert bench.give(text, key="k", **options).replayed


@pytest.mark.parametrize(
    ("text", "options", "said"),
    [
        ("id,v\n1,a\n2,X\n3,c\n", {}, "row 2 is the first that differs: '2, b' then, '2, X' now"),
        ("id,v\n1,a\n2,b\n", {}, "row 3 is the first that differs: '3, c' then, no such row now"),
        (ROWS + "4,d\n", {}, "row 4 is the first that differs: no such row then, '4, d' now"),
        ("id,w\n1,a\n2,b\n3,c\n", {}, "the columns: id, v then, id, w now"),
        (ROWS, {"command": ("echo", "{v}")}, 'the command: command ["echo","{id}"] then, command ["echo","{v}"] now'),
        (
            ROWS,
            {"command": (), "shell": "echo {id}"},
            'the command: command ["echo","{id}"] then, shell "echo {id}" now',
        ),
        (ROWS, {"env": ("A=1",)}, 'env: {} then, {"A":"1"} now'),
    ],
)
def test_other_work_is_refused_with_both_fingerprints_and_the_difference(bench, text, options, said):
    first = bench.give(ROWS, key="k")
    with pytest.raises(KeyConflict) as caught:
        bench.give(text, key="k", **options)
    error = caught.value
    assert f"key 'k' belongs to job {first.job}" in error.message
    fingerprints = [line.rpartition(" ")[2] for line in error.details[:2]]
    assert fingerprints[0] == bench.database.scalar("SELECT fingerprint FROM jobs")
    assert len(set(fingerprints)) == 2
    assert said in error.details
    assert bench.jobs() == 1


def test_a_row_that_would_write_to_the_terminal_is_shown_harmless_and_cut(bench):
    bench.give(ROWS, key="k")
    with pytest.raises(KeyConflict) as caught:
        bench.give("id,v\n1,\x1b[2J" + "x" * 500 + "\n", key="k")
    line = next(line for line in caught.value.details if line.startswith("row 1 "))
    assert "\x1b" not in line
    assert len(line) < 250


def test_in_a_big_file_the_one_row_that_differs_is_found(bench):
    rows = [f"{n},v" for n in range(20_000)]
    bench.give("id,v\n" + "\n".join(rows) + "\n", key="k")
    rows[17_654] = "17654,w"
    with pytest.raises(KeyConflict) as caught:
        bench.give("id,v\n" + "\n".join(rows) + "\n", key="k")
    assert "row 17655 is the first that differs: '17654, v' then, '17654, w' now" in caught.value.details


def test_a_rejected_input_takes_no_key(bench):
    for bad in ("id,v\n1,a\n2\n", "id,v\n", "id,v\n1,\xff".encode("latin-1")):
        with pytest.raises(InputRejected):
            bench.give(bad, key="k")
        assert bench.jobs() == 0
    assert not bench.give(ROWS, key="k").replayed


def test_a_bad_input_with_a_known_key_is_rejected_and_the_job_stays(bench):
    bench.give(ROWS, key="k")
    with pytest.raises(InputRejected):
        bench.give("id,v\n1\n", key="k")
    assert bench.jobs() == 1


def test_a_duplicate_can_be_an_error(bench):
    bench.give(ROWS, key="k", on_duplicate="fail")
    with pytest.raises(KeyConflict, match="key 'k' was used already: job 1, queued"):
        bench.give(ROWS, key="k", on_duplicate="fail")


def test_resume_converges_and_then_does_nothing(tmp_path):
    bad = {2, 3}
    bench = Counter(tmp_path, script=lambda d: Play(code=65 if d.item in bad else 0))
    assert bench.give(ROWS, key="k", on_duplicate="resume").resumed == 0
    assert bench.give(ROWS, key="k", on_duplicate="resume").resumed == 0  # it is still at work
    bench.work_off()
    for repaired, resumed in ((2, 2), (3, 1)):
        bad.remove(repaired)
        assert bench.give(ROWS, key="k", on_duplicate="resume").resumed == resumed
        bench.work_off()
    assert state(bench, 1) is JobState.SUCCEEDED
    assert bench.job(1).round == 3
    assert bench.give(ROWS, key="k", on_duplicate="resume").resumed == 0
    assert (state(bench, 1), bench.job(1).round) == (JobState.SUCCEEDED, 3)
    assert len(bench.executor.dispatched) == 3 + 2 + 1


def test_a_round_that_resume_begins_has_the_deadline_of_its_submission(tmp_path):
    """A nightly job with ``--deadline 06:00``: the deadline of the last night has passed."""
    bench = Counter(tmp_path, script=lambda _: Play(code=65))
    bench.now = bench.now // SECOND * SECOND
    night = 86_400 * SECOND

    def give(**policy):
        return bench.give(ROWS, key="k", on_duplicate="resume", policy=Policy(**policy)).resumed

    def until(at):
        return {"deadline_at": format_time(at)}

    first = bench.now + 60 * SECOND
    give(**until(first))
    bench.work_off()
    bench.now += night
    with pytest.raises(UsageError, match="has passed"):
        give(**until(first))
    assert give(**until(first + night)) == 3
    assert bench.job(1).deadline_at == first + night
    bench.work_off()
    assert give(deadline_s=90.0) == 3
    assert (bench.job(1).deadline_at, bench.job(1).policy.deadline_at) == (bench.now + 90 * SECOND, None)
    bench.work_off()
    assert give(**until(first + 2 * night)) == 3
    bench.work_off()
    assert give() == 3
    assert bench.job(1).deadline_at is None


def test_resume_leaves_unknown_outcomes_alone(tmp_path):
    bench = Counter(tmp_path, script=lambda _: Play(lost=True))
    bench.give(ROWS, key="k", policy=Policy(on_crash="fail"))
    bench.work_off()
    assert bench.states(1) == "fff"
    assert bench.give(ROWS, key="k", on_duplicate="resume").resumed == 0
    assert state(bench, 1) is JobState.FAILED


def test_unique_refuses_the_same_work_while_it_is_live(bench):
    bench.give(ROWS, unique=True)
    with pytest.raises(KeyConflict, match="the same work is queued already as job 1"):
        bench.give(ROWS, unique=True)
    assert bench.give("id,v\n1,a\n", unique=True).job
    assert bench.jobs() == 2
    bench.work_off()
    bench.give(ROWS, unique=True)
    assert bench.jobs() == 3


def test_without_a_key_nothing_is_the_same(bench):
    assert [bench.give(ROWS).job for _ in range(3)] == [1, 2, 3]


@pytest.mark.parametrize("key", ["", " ", "a b", "a\n", "ä", "x" * 129, "a;b", "$(id)"])
def test_an_invalid_key_is_refused(bench, key):
    with pytest.raises(UsageError, match=r"--key .* cannot be used"):
        bench.give(ROWS, key=key)
    assert bench.jobs() == 0


def test_a_key_lives_as_long_as_its_job(bench):
    bench.give(ROWS, key="k")
    bench.work_off()
    with bench.database.transaction():
        bench.database.execute("DELETE FROM items")
        bench.database.execute("DELETE FROM jobs")
    assert not bench.give(ROWS, key="k").replayed
