"""Whatever items write or return is settled: nothing of it can end the engine or break a list."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jobctl.domain.endings import Ending
from jobctl.domain.policy import Policy
from jobctl.domain.ports import Calls, Finished, Record, raised_of
from jobctl.domain.selection import Selection
from jobctl.engine.attempts.failure_causes import FailureCauses
from jobctl.services.output.items import item_document
from jobctl.services.selection import SelectedItems
from jobctl.store.views import jobs as job_views
from tests.engine.bench import Bench
from tests.executors.fake import FakeExecutor, Play

DEEP = b"[" * 1500 + b"]" * 1500
HOSTILE = [
    b'{"message":' + DEEP + b"}",
    b'{"message":{"a":' * 300 + b"1" + b"}}" * 300,
    DEEP,
    b'{"message": ' + b"9" * 5000 + b"}",
    b'{"message": "\\ud800 \\udfff"}',
    b'{"message": NaN}',
    b'{"message": "' + b"\\u0000" * 500 + b'"}',
    b"\xff\xfe\x00" * 1000,
    b"\x1b]0;" * 1000,
    b"a+" * 2000,
    b"/a" * 2000,
    b"'\"`" * 1300,
    "‘".encode() * 1300,
    b"\xed\xa0\x80" * 100,
    b"=cmd|' /C calc'!A0",
    b"\r" * 4096,
    b"",
]
NOISE = st.one_of(
    st.binary(max_size=400),
    st.text(max_size=200).map(lambda text: text.encode("utf-8", "surrogatepass")),
    st.recursive(st.none() | st.floats() | st.text(max_size=9), lambda inner: st.lists(inner, max_size=3)).map(
        lambda value: json.dumps({"message": value}).encode()
    ),
)


def ended(folder, tails, said=b""):
    """A bench in a folder, after a job whose items failed with these last lines on stdout, and ``said`` on stderr."""
    bench = Bench(folder, lambda d: Play(code=1, out=tails[d.item - 1], err=said))
    job = bench.submit(rows=len(tails), policy=Policy(attempts=1))
    bench.work_off()
    return bench, job


def documents(bench, job):
    row = job_views.job(bench.database, job)
    found = SelectedItems(bench.database, job, Selection(), now=bench.now).views()
    columns = json.loads(row.columns)
    return [item_document(job, item, columns, row.input_format) for item in found]


def test_every_hostile_last_line_is_a_failure_like_others(tmp_path):
    bench, job = ended(tmp_path, HOSTILE)
    assert bench.states(job) == "f" * len(HOSTILE)
    for document in documents(bench, job):
        json.dumps(document, ensure_ascii=False).encode()
    failed = next(bench.home.job_results(job).glob("failed*")).read_bytes()
    failed.decode()


TAILS = st.lists(st.tuples(NOISE, NOISE), min_size=1, max_size=4)


@settings(max_examples=25)
@given(TAILS)
def test_any_last_line_is_settled(tails):
    is_settled(tails)


@pytest.mark.slow
@settings(max_examples=500)
@given(TAILS)
def test_any_last_line_is_settled_many_times(tails):
    is_settled(tails)


def is_settled(tails):
    with tempfile.TemporaryDirectory() as folder:
        bench, job = ended(Path(folder), [out for out, _ in tails], tails[0][1])
        assert bench.states(job) == "f" * len(tails)
        for document in documents(bench, job):
            json.dumps(document, ensure_ascii=False).encode()
        bench.database.close()


STRANGE = st.recursive(
    st.none() | st.integers() | st.floats() | st.text(st.characters(), max_size=9) | st.binary(max_size=9),
    lambda inner: st.lists(inner, max_size=6).map(tuple),
    max_leaves=8,
)


@given(STRANGE)
def test_the_description_of_an_exception_is_made_sound(fields):
    raised = raised_of(fields)
    assert all(type(text) is str and text.encode() is not None for text in (raised.name, raised.message, raised.where))
    assert raised.after_s is None or 0 <= raised.after_s < 1e13
    assert 0 < raised.code < 256


class Odd(FakeExecutor):
    """Successes of calls come with a last field, or other numbers, that no code expects."""

    strange: tuple = ()
    number = 0

    def collect(self, timeout_s=0):
        events = super().collect(timeout_s)
        for at, event in enumerate(events):
            if not isinstance(event, Finished) or event.ending != Ending.EXITED or event.job != 1:
                continue
            if event.item in dict(self.strange):
                super().acknowledge([event[:3]])
                self.number += 1
                record = list(Record(event.item, event.attempt, event.started_at, 3, 2, 0, 0, 0, 0, None))
                for index, value in dict(self.strange)[event.item]:
                    record[index] = value
                events[at] = Calls(event.job, self.number, 1, 9, 0, 0, 0, 0, (), [tuple(record)])
        return events


@pytest.mark.parametrize(
    "changes",
    [
        [(9, "\ud800")],
        [(9, 5j)],
        [(9, b"x")],
        [(9, [1])],
        [(2, 1 << 70)],
        [(3, -5), (4, b"x" * 9), (5, 1 << 64)],
        [(3, 1 << 80)],
        [(2, float("nan"))],
        [(6, None)],
    ],
    ids=repr,
)
def test_a_strange_record_costs_its_item_alone(tmp_path, changes, capfd):
    bench = Bench(tmp_path)
    bench.executor = Odd(lambda _: Play(), clock=lambda: bench.now)
    bench.executor.strange = ((2, changes),)
    job, other = bench.submit(rows=3, policy=Policy(attempts=1)), bench.submit(rows=2)
    bench.work_off()
    assert bench.states(other) == "ss"
    assert bench.states(job) in ("sfs", "sss")
    if bench.states(job) == "sfs":
        cause = bench.database.scalar("SELECT message FROM attempts WHERE job = ? AND item = 2", (job,))
        assert "could not record its outcome" in cause
        assert capfd.readouterr().err.count("bug in jobctl") == 1


def test_a_bug_in_settling_is_contained_and_logged_once(tmp_path, monkeypatch, capfd):
    broken = FailureCauses._description

    def described(settler, finished, *others):
        if finished.job == 1 and not finished.err_tail:
            raise LookupError("nobody thought of this")
        return broken(settler, finished, *others)

    monkeypatch.setattr(FailureCauses, "_description", described)
    bench = Bench(tmp_path, lambda d: Play(code=3 if (d.job, d.item) == (1, 2) else 0))
    job, other = bench.submit(rows=3, policy=Policy(attempts=2)), bench.submit(rows=2)
    bench.work_off(limit=2000)
    assert bench.states(job) == "sfs"
    assert bench.states(other) == "ss"
    assert "LookupError" in bench.database.scalar("SELECT message FROM attempts WHERE job = ? AND item = 2", (job,))
    assert capfd.readouterr().err.count("is a bug in jobctl") == 1


def test_results_that_nest_deep_are_listed_and_written(tmp_path):
    deep = '{"a":' * 980 + "1" + "}" * 980
    bench = Bench(tmp_path)
    bench.executor = Odd(lambda _: Play(), clock=lambda: bench.now)
    values = [deep, "9" * 5000, '"\\ud800"', "NaN", "no json"]
    bench.executor.strange = tuple((item, [(9, value)]) for item, value in enumerate(values, 1))
    job = bench.submit(rows=len(values))
    bench.work_off()
    assert bench.states(job) == "s" * len(values)
    found = [document["result"] for document in documents(bench, job)]
    assert found == [deep, "9" * 5000, '"\\ud800"', "NaN", "no json"]
    assert len(json.dumps(found)) > len(deep)


def test_a_stored_result_of_any_depth_is_written_to_result_files_of_json(tmp_path):
    """Text as a job of an older jobctl may have it: the stack of the reader must not matter."""
    code = (
        "import json, sys; from jobctl.domain.jsontext import plain_value\n"
        "for depth in (1, 199, 200, 201, 900, 980, 5000):\n"
        "    text = '[' * depth + ']' * depth\n"
        "    value = plain_value(text)\n"
        "    assert (type(value) is str) == (depth > 200), depth\n"
        "    json.dumps(value)\n"
        "wide = json.dumps([{'a': '[{\\\\\\\"'}] * 10_000)\n"
        "assert len(plain_value(wide)) == 10_000\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, env={**os.environ, "PYTHONPATH": ""})
