"""A worker runs code of the user: whatever that does to descriptors and memory costs the call and its worker alone."""

from __future__ import annotations

import os
import random
import resource
import signal
import struct
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobctl.domain.endings import Ending
from jobctl.domain.ports import AttemptId, Dispatch, Executor, Finished, OutputFlag, Returned
from jobctl.executors.local import LocalExecutor
from jobctl.process.process_status import process_exists
from jobctl.supervisor.calls.group import connect
from jobctl.supervisor.calls.records import check_records
from jobctl.supervisor.job_plan import PressureError
from jobctl.supervisor.protocol import page as pages
from tests.executor_contract import Listener, spec_of
from tests.stages import few
from tests.supervisor.calls.test_calls import Calling, call_spec
from tests.supervisor.harness import SupervisorUnderTest
from tests.wait import wait_until

HOSTILE = """
import ctypes, fcntl, mmap, os, socket, sys, threading, time

def do(line):
    word, _, rest = line.partition(" ")
    return globals()["do_" + word](*rest.split())

def do_true(*_): return 1

def all_low(act):
    for fd in range(3, 1024):
        try:
            act(fd)
        except (OSError, ValueError):
            pass

def do_write(*_): all_low(lambda fd: os.write(fd, b"x" * 99))
def do_read(*_): all_low(lambda fd: (os.set_blocking(fd, False), os.read(fd, 99)))
def do_close(*_): os.closerange(3, 1024)
def do_truncate(*_): all_low(lambda fd: os.ftruncate(fd, 0))
def do_map(*_): all_low(lambda fd: mmap.mmap(fd, 4096).__setitem__(slice(0, 4096), b"x" * 4096))
def do_replace(*_):
    with open(os.devnull, "r+") as null:
        all_low(lambda fd: os.dup2(null.fileno(), fd))
def do_closeall(*_): os.closerange(3, 1 << 20)
def do_vanish(*_): os._exit(0)
def do_become(*_): os.execv("/bin/sleep", ["sleep", "300"])
def do_linger(*_):
    os.closerange(3, 1 << 20)
    time.sleep(300)
def do_cfork(*_):  # a library forks, and Python does not know of it
    if ctypes.CDLL(None).fork() == 0:
        return "child"
    return "parent"
def do_thread(*_):
    threading.Thread(target=lambda: (time.sleep(0.05), print("late", flush=True)), daemon=True).start()
def do_disconnect_later(*_):
    def disconnect():
        time.sleep(0.05)
        for fd in ours("socket:"):
            socket.socket(fileno=os.dup(fd)).shutdown(socket.SHUT_RDWR)
        os.kill(os.getpid(), 19)
    threading.Thread(target=disconnect, daemon=True).start()
def do_oddexception(*_):
    class Meta(type):
        @property
        def __name__(cls): return 5
    class Odd(Exception, metaclass=Meta):
        def __str__(self): sys.exit(3)
    raise Odd
def do_nan(*_):
    import jobctl
    error = jobctl.Retry("later")
    error.after = float("nan")
    raise error
def do_longname(*_): raise type("X" * 100_000, (Exception,), {})("y" * 100_000)

def ours(kind):
    for name in os.listdir("/proc/self/fd"):
        try:
            if int(name) > 2 and kind in os.readlink("/proc/self/fd/" + name):
                yield int(name)
        except OSError:
            pass

def do_scribble(offset, data):
    for fd in ours("memfd:jobctl-worker"):
        try:
            os.pwrite(fd, bytes.fromhex(data), int(offset))
        except OSError:
            pass

def do_scribble_later(offset, data):
    time.sleep(0.2)
    do_scribble(offset, data)
    open("scribbled", "w").close()
    time.sleep(300)

def do_shrink(size):
    for fd in ours("memfd:jobctl-worker"):
        os.ftruncate(fd, int(size))

def do_say(data):
    for fd in ours("socket:"):
        try:
            os.write(fd, bytes.fromhex(data))
        except OSError:
            pass
"""


@pytest.fixture
def executor(executor: LocalExecutor, tmp_path: Path) -> Calling:
    (tmp_path / "hostile.py").write_text(HOSTILE)
    executor.resize(4)
    return Calling(executor, tmp_path)


def hurt(executor: Any, root: Path, *lines: str, **changes: Any) -> list[Finished]:
    """Make these calls in one slot while another job runs, which must succeed; their outcomes in order."""
    if 9 not in executor.__dict__.setdefault("defined", set()):
        executor.defined.add(9)
        executor._executor.define(spec_of(9, root, slots=1))
    first = executor.__dict__.setdefault("next", 0)
    executor.next = first + len(lines)
    executor.start([Dispatch(9, first, 1, (b"sh", b"-c", b"sleep 0.1; echo ok"), ())])
    executor.define(spec_of(1, root, slots=1, call=call_spec("hostile:do"), **changes))
    executor.start([Dispatch(1, first + n, 1, (line.encode(),), ()) for n, line in enumerate(lines)])
    waiting = {AttemptId(1, first + n, 1) for n in range(len(lines))} | {AttemptId(9, first, 1)}
    heard, found = Listener(cast("Executor", executor)), []

    def all_ended(_: Any) -> bool:
        done = {event[:3]: event for event in heard.events if isinstance(event, Finished | Returned)}
        return waiting <= set(done)

    heard.until(all_ended)
    found = [event for event in heard.events if isinstance(event, Finished | Returned)]
    executor.acknowledge([AttemptId(*event[:3]) for event in found if isinstance(event, Finished)])
    other = [event for event in found if event.job == 9]
    assert [(event.ending, event.code) for event in other] == [(Ending.EXITED, 0)]
    return sorted((event for event in found if event.job == 1), key=lambda event: event.item)


@pytest.mark.parametrize("word", ["write", "read", "close", "truncate", "map", "replace"])
def test_low_descriptors_belong_to_the_user(executor: Any, tmp_path: Path, word: str) -> None:
    if 0 <= resource.getrlimit(resource.RLIMIT_NOFILE)[1] < 1040:
        pytest.skip("no descriptor is out of reach of a loop over all 1024 that may be open here")
    outcomes = hurt(executor, tmp_path, "true", *[word, "true"] * 3)
    assert [outcome.ending for outcome in outcomes] == [Ending.EXITED] * 7, outcomes
    assert [outcome.value for outcome in outcomes[::2]] == ["1"] * 4


def test_a_call_that_closes_everything_costs_itself_and_says_why(executor: Any, tmp_path: Path) -> None:
    outcomes = hurt(executor, tmp_path, "true", "closeall", "true")
    assert [outcome.ending for outcome in outcomes] == [Ending.EXITED] * 3
    assert [outcome.code for outcome in outcomes] == [0, 1, 0]
    assert b"the call closed a descriptor that its worker needs" in outcomes[1].err_tail


@pytest.mark.parametrize("word", ["become", "linger"])
def test_a_call_that_closes_its_socket_and_continues_has_failed(executor: Any, tmp_path: Path, word: str) -> None:
    outcomes = hurt(executor, tmp_path, "true", word, "true", grace_s=0.2)
    assert [outcome.ending for outcome in outcomes] == [Ending.EXITED, Ending.RAISED, Ending.EXITED], outcomes
    assert (
        outcomes[1].raised.name == "BrokenWorker" and "it closed its socket and continued" in outcomes[1].raised.message
    )


def test_a_worker_that_closes_its_socket_while_it_waits_gets_no_more_calls(executor: Any, tmp_path: Path) -> None:
    assert hurt(executor, tmp_path, "disconnect_later", grace_s=0.2)[0].ending == Ending.EXITED
    time.sleep(0.2)
    assert hurt(executor, tmp_path, "true", grace_s=0.2)[0].value == "1"


def test_calls_that_fork_exit_and_print_late(executor: Any, tmp_path: Path) -> None:
    outcomes = hurt(executor, tmp_path, "cfork", "true", "vanish", "thread", "true")
    assert [outcome.value for outcome in outcomes] == ['"parent"', "1", None, None, "1"]
    assert outcomes[2].ending == Ending.RAISED


def test_exceptions_of_any_kind(executor: Any, tmp_path: Path) -> None:
    outcomes = hurt(executor, tmp_path, "oddexception", "nan", "longname", "true")
    assert [outcome.ending for outcome in outcomes] == [Ending.RAISED] * 3 + [Ending.EXITED]
    assert outcomes[1].raised.after_s is None
    assert len(outcomes[2].raised.name) <= 200
    assert len(outcomes[2].raised.message) <= 8192


def test_the_page_cannot_shrink(executor: Any, tmp_path: Path) -> None:
    outcomes = hurt(executor, tmp_path, "shrink 0", "true", "shrink 100", "true")
    assert [outcome.ending for outcome in outcomes] == [Ending.RAISED, Ending.EXITED] * 2
    assert outcomes[0].raised.name == "PermissionError"


SCRIBBLES = {
    "index": (0, struct.pack("<q", 700)),
    "negative index": (0, struct.pack("<q", -7)),
    "begin": (8, struct.pack("<q", -1)),
    "begin in a million years": (8, struct.pack("<q", (1 << 63) - 1)),
    "place of output": (16, struct.pack("<qq", 1 << 62, -5)),
    "fault": (64, struct.pack("<q", 2)),
    "rss": (72, struct.pack("<qq", -1, (1 << 63) - 1)),
    "records": (128, b"(\xff\xff\xff\x7f" * 9),
    "all of it": (0, b"\xff" * 4096),
    "zeros": (0, bytes(4096)),
}


@pytest.mark.parametrize("name", few(SCRIBBLES, [*SCRIBBLES][:3]))
def test_a_page_that_makes_no_sense_costs_that_worker_alone(executor: Any, tmp_path: Path, name: str) -> None:
    offset, data = SCRIBBLES[name]
    outcomes = hurt(executor, tmp_path, "true", f"scribble {offset} {data.hex()}", "true")
    assert [outcome.value for outcome in outcomes[::2]] == ["1", "1"]


def test_a_recall_ends_a_worker_whose_page_makes_no_sense(executor: Any, tmp_path: Path) -> None:
    executor.define(spec_of(1, tmp_path, slots=1, call=call_spec("hostile:do"), grace_s=0.2))
    executor.start([Dispatch(1, 0, 1, (b"scribble_later 0 " + struct.pack("<q", 700).hex().encode(),), ())])
    wait_until((tmp_path / "scribbled").exists, 60, "the broken page")
    executor.recall(1)
    (outcome,) = Listener(cast("Executor", executor)).finished(1)
    assert outcome.raised.name == "BrokenWorker"


@pytest.mark.parametrize("said", few([b"d", b"r", b"x", b"z", b"\0" * 60, b"rdx" * 20, b"dd"], [b"z", b"rdx" * 20]))
def test_impossible_bytes_cost_that_worker_alone(executor: Any, tmp_path: Path, said: bytes) -> None:
    outcomes = hurt(executor, tmp_path, "true", f"say {said.hex()}", "true", "true")
    assert [outcome.value for outcome in outcomes if outcome.item != 1] == ["1"] * 3
    spoilt = outcomes[1]
    if isinstance(spoilt, Finished) and spoilt.ending == Ending.RAISED:
        assert spoilt.raised.name == "BrokenWorker"
        assert "the messages of the worker make no sense" in spoilt.raised.message


def fuzz(executor: Any, root: Path, seed: int, rounds: int) -> None:
    rng = random.Random(seed)
    for _ in range(rounds):
        lines = ["true"] * rng.randrange(3)
        if rng.random() < 0.25:
            lines.append(f"say {rng.randbytes(rng.randrange(1, 40)).hex()}")
        else:
            at = rng.choice([0, 8, 16, 24, 32, 40, 48, 56, 64, 72, 80, 128, rng.randrange(4096)])
            data = rng.choice(
                [rng.randbytes(8), rng.randbytes(300), struct.pack("<q", rng.randrange(-2, 9)), b"\xff" * 64]
            )
            lines.append(f"scribble {at} {data.hex()}")
        outcomes = hurt(executor, root, *lines, "true")
        endings = [getattr(outcome, "ending", None) for outcome in outcomes]
        assert all(ending in (Ending.EXITED, Ending.RAISED, Ending.INTERRUPTED, None) for ending in endings), lines


def test_a_few_random_conversations(executor: Any, tmp_path: Path) -> None:
    fuzz(executor, tmp_path, 5, 8)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(8))
def test_many_random_conversations(executor: Any, tmp_path: Path, seed: int) -> None:
    fuzz(executor, tmp_path, 1000 + seed, 60)


def a_record(item: int = 1, **changes: Any) -> tuple[Any, ...]:
    record = [item, 1, 1 << 50, 5, 5, 0, 3, 0, 0, '{"ok":1}']
    for at, value in changes.items():
        record[int(at[1:])] = value
    return tuple(record)


GIVEN = [(4, item, 1, (b"x",), ()) for item in range(1, 6)]


def test_records_of_the_given_items_are_accepted() -> None:
    good = [a_record(1), a_record(2, _9=None), a_record(3, _9=("E", "m", 1, None, "")), a_record(4, _9="é")]
    check_records(4, pages.pack(good), cast("Any", GIVEN[:4]), 1)


@pytest.mark.parametrize(
    "change",
    [
        {"item": 2},
        {"_1": 2},
        {"_2": -1},
        {"_3": 1 << 62},
        {"_4": 0.5},
        {"_5": None},
        {"_6": "x"},
        {"_7": b""},
        {"_9": "\ud800"},
        {"_9": 5},
        {"_9": ["x"]},
        {"_9": ("E", "m", 1, None)},
        {"_9": (b"E", "m", 1, None, "")},
        {"_9": ("E", "m", "1", None, "")},
    ],
    ids=repr,
)
def test_other_records_are_refused(change: dict[str, Any]) -> None:
    failed = int(isinstance(change.get("_9"), tuple))
    with pytest.raises(pages.BrokenPage):
        check_records(1, pages.pack([a_record(**change)]), cast("Any", GIVEN[:1]), failed)
    with pytest.raises(pages.BrokenPage):
        check_records(1, pages.pack([a_record()]), cast("Any", GIVEN[:1]), 1)


@given(st.binary(max_size=200), st.integers(1, 3), st.integers(0, 60))
def test_bytes_that_are_not_records_are_refused(noise: bytes, count: int, at: int) -> None:
    good = pages.pack([a_record(n + 1) for n in range(count)])
    for data in (noise, good[:at] + noise, good[:at] + noise + good[at + len(noise) :]):
        try:
            check_records(count, data, cast("Any", GIVEN[:count]), 0)
        except pages.BrokenPage:
            continue


@pytest.mark.parametrize("data", [b"(\xff\xff\xff\x7f" * 3, b"[\xff\xff\xff\x7f", b"(\1\0\0\0" * 5000, b"", b"{"])
def test_a_claimed_size_is_never_trusted(data: bytes) -> None:
    with pytest.raises(pages.BrokenPage):
        pages.parse_untrusted_value(data)


@pytest.mark.parametrize(
    ("soft", "hard", "lowest"), [(1024, 4096, 1024), (256, 256, 240), (1024, 1030, 1008), (20_000, 20_000, 8192)]
)
def test_descriptors_are_out_of_reach_under_any_limit(soft: int, hard: int, lowest: int) -> None:
    if resource.getrlimit(resource.RLIMIT_NOFILE)[1] < hard:
        pytest.skip("this machine allows fewer open files")
    code = (
        f"import resource; resource.setrlimit(resource.RLIMIT_NOFILE, ({soft}, {hard}))\n"
        "from jobctl.worker.call_context import out_of_reach\n"
        "print(*out_of_reach(0, 1), *out_of_reach(1, 2), *resource.getrlimit(resource.RLIMIT_NOFILE))"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert [int(word) for word in done.stdout.split()] == [*range(lowest, lowest + 4), soft, hard]


# Workers that load.

SLOW = """
import os, time
if not os.path.exists("go"):
    open(f"loading-{os.getpid()}", "w").close()
    while not os.path.exists("go"):
        time.sleep(0.01)
def f(line): return line
"""


class Loading:
    """A job of three items whose workers load until told."""

    def __init__(self, executor: Any, root: Path, **changes: Any) -> None:
        (root / "slow.py").write_text(SLOW)
        self.executor, self.root = executor, root
        executor.define(spec_of(1, root, call=call_spec("slow:f"), **changes))
        self.start(1)
        self.heard = Listener(cast("Executor", executor))
        wait_until(lambda: list(root.glob("loading-*")), 60, "a worker that loads")

    def start(self, attempt: int) -> None:
        self.executor.start([Dispatch(1, n, attempt, (b"x",), ()) for n in range(3)])

    def go(self) -> None:
        (self.root / "go").touch()

    def returned(self, *items: int) -> None:
        self.heard.until(lambda heard: sorted(event.item for event in heard.of(Returned)) == sorted(items))
        assert not self.heard.of(Finished)

    def succeed(self, *items: int) -> None:
        self.heard.until(lambda heard: len(heard.of(Finished)) >= len(items))
        assert sorted((f.item, f.ending, f.value) for f in self.heard.of(Finished)) == [
            (item, Ending.EXITED, '"x"') for item in items
        ]


def test_a_recall_gives_back_the_calls_of_loading_workers(executor: Any, tmp_path: Path) -> None:
    loading = Loading(executor, tmp_path)
    executor.recall(1)
    loading.returned(0, 1, 2)
    loading.start(1)  # while they still load
    loading.go()
    loading.succeed(0, 1, 2)


def test_a_cancel_gives_back_the_calls_of_a_loading_worker(executor: Any, tmp_path: Path) -> None:
    loading = Loading(executor, tmp_path, slots=1)
    executor.cancel([AttemptId(1, 0, 1)], 5.0)
    loading.returned(0)
    loading.go()
    loading.succeed(1, 2)


@pytest.mark.parametrize("ending", [Ending.INTERRUPTED, Ending.CANCELLED])
def test_the_end_of_everything_gives_back_the_calls_of_loading_workers(
    executor: Any, tmp_path: Path, ending: Ending
) -> None:
    loading = Loading(executor, tmp_path)
    executor.cancel([AttemptId(1, n, 1) for n in range(3)], 0.0, ending)
    loading.returned(0, 1, 2)
    executor.close(0.0)
    assert not loading.heard.of(Finished)


def test_an_engine_may_die_while_workers_load(supervisor: SupervisorUnderTest, tmp_path: Path) -> None:
    first = Calling(supervisor.start(), tmp_path)
    first.resize(2)
    loading = Loading(first, tmp_path)
    supervisor.end_engine(1)
    second = Calling(supervisor.next_engine(), tmp_path)
    assert sorted(second.adopt()) == [(1, n, 1) for n in range(3)]
    second.define(spec_of(1, tmp_path, call=call_spec("slow:f")))
    loading.heard = Listener(cast("Executor", second))
    loading.go()
    loading.succeed(0, 1, 2)


def test_a_time_limit_does_not_count_while_a_worker_loads(executor: Any, tmp_path: Path) -> None:
    loading = Loading(executor, tmp_path, timeout_s=0.2)
    executor.start([Dispatch(1, 9, 1, (b"x",), ())])
    loading.heard.executor.collect(0.5)
    loading.go()
    loading.succeed(0, 1, 2, 9)


def test_a_worker_that_dies_while_it_loads_after_a_recall_frees_its_slot(executor: Any, tmp_path: Path) -> None:
    loading = Loading(executor, tmp_path, slots=1)
    executor.recall(1)
    loading.returned(0, 1, 2)
    os.kill(int(next(tmp_path.glob("loading-*")).name.partition("-")[2]), signal.SIGKILL)
    loading.go()
    loading.start(1)
    loading.succeed(0, 1, 2)


@pytest.mark.parametrize("number", [9, 40])
def test_a_worker_that_is_killed_while_it_loads_says_that_nothing_was_called(
    executor: Any, tmp_path: Path, number: int
) -> None:
    (tmp_path / "killed.py").write_text(f"import os\nos.kill(os.getpid(), {number})\n")
    executor.define(spec_of(1, tmp_path, slots=1, call=call_spec("killed:f")))
    executor.start([Dispatch(1, 0, 1, (b"x",), ())])
    (outcome,) = Listener(cast("Executor", executor)).finished(1)
    assert (outcome.ending, outcome.flags) == (Ending.RAISED, OutputFlag.SETUP)
    assert f"signal {number} while it loaded killed:f; nothing was called" in outcome.raised.message


def test_a_worker_stops_loading_when_its_job_is_over(executor: Any, tmp_path: Path) -> None:
    loading = Loading(executor, tmp_path, grace_s=0.2)
    wait_until(lambda: len(list(tmp_path.glob("loading-*"))) == 2, 60, "both workers")
    pids = [int(path.name.partition("-")[2]) for path in tmp_path.glob("loading-*")]
    executor.resize(2)  # both slots are taken
    executor.recall(1)
    loading.returned(0, 1, 2)
    executor.forget(1)
    executor._executor.define(spec_of(2, tmp_path))
    executor.start([Dispatch(2, 0, 1, (b"true",), ())])
    assert loading.heard.finished(1)[0].job == 2
    assert not all(map(process_exists, pids))


def test_a_worker_without_descriptors_waits_and_leaves_none_open() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    before = os.listdir("/proc/self/fd")
    refusals = 0
    try:
        for limit in range(11, 4096):
            resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
            try:
                page, ours, theirs = connect()
            except PressureError:
                refusals += 1
            else:
                break
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    page.close()
    ours.close()
    os.close(theirs)
    assert refusals > 2 and os.listdir("/proc/self/fd") == before
