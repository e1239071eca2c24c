"""Calls of functions keep the executor's contract, and each call's outcome is its own."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

import jobctl
from jobctl.domain.endings import Ending
from jobctl.domain.ports import (
    AttemptId,
    Calls,
    CallSpec,
    Dispatch,
    Event,
    Executor,
    Finished,
    JobSpec,
    OutputFlag,
    Record,
    Returned,
    Started,
    finished_call,
)
from jobctl.executors.local import LocalExecutor
from jobctl.handlers.attempt import Tokens
from jobctl.process.process_status import process_exists
from jobctl.supervisor.calls.call_watch import CallWatch
from jobctl.supervisor.calls.group import CallGroup
from jobctl.supervisor.calls.host import WorkerHost
from jobctl.supervisor.guest import start_guest
from jobctl.supervisor.protocol import page
from jobctl.supervisor.running import Running
from jobctl.worker import main as worker
from tests.executor_contract import ExecutorContract, Listener, Work, batch, id_of, spec_of
from tests.supervisor.harness import SupervisorUnderTest
from tests.wait import wait_until

ITEMS = """
import ctypes, os, signal, sys, time
import jobctl

SEEN = []
SIZE = 7

def do(line):
    word, _, rest = line.partition(" ")
    return globals()["do_" + word](*rest.split())

def do_true(*_): pass
def do_pid(*_): return os.getpid()
def do_exit(code): os._exit(int(code)) if code != "0" else None
def do_stay(*_): time.sleep(1000)
def do_stubborn(*_):
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    while True:
        time.sleep(1000)
def do_sleep(seconds): time.sleep(float(seconds))
def do_raise(text): raise ValueError(text)
def do_permanent(text): raise jobctl.Permanent(text)
def do_retry(after): raise jobctl.Retry("busy", after=float(after))
def do_value(text): return {"text": text, "length": len(text)}
def do_object(*_): return object()
def do_big(size): return "x" * int(size)
def do_print(text):
    print("out", text, flush=True)
    os.write(1, b"raw\\n")
    print("err", text, file=sys.stderr)
def do_talk(text):
    print(text, flush=True)
    time.sleep(1000)
def do_much(size): print("x" * int(size))
def do_crash(*_): ctypes.string_at(0)
def do_kill(number): os.kill(os.getpid(), int(number))
def do_leave(*_): sys.exit(3)
def do_fork(*_):
    if pid := os.fork():
        return os.waitpid(pid, 0)[1]
def do_pid(*_): return os.getpid()
def do_count(*_):
    SEEN.append(1)
    return len(SEEN)
def do_unprintable(*_):
    class Odd(Exception):
        def __str__(self): raise RuntimeError
    raise Odd
def do_surrogate(*_): raise ValueError("\\ud800 \\0 x")
def do_forget(*_): sys.stdout = None
def do_close(*_): sys.stdout.close(), sys.stderr.close()
def do_wander(*_): os.chdir("/")
def do_where(*_): return os.getcwd()
def do_who(*_):
    now = jobctl.current()
    return [now.job, now.item, now.attempt, now.token, repr(now)]

def setup():
    print("ready")
    SEEN.extend([1] * 100)

def broken(): raise OSError("no network")
def two(a, b): return [a, b]
def rest(**row): return row
def one(row): return row
async def later(row): pass
"""


def call_spec(target: str = "items:do", **changes: Any) -> CallSpec:
    spec = CallSpec(os.fsencode(sys.executable), target, "", "", "lines", (), 0)
    return spec._replace(**changes)


class Calling:
    """The local executor with a call for every command, and its outcomes one by one."""

    def __init__(self, executor: LocalExecutor, root: Path) -> None:
        self._executor = executor
        self._numbers: dict[int, set[AttemptId]] = {}
        (root / "items.py").write_text(ITEMS)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._executor, name)

    def define(self, spec: JobSpec) -> None:
        self._executor.define(spec if spec.call else replace(spec, call=call_spec()))

    def collect(self, timeout_s: float | None = 0) -> list[Event]:
        events: list[Event] = []
        for event in self._executor.collect(timeout_s):
            if isinstance(event, Calls):
                alone = [finished_call(event, Record(*record)) for record in event.records]
                self._numbers[event.number] = {id_of(call) for call in alone}
                events += alone
            else:
                events.append(event)
        return events

    def acknowledge(self, attempts: Sequence[AttemptId]) -> None:
        for number, left in list(self._numbers.items()):
            left.difference_update(attempts)
            if not left:
                del self._numbers[number]
                self._executor.acknowledge([], [number])
        self._executor.acknowledge(attempts)


@pytest.fixture
def executor(executor: LocalExecutor, tmp_path: Path) -> Calling:
    return Calling(executor, tmp_path)


class TestCalls(ExecutorContract):
    @pytest.fixture
    def work(self) -> Work:
        return Work(
            succeed=(b"true",),
            exit=lambda code: (b"exit %d" % code,),
            stay=(b"stay",),
            stubborn=(b"stubborn",),
            missing=(b"",),
        )

    def test_a_call_that_cannot_start_has_an_outcome(self, executor: Any, work: Work, tmp_path: Path) -> None:
        executor.define(spec_of(1, tmp_path, call=call_spec("no_such:thing")))
        executor.start(batch(1, work.succeed, range(3)))
        for outcome in Listener(executor).finished(3):
            assert (outcome.ending, outcome.code) == (Ending.NOT_STARTED, 2)
            assert outcome.err_tail == b"ModuleNotFoundError: No module named 'no_such'"

    def test_jobs_take_turns(self, executor: Any, work: Work, tmp_path: Path) -> None:
        executor.resize(1)
        executor.define(spec_of(1, tmp_path))
        executor.define(spec_of(2, tmp_path))
        executor.start(batch(1, (b"sleep 0.02",), range(6)) + batch(2, (b"sleep 0.02",), range(6)))
        jobs = [outcome.job for outcome in Listener(executor).finished(12)]
        assert all(abs(jobs[:n].count(1) - jobs[:n].count(2)) <= 1 for n in range(1, 13))

    def test_outcomes_are_kept_until_acknowledged(self, executor: Any, work: Work, tmp_path: Path) -> None:
        executor.define(spec_of(1, tmp_path))
        executor.start(batch(1, work.succeed, range(2)))
        first = Listener(executor).until(lambda heard: len(heard.of(Finished)) == 2).of(Finished)
        assert sorted(executor.adopt()) == [(1, 0, 1), (1, 1, 1)]
        again = Listener(executor).finished(2)
        assert sorted(again) == sorted(first)
        assert executor.adopt() == []


def run(executor: Any, root: Path, *lines: str, **changes: Any) -> list[Finished]:
    """Run lines as items 0, 1, ... of job 1; their outcomes by item."""
    executor.define(spec_of(1, root, **changes))
    executor.start([Dispatch(1, n, 1, (line.encode(),), ()) for n, line in enumerate(lines)])
    return sorted(Listener(executor).finished(len(lines)), key=lambda outcome: outcome.item)


def read(root: Path, outcome: Finished, stream: str = "out") -> str:
    """The bytes of a stream that were kept."""
    off, length = (outcome.out_off, outcome.out_len) if stream == "out" else (outcome.err_off, outcome.err_len)
    if not length:
        return ""
    with open(root / "logs" / "1" / f"{outcome.log}.{stream}", "rb") as file:
        file.seek(off)
        return file.read(length).decode()


def test_values_and_texts_that_are_not_values(executor: Any, tmp_path: Path) -> None:
    outcomes = run(executor, tmp_path, "value é", "true", "object", "big 700000", "pid")
    assert [outcome.ending for outcome in outcomes] == [Ending.EXITED] * 2 + [Ending.RAISED] + [Ending.EXITED] * 2
    assert [outcome.value for outcome in outcomes[:2]] == ['{"text":"é","length":1}', None]
    assert outcomes[2].raised is not None
    assert outcomes[2].raised[0] == "TypeError"
    assert outcomes[2].code == 65
    assert outcomes[3].value == '"' + "x" * 700_000 + '"'


def test_exceptions_are_reported_in_full(executor: Any, tmp_path: Path) -> None:
    lines = ("raise bad", "permanent gone", "retry 2.5", "leave", "unprintable", "surrogate", "raise again")
    outcomes = run(executor, tmp_path, *lines)
    assert {outcome.ending for outcome in outcomes} == {Ending.RAISED}
    assert [outcome.raised[:4] for outcome in outcomes] == [
        ("ValueError", "bad", 1, None),
        ("Permanent", "gone", 65, None),
        ("Retry", "busy", 75, 2.5),
        ("SystemExit", "3", 1, None),
        ("Odd", "", 1, None),
        ("ValueError", "\\ud800 \0 x", 1, None),
        ("ValueError", "again", 1, None),
    ]
    line = 1 + ITEMS.splitlines().index("def do_raise(text): raise ValueError(text)")
    assert outcomes[0].raised.where == f"items.py:{line}"
    assert read(tmp_path, outcomes[0], "err").splitlines()[-1] == "ValueError: bad"
    assert "worker" not in read(tmp_path, outcomes[0], "err")


def test_output_is_kept_item_by_item(executor: Any, tmp_path: Path) -> None:
    lines = [f"print {n}" if n % 3 else "true" for n in range(400)]
    outcomes = run(executor, tmp_path, *lines)
    for n, outcome in enumerate(outcomes):
        assert read(tmp_path, outcome) == (f"out {n}\nraw\n" if n % 3 else "")
        assert read(tmp_path, outcome, "err") == (f"err {n}\n" if n % 3 else "")
        assert bool(outcome.log) == bool(n % 3)


def test_output_over_the_cap_is_cut_and_damages_no_other_output(executor: Any, tmp_path: Path) -> None:
    lines = [f"print {n}" for n in range(50)] + ["much 300000", "print 51", "much 30000", "much 99"]
    outcomes = run(executor, tmp_path, *lines, slots=1, output_cap=1000)
    assert [outcome.item for outcome in outcomes if outcome.flags & OutputFlag.CUT] == [50, 52]
    assert "left out" in read(tmp_path, outcomes[50])
    assert [read(tmp_path, outcomes[n]) for n in (49, 51)] == ["out 49\nraw\n", "out 51\nraw\n"]
    assert read(tmp_path, outcomes[53]) == "x" * 99 + "\n"


@pytest.mark.parametrize(
    ("line", "ending", "code"),
    [
        ("crash", Ending.SIGNALLED, 11),
        ("kill 9", Ending.SIGNALLED, 9),
        ("exit 7", Ending.EXITED, 7),
    ],
)
def test_the_death_of_a_worker_fails_one_item(executor: Any, tmp_path: Path, line: str, ending: int, code: int) -> None:
    lines = ["count"] * 300 + [line] + ["count"] * 300
    outcomes = run(executor, tmp_path, *lines, slots=1)
    assert [outcome.item for outcome in outcomes if outcome.ending != Ending.EXITED or outcome.code] == [300]
    assert (outcomes[300].ending, outcomes[300].code) == (ending, code)
    counted = [int(outcome.value or 0) for outcome in outcomes]
    assert counted[:300] == list(range(1, 301)), "none ran twice"
    assert counted[301:] == list(range(1, 301))


def test_an_exit_with_0_is_not_a_success(executor: Any, tmp_path: Path) -> None:
    (tmp_path / "odd.py").write_text("import os\ndef leave(line): os._exit(0)")
    (outcome,) = run(executor, tmp_path, "x", call=call_spec("odd:leave"))
    assert outcome.ending == Ending.RAISED
    assert outcome.raised is not None
    assert outcome.raised[0] == "WorkerExit"


def test_changes_by_a_call_are_undone_for_the_next_call(executor: Any, tmp_path: Path) -> None:
    lines = ["forget", "print 1", "close", "print 3", "wander", "where", "print 6", "raise bad"]
    outcomes = run(executor, tmp_path, *lines, slots=1)
    assert [read(tmp_path, outcomes[n]) for n in (1, 3, 6)] == [f"out {n}\nraw\n" for n in (1, 3, 6)]
    assert [read(tmp_path, outcomes[n], "err") for n in (1, 3, 6)] == [f"err {n}\n" for n in (1, 3, 6)]
    assert outcomes[5].value == f'"{tmp_path}"'
    assert read(tmp_path, outcomes[7], "err").endswith("ValueError: bad\n")
    assert len({outcome.ending for outcome in outcomes[:7]}) == 1


@pytest.mark.parametrize("named", [False, True])
def test_a_function_can_ask_for_which_item_it_runs(executor: Any, tmp_path: Path, named: bool) -> None:
    outcomes = run(executor, tmp_path, "who", "who x", slots=1, call=call_spec(token_of="u-1", named=named))
    for n, line in enumerate((b"who", b"who x")):
        _, _, token = Tokens("u-1", named=named).environment(n, 1, line)
        told = [1, n, 1, token.decode().removeprefix("JOBCTL_TOKEN="), f"<item 1.{n}, attempt 1>"]
        assert json.loads(outcomes[n].value or "") == told
    with pytest.raises(RuntimeError, match="there is no item"):
        jobctl.current()


def test_a_child_that_comes_back_does_no_work(executor: Any, tmp_path: Path) -> None:
    outcomes = run(executor, tmp_path, *["fork", "true"] * 10, slots=1)
    assert [outcome.value for outcome in outcomes] == ["0", None] * 10


def test_time_limits_are_those_of_items(executor: Any, tmp_path: Path) -> None:
    lines = ["sleep 0.001"] * 100 + ["sleep 9"] + ["sleep 0.001"] * 100
    outcomes = run(executor, tmp_path, *lines, slots=1, timeout_s=0.3)
    assert [outcome.item for outcome in outcomes if outcome.ending != Ending.EXITED] == [100]
    assert outcomes[100].ending == Ending.TIMED_OUT
    assert 290_000 < outcomes[100].duration_us < 1_500_000
    assert {outcome.attempt for outcome in outcomes} == {1}


def test_each_call_has_its_own_limit_if_the_job_has_several(executor: Any, tmp_path: Path) -> None:
    executor.define(spec_of(1, tmp_path, timeout_s=1000.0, timeouts_s=(1000.0, 0.2)))
    executor.start([Dispatch(1, n, 1, (b"sleep 0.6",), (), limit=n % 2) for n in range(4)])
    outcomes = {outcome.item: outcome.ending for outcome in Listener(executor).finished(4)}
    assert {item for item, ending in outcomes.items() if ending == Ending.TIMED_OUT} == {1, 3}


def test_a_slow_call_keeps_none_waiting_behind_it(executor: Any, tmp_path: Path) -> None:
    executor.define(spec_of(1, tmp_path, slots=2))
    lines = ["true"] * 500 + ["stay"] + ["true"] * 500
    executor.start([Dispatch(1, n, 1, (line.encode(),), ()) for n, line in enumerate(lines)])
    heard = Listener(executor)
    assert len(heard.finished(1000)) == 1000
    heard.until(lambda heard: heard.of(Started))
    assert {started.item for started in heard.of(Started)} == {500}
    executor.cancel([AttemptId(1, 500, 1)], 1.0)
    heard.until(lambda heard: len(heard.of(Finished)) == 1001)
    assert heard.of(Finished)[-1].ending == Ending.CANCELLED


@pytest.mark.parametrize("cap", [0, 1000])
def test_calls_before_a_slow_one_are_reported_with_their_output(executor: Any, tmp_path: Path, cap: int) -> None:
    executor.define(spec_of(1, tmp_path, slots=1, output_cap=cap))
    executor.start(batch(1, (b"true",), range(600)))
    heard = Listener(executor)
    heard.finished(600)
    lines = [f"print {n}" for n in range(60)] + ["much 3000", "print last", "talk slow", "print after"]
    executor.start([Dispatch(1, 1000 + n, 1, (line.encode(),), ()) for n, line in enumerate(lines)])
    outcomes = heard.finished(662)[600:]
    assert [read(tmp_path, outcome) for outcome in outcomes[:60]] == [f"out {n}\nraw\n" for n in range(60)]
    assert [read(tmp_path, outcome, "err") for outcome in outcomes[:60]] == [f"err {n}\n" for n in range(60)]
    assert (outcomes[60].flags == OutputFlag.CUT) == bool(cap)
    assert read(tmp_path, outcomes[61]) == "out last\nraw\n"
    heard.until(lambda heard: heard.of(Started))
    assert sorted(executor.adopt()) == [(1, 1062, 1), (1, 1063, 1)]
    executor.cancel([AttemptId(1, 1062, 1)], 5.0)
    slow, after = heard.finished(664)[662:]
    assert (slow.item, slow.ending, read(tmp_path, slow)) == (1062, Ending.CANCELLED, "slow\n")
    assert read(tmp_path, after) == "out after\nraw\n"


def test_a_cancelled_call_that_has_not_begun_is_returned(executor: Any, tmp_path: Path) -> None:
    executor.define(spec_of(1, tmp_path, slots=1))
    executor.start(batch(1, (b"true",), range(600)))
    heard = Listener(executor)
    heard.finished(600)
    lines = ["stay"] + ["true"] * 50
    executor.start([Dispatch(1, 1000 + n, 1, (line.encode(),), ()) for n, line in enumerate(lines)])
    heard.until(lambda heard: heard.of(Started))
    executor.cancel([AttemptId(1, 1020, 1)], 5.0)
    heard.until(lambda heard: heard.of(Returned))
    assert [id_of(event) for event in heard.of(Returned)] == [(1, 1020, 1)]
    executor.recall(1)
    heard.until(lambda heard: len(heard.of(Returned)) == 50)
    assert executor.adopt() == [(1, 1000, 1)]


def test_a_worker_is_warm_until_it_is_recycled(executor: Any, tmp_path: Path) -> None:
    assert len({outcome.value for outcome in run(executor, tmp_path, *["pid"] * 300, slots=1)}) == 1
    executor.forget(1)
    again = run(executor, tmp_path, *["count"] * 300, slots=1, call=call_spec(recycle=70))
    assert [int(outcome.value or 0) for outcome in again] == [1 + n % 70 for n in range(300)]


def test_a_start_is_never_reported_after_the_end(executor: Any, tmp_path: Path) -> None:
    executor.define(spec_of(1, tmp_path, slots=1))
    executor.start(batch(1, (b"sleep 0.03",), range(8)))
    heard = Listener(executor)
    heard.finished(8)
    executor.start(batch(1, (b"true",), [100]))
    heard.finished(9)
    ended: set[AttemptId] = set()
    for event in heard.events:
        if isinstance(event, Finished):
            ended.add(id_of(event))
        else:
            assert id_of(event) not in ended


def test_jobs_that_take_turns_keep_their_workers(executor: Any, tmp_path: Path) -> None:
    executor.resize(1)
    for job in (1, 2, 3):
        executor.define(spec_of(job, tmp_path))
        executor.start(batch(job, (b"pid",), range(20)))
    outcomes = Listener(executor).finished(60)
    assert len({outcome.value for outcome in outcomes}) == 3


def test_setup_runs_once_in_each_worker(executor: Any, tmp_path: Path) -> None:
    outcomes = run(executor, tmp_path, *["count"] * 3, slots=1, call=call_spec(setup="items:setup"))
    assert [outcome.value for outcome in outcomes] == ["101", "102", "103"]
    executor.forget(1)
    (failed,) = run(executor, tmp_path, "count", call=call_spec(setup="items:broken"))
    assert failed.raised[:4] == ("OSError", "no network", 1, None)
    assert failed.flags == OutputFlag.SETUP
    assert read(tmp_path, failed, "err").splitlines()[-1] == "OSError: no network"


@pytest.mark.parametrize(
    ("target", "style", "value"),
    [
        ("items:two", "", '["1","2"]'),
        ("items:rest", "", '{"a":"1","b":"2"}'),
        ("items:one", "", '{"a":"1","b":"2"}'),
        ("items:one", "dict", '{"a":"1","b":"2"}'),
        ("builtins:len", "", "2"),
    ],
)
def test_how_a_row_is_handed_over(executor: Any, tmp_path: Path, target: str, style: str, value: str) -> None:
    spec = call_spec(target, style=style, input_format="csv", columns=("a", "b"))
    (outcome,) = run(executor, tmp_path, "1\x002", call=spec)
    assert outcome.value == value


def test_json_rows_keep_their_types(executor: Any, tmp_path: Path) -> None:
    spec = call_spec("items:two", input_format="jsonl", columns=("a", "b"))
    (outcome,) = run(executor, tmp_path, '{"a": 1.5, "b": {"c": null}}', call=spec)
    assert outcome.value == '[1.5,{"c":null}]'


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("items:nothing", "items has no 'nothing'"),
        ("items:SEEN", "items:SEEN is not a function but a list"),
        ("items:SIZE", "items:SIZE is not a function but an int"),
        ("items:later", "is an async function"),
        ("items:two", "items:two(a, b) takes neither the columns (a, c) as keyword arguments nor one dict"),
    ],
)
def test_the_message_says_why_it_cannot_call(executor: Any, tmp_path: Path, target: str, words: str) -> None:
    spec = call_spec(target, input_format="csv", columns=("a", "c"))
    (outcome,) = run(executor, tmp_path, "1\x002", call=spec)
    assert outcome.ending == Ending.NOT_STARTED
    assert words in outcome.err_tail.decode()


@pytest.mark.parametrize(("code", "said"), [("os._exit(3)", "exit code 3"), ("os.abort()", "signal 6")])
def test_a_worker_that_dies_while_it_loads_says_so(executor: Any, tmp_path: Path, code: str, said: str) -> None:
    (tmp_path / "dies.py").write_text(f"import os\n{code}\n")
    (outcome,) = run(executor, tmp_path, "x", call=call_spec("dies:f"))
    assert outcome.ending == Ending.NOT_STARTED
    assert f"{said} while it loaded dies:f" in outcome.err_tail.decode()


def test_an_engine_may_die_before_it_acknowledges_calls(supervisor: SupervisorUnderTest, tmp_path: Path) -> None:
    executor = Calling(supervisor.start(), tmp_path)
    executor.resize(2)
    executor.define(spec_of(1, tmp_path))
    executor.start([Dispatch(1, n, 1, (b"count",), ()) for n in range(500)])
    executor.start([Dispatch(1, 1000, 1, (b"stay",), ())])
    Listener(executor).until(lambda heard: len(heard.of(Finished)) == 500)
    supervisor.end_engine(1)
    executor = Calling(supervisor.next_engine(), tmp_path)
    assert sorted(executor.adopt()) == [(1, n, 1) for n in [*range(500), 1000]]
    heard = Listener(executor)
    assert len(heard.finished(500)) == 500
    heard.until(lambda heard: heard.of(Started))
    assert executor.adopt() == [(1, 1000, 1)]


def test_idle_workers_end_with_their_job(executor: Any, tmp_path: Path) -> None:
    (outcome,) = run(executor, tmp_path, "pid")
    began = time.monotonic()
    executor.forget(1)
    executor.close(60.0)
    with pytest.raises(ProcessLookupError):
        os.kill(int(outcome.value or 0), 0)
    assert time.monotonic() - began < 60.0


def test_worker_and_supervisor_agree_on_the_layout_of_the_page() -> None:
    layout = ("NOW", "DONE", "DONE_AT", "WORD", "LIMIT_AT", "FAULT_AT", "RSS_AT", "TOOK_AT", "RECORDS_AT")
    names = (*layout, "NOT_LOADED", "SETUP_RAISED", "OUTPUT_SPOILT")
    for name in names:
        ours, theirs = getattr(page, name), getattr(worker, "_" + name)
        assert getattr(ours, "format", ours) == getattr(theirs, "format", theirs)
    records = [(n, 1, 1 << 50, n, n, 0, n, 0, n, None if n % 2 else '{"é": 1}') for n in range(300)]
    assert page.unpack(300, page.pack(records)) == records


def test_calls_that_ended_beyond_the_limit_are_not_given_to_another_worker() -> None:
    """The worker continued until it saw the limit: calls 0 to 4 have ended, none runs, and the limit was 2."""
    kept: list[int] = []
    group = SimpleNamespace(
        now=lambda: (-1, 0, 0, 0),
        done=lambda: (5, 0, 0),
        batch=[()] * 9,
        has=lambda _index: False,
        cut=lambda keep: kept.append(keep) or [],
        settle_ended=lambda: None,
    )
    worker = SimpleNamespace(plan=SimpleNamespace(timeout_s=None), deadline=0.0, line=None)
    backlog = SimpleNamespace(return_unstarted=lambda _line, _dispatches: None)
    host = SimpleNamespace(attempts=SimpleNamespace(backlog=backlog))
    watch = CallWatch(cast(WorkerHost, host), cast(Running, worker), cast(CallGroup, group))
    watch._limit = 2
    watch.look(0.0, is_loaded=True)
    assert kept == [5]


def test_workers_of_a_job_that_the_next_engine_does_not_know_leave_at_once(
    supervisor: SupervisorUnderTest, executor: Calling, tmp_path: Path
) -> None:
    for job in (1, 2):
        executor.define(spec_of(job, tmp_path, slots=1))
        executor.start(batch(job, (b"pid",), range(1)))
    outcomes = Listener(cast("Executor", executor)).finished(2)
    one = next(int(str(outcome.value)) for outcome in outcomes if outcome.job == 1)
    supervisor.end_engine(1)
    after = supervisor.next_engine()
    after.adopt()
    after.define(spec_of(2, tmp_path, slots=1, call=call_spec()))
    after.start(batch(2, (b"true",), range(5, 6)))
    wait_until(lambda: not process_exists(one), 60, "the end of the worker of the job that is over")
    assert Listener(cast("Executor", Calling(after, tmp_path))).finished(1)


def test_calls_of_a_guest_are_not_reported_after_its_end(tmp_path: Path) -> None:
    """Put kept outcomes into /, as a user could who may write there."""
    first, second = start_guest(), None
    try:
        executor = Calling(LocalExecutor(first.end, fresh=True), tmp_path)
        executor.adopt()
        executor.define(spec_of(1, tmp_path))
        executor.start(batch(1, (b"true",), range(3)))
        Listener(cast("Executor", executor)).until(lambda heard: len(heard.of(Finished)) == 3)
        first.process.kill()
        second = start_guest()
        assert LocalExecutor(second.end, fresh=True).adopt() == []
    finally:
        for guest in (first, second):
            if guest is not None:
                guest.end.close()
                guest.process.wait(60)
