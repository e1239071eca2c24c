"""The supervisor when processes die, run away or must stop. All processes are real."""

from __future__ import annotations

import os
import resource
import select
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from jobctl.config import Home
from jobctl.domain.endings import Ending
from jobctl.domain.ports import AttemptId, Dispatch, Finished, OutputFlag, Pressure, Started
from jobctl.errors import Busy, JobctlError
from jobctl.executors.local import LocalExecutor
from jobctl.process.daemon import ForegroundSupervisor, start_detached
from jobctl.process.daemon_handle import DaemonHandle, lock_holder
from jobctl.process.identity import Tagger
from jobctl.process.start_options import StartOptions
from jobctl.process.sweep import sweep
from jobctl.supervisor.engine_process import EngineProcess
from jobctl.supervisor.protocol import wire
from tests.executor_contract import Listener, batch, spec_of
from tests.supervisor.harness import SupervisorUnderTest, await_stop
from tests.supervisor.processes import alive, marker
from tests.wait import wait_until


def shell(item: int, text: str) -> Dispatch:
    return Dispatch(1, item, 1, (b"sh", b"-c", text.encode()), ())


ESCAPES = {
    "child": "sleep {0} & wait",
    "ignores TERM": "trap '' TERM; sleep {0} & wait; wait",
    "own session": "setsid sleep {0} & wait",
    "double fork": "(setsid sh -c 'sleep {0} & exit' &) ; sleep {0}",
    "empty environment": "env -i setsid sleep {0} & sleep {0}",
    "all of it": "(env -i setsid sh -c 'trap \"\" TERM HUP; (sleep {0} <&- >&- 2>&- &) & sleep {0}' &) ; sleep {0}",
    "stopped": "sleep {0} & sleep 0.1; kill -STOP $! $$; wait",
    "hops": "(setsid sh -c 'while :; do (setsid sleep {0} &); sleep 0.05; done' &); sleep {0}",
}


# Ending a tree.


@pytest.mark.parametrize("text", ESCAPES.values(), ids=ESCAPES)
def test_a_cancel_leaves_nothing_alive(executor: LocalExecutor, tmp_path: Path, text: str) -> None:
    mark = marker()
    executor.define(spec_of(1, tmp_path))
    executor.start([shell(0, text.format(mark)), shell(1, "sleep 1000")])
    heard = Listener(executor).until(lambda heard: len(heard.of(Started)) == 2)
    wait_until(lambda: alive(mark), what="its processes")
    executor.cancel([AttemptId(1, 0, 1)], 0.3)
    (outcome,) = heard.finished(1)
    assert (outcome.item, outcome.ending) == (0, Ending.CANCELLED)
    assert alive(mark) == []
    assert executor.adopt() == [(1, 1, 1)], "the other item runs on"


@pytest.mark.parametrize("text", ["env -i setsid sleep {0} & exit 3", "(setsid sleep {0} &) ; exit 3"])
def test_a_process_that_outlives_its_item_is_ended(executor: LocalExecutor, tmp_path: Path, text: str) -> None:
    mark = marker()
    executor.define(spec_of(1, tmp_path, grace_s=0.2))
    executor.start([shell(0, text.format(mark))])
    (outcome,) = Listener(executor).finished(1)
    assert (outcome.ending, outcome.code, outcome.flags) == (Ending.EXITED, 3, OutputFlag.LEFTOVERS)
    wait_until(lambda: not alive(mark), what="nothing is left")


def test_a_timeout_is_exact_and_gives_a_grace(executor: LocalExecutor, tmp_path: Path) -> None:
    executor.define(spec_of(1, tmp_path, timeout_s=0.3, grace_s=5.0))
    executor.start([shell(0, "trap 'echo bye; exit 9' TERM; sleep 1000 & wait"), shell(1, "exit 0")])
    outcomes = {outcome.item: outcome for outcome in Listener(executor).finished(2)}
    assert (outcomes[1].ending, outcomes[1].code) == (Ending.EXITED, 0)
    assert (outcomes[0].ending, outcomes[0].code) == (Ending.TIMED_OUT, -9)
    assert outcomes[0].out_tail == b"bye\n"
    assert 300_000 <= outcomes[0].duration_us < 5_000_000


def test_each_attempt_has_its_own_limit_if_the_job_has_several(executor: LocalExecutor, tmp_path: Path) -> None:
    executor.define(spec_of(1, tmp_path, timeout_s=1000.0, timeouts_s=(0.2, 1000.0)))
    short = [shell(item, "exec sleep 1000")._replace(limit=0) for item in (0, 1)]
    executor.start([*short, shell(2, "sleep 0.5")._replace(limit=1), shell(3, "sleep 0.5")._replace(limit=7)])
    outcomes = {outcome.item: outcome.ending for outcome in Listener(executor).finished(4)}
    assert outcomes == {0: Ending.TIMED_OUT, 1: Ending.TIMED_OUT, 2: Ending.EXITED, 3: Ending.EXITED}


# The engine dies.


def test_items_and_outcomes_outlive_the_engine(
    supervisor: SupervisorUnderTest, executor: LocalExecutor, tmp_path: Path
) -> None:
    assert executor.fresh
    executor.define(spec_of(1, tmp_path, slots=2))
    os.mkfifo(tmp_path / "gate")
    executor.start([shell(0, "exit 7"), shell(1, "read x < gate; exit 8"), shell(2, "exit 9")])
    Listener(executor).until(lambda heard: heard.of(Finished))  # not acknowledged
    os.kill(supervisor.engine_pid, signal.SIGKILL)
    after = supervisor.next_engine()
    assert not after.fresh
    assert sorted(after.adopt()) == [(1, 0, 1), (1, 1, 1), (1, 2, 1)]
    (tmp_path / "gate").write_text("open\n")
    outcomes = Listener(after).until(lambda heard: len({event.item for event in heard.of(Finished)}) == 3)
    assert {event.item: event.code for event in outcomes.of(Finished)} == {0: 7, 1: 8, 2: 9}


def test_the_last_orders_of_a_dying_engine_are_carried_out(
    supervisor: SupervisorUnderTest, executor: LocalExecutor, tmp_path: Path
) -> None:
    executor.define(spec_of(1, tmp_path))
    os.kill(supervisor.pid, signal.SIGSTOP)
    executor.start([shell(0, "exit 5")])
    os.kill(supervisor.engine_pid, signal.SIGKILL)
    os.kill(supervisor.pid, signal.SIGCONT)
    after = supervisor.next_engine()
    assert after.adopt() == [(1, 0, 1)]
    assert Listener(after).finished(1)[0].code == 5


def test_an_engine_that_dies_again_and_again_is_given_up(tmp_path: Path) -> None:
    engine = EngineProcess([b"/bin/true"], "store", Tagger("store"), select.poll())
    pauses = []
    for _ in range(9):
        assert engine.replace(now=5.0)
        pauses.append(engine.start_at - 5.0)
    assert pauses == [0, 1, 2, 4, 8, 16, 32, 60, 60]
    assert not engine.replace(now=5.0)
    assert engine.replace(now=1000.0), "old deaths do not count"
    assert engine.start_at == 1000.0, "one that had worked for a while is replaced at once"


def test_an_engine_without_a_disk_is_followed_by_another(
    supervisor: SupervisorUnderTest, executor: LocalExecutor, tmp_path: Path
) -> None:
    executor.define(spec_of(1, tmp_path))
    executor.start([shell(0, "exit 7")])
    supervisor.end_engine(wire.NOT_NOW)
    after = supervisor.next_engine()
    assert after.adopt() == [(1, 0, 1)]
    assert "died too often" not in supervisor.log()


def test_an_engine_that_cannot_start_is_reported(tmp_path: Path) -> None:
    options = StartOptions(Home(tmp_path), slots=1, engine=["/bin/sh", "-c", "echo broken >&2; exit 3"])
    with pytest.raises(JobctlError, match="ended with 3 before it was ready") as caught:
        start_detached(options)
    assert str(tmp_path / "daemon.log") in str(caught.value.hint)
    assert "broken" in (tmp_path / "daemon.log").read_text()
    assert lock_holder(tmp_path / "daemon.lock") is None


def test_an_engine_can_say_why_it_cannot_work(supervisor: SupervisorUnderTest) -> None:
    with pytest.raises(JobctlError, match="the database is newer"):
        supervisor.start_refused("the database is newer")


# The supervisor dies.


def test_the_engine_notices_that_the_supervisor_is_gone(
    supervisor: SupervisorUnderTest, executor: LocalExecutor, tmp_path: Path
) -> None:
    os.kill(supervisor.pid, signal.SIGKILL)
    with pytest.raises(EOFError):
        Listener(executor).until(lambda _heard: False)


@pytest.mark.parametrize("way", ["child", "empty environment", "ignores TERM", "all of it"])
def test_a_sweep_finds_the_processes_of_a_dead_supervisor(
    supervisor: SupervisorUnderTest, executor: LocalExecutor, tmp_path: Path, way: str
) -> None:
    mark, stranger = marker(), marker()
    other = subprocess.Popen(["sleep", stranger], env={"JOBCTL_COOKIE": "another-store.1.1.1"})
    executor.define(spec_of(1, tmp_path))
    executor.start([shell(0, ESCAPES[way].format(mark))])
    Listener(executor).until(lambda heard: heard.of(Started))
    wait_until(lambda: alive(mark), what="its processes")
    os.kill(supervisor.engine_pid, signal.SIGKILL)
    os.kill(supervisor.pid, signal.SIGKILL)
    try:
        assert alive(mark)
        assert sweep(supervisor.options.store_id, grace_s=0.3) == []
        assert alive(mark) == []
        assert alive(stranger) == [other.pid], "no other process is signalled"
    finally:
        other.kill()
        other.wait()


def test_a_new_supervisor_first_ends_the_processes_of_the_old_one(
    supervisor: SupervisorUnderTest, executor: LocalExecutor, tmp_path: Path
) -> None:
    mark = marker()
    executor.define(spec_of(1, tmp_path))
    executor.start([shell(0, f"sleep {mark}")])
    Listener(executor).until(lambda heard: heard.of(Started))
    os.kill(supervisor.pid, signal.SIGKILL)
    os.waitpid(supervisor.pid, 0)
    old_engine = supervisor.engine_pid
    again = supervisor.start()
    assert alive(mark) == []
    assert again.fresh
    assert again.adopt() == []
    assert not Path(f"/proc/{old_engine}").exists() or "Z" in Path(f"/proc/{old_engine}/stat").read_text()


def test_outcomes_that_were_not_recorded_outlive_the_supervisor(
    supervisor: SupervisorUnderTest, executor: LocalExecutor, tmp_path: Path
) -> None:
    executor.define(spec_of(1, tmp_path))
    executor.start([shell(0, "exit 0")])  # the oldest: what is recorded after others that are not is told again
    Listener(executor).until(lambda heard: heard.of(Finished))
    executor.start([shell(1, "echo why >&2; exit 7"), shell(2, "exit 9")])
    Listener(executor).until(lambda heard: len(heard.of(Finished)) == 2)
    executor.acknowledge([AttemptId(1, 0, 1)])
    executor.start([shell(3, "exit 0")])  # heard after the acknowledgement
    Listener(executor).until(lambda heard: heard.of(Finished))
    os.kill(supervisor.pid, signal.SIGKILL)
    os.waitpid(supervisor.pid, 0)
    again = supervisor.start()
    assert again.fresh
    assert sorted(again.adopt()) == [(1, 1, 1), (1, 2, 1), (1, 3, 1)]
    heard = Listener(again).until(lambda heard: len({event.item for event in heard.of(Finished)}) == 3)
    outcomes = {event.item: event for event in heard.of(Finished)}
    assert {item: outcome.code for item, outcome in outcomes.items()} == {1: 7, 2: 9, 3: 0}
    assert outcomes[1].err_tail == b"why\n"
    again.acknowledge([AttemptId(1, item, 1) for item in (1, 2, 3)])
    assert again.adopt() == []


# One daemon per store.


def test_a_second_daemon_is_refused_and_names_the_first(
    supervisor: SupervisorUnderTest, executor: LocalExecutor
) -> None:
    assert lock_holder(supervisor.options.home.lock) == supervisor.pid
    with pytest.raises(Busy, match=str(supervisor.pid)):
        start_detached(supervisor.options)
    assert executor.adopt() == []


def test_many_starts_at_once_make_one_daemon(supervisor: SupervisorUnderTest) -> None:
    code = (
        "import sys; from pathlib import Path; from jobctl.config import Home; from jobctl.errors import Busy\n"
        "from jobctl.process.daemon import start_detached\n"
        "from jobctl.process.start_options import StartOptions\n"
        "sys.stdin.readline()\n"
        "try: print(start_detached(StartOptions(Home(Path(sys.argv[1])), 1, engine=sys.argv[2:])))\n"
        "except Busy as busy: print('busy')\n"
    )
    argv = [sys.executable, "-c", code, str(supervisor.root), *supervisor.options.engine]
    starters = [
        subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=os.getcwd())
        for _ in range(6)
    ]
    for starter in starters:
        assert starter.stdin is not None
        starter.stdin.write("go\n")
        starter.stdin.flush()
    supervisor.next_engine().adopt()
    said = [starter.communicate(timeout=60)[0].strip() for starter in starters]
    assert said.count("busy") == 5
    (winner,) = [int(word) for word in said if word != "busy"]
    assert lock_holder(supervisor.options.home.lock) == winner
    os.kill(winner, signal.SIGKILL)


def test_items_do_not_keep_the_lock(supervisor: SupervisorUnderTest, executor: LocalExecutor, tmp_path: Path) -> None:
    mark = marker()
    executor.define(spec_of(1, tmp_path))
    executor.start([shell(0, f"sleep {mark}")])
    Listener(executor).until(lambda heard: heard.of(Started))
    wait_until(lambda: alive(mark), what="the item")
    os.kill(supervisor.pid, signal.SIGKILL)
    os.waitpid(supervisor.pid, 0)
    assert alive(mark)
    assert lock_holder(supervisor.options.home.lock) is None


# Stopping.


def test_the_engine_gets_a_stop_and_a_second_stop_is_immediate(
    supervisor: SupervisorUnderTest, executor: LocalExecutor
) -> None:
    daemon = DaemonHandle.find(supervisor.options.home.lock)
    assert daemon is not None
    assert daemon.pid == supervisor.pid
    executor.collect(0)
    daemon.send(signal.SIGTERM)
    assert executor.collect(60) == []
    assert executor.stop_requested() == 1
    daemon.send(signal.SIGTERM)
    await_stop(executor, 2)
    supervisor.end_engine(0)
    assert daemon.wait_gone(20)
    assert os.waitstatus_to_exitcode(os.waitpid(supervisor.pid, 0)[1]) == 0
    daemon.close()


def test_the_next_engine_learns_of_a_stop_too(supervisor: SupervisorUnderTest, executor: LocalExecutor) -> None:
    os.kill(supervisor.pid, signal.SIGINT)
    await_stop(executor, 1)
    os.kill(supervisor.engine_pid, signal.SIGKILL)
    after = supervisor.next_engine()
    after.adopt()
    await_stop(after, 1)


@pytest.mark.parametrize("code", [1, wire.NOT_NOW])
def test_a_polite_stop_ends_where_no_engine_can_live(
    supervisor: SupervisorUnderTest, executor: LocalExecutor, tmp_path: Path, code: int
) -> None:
    os.mkfifo(tmp_path / "gate")
    executor.define(spec_of(1, tmp_path))
    executor.start([shell(0, "read x < gate; exit 8")])
    Listener(executor).until(lambda heard: heard.of(Started))
    os.kill(supervisor.pid, signal.SIGTERM)
    await_stop(executor, 1)
    supervisor.end_engine(code)
    for _ in range(2 if code == 1 else 0):
        supervisor.next_engine().adopt()
        supervisor.end_engine(code)
    wait_until(lambda: "it stops without an engine" in supervisor.log(), 60, "the last engine to be given up")
    assert lock_holder(supervisor.options.home.lock) == supervisor.pid, "what runs finishes"
    (tmp_path / "gate").write_text("open\n")
    assert os.waitstatus_to_exitcode(os.waitpid(supervisor.pid, 0)[1]) == 0
    supervisor.pid = 0
    after = supervisor.start()
    assert Listener(after).finished(1)[0].code == 8, "its outcome is kept for the next daemon"


def test_a_polite_stop_does_not_wait_for_the_pause_between_two_engines(
    supervisor: SupervisorUnderTest, executor: LocalExecutor
) -> None:
    for _ in range(4):  # the fifth would be started after 8 s
        supervisor.end_engine(1)
        supervisor.next_engine().adopt()
    supervisor.end_engine(1)
    wait_until(lambda: supervisor.log().count("exit code 1") == 5, 60, "the death of the last one")
    os.kill(supervisor.pid, signal.SIGTERM)
    supervisor.next_engine().adopt()
    supervisor.end_engine(0)
    assert os.waitstatus_to_exitcode(os.waitpid(supervisor.pid, 0)[1]) == 0


def test_the_supervisor_leaves_when_the_engine_has_nothing_to_do(
    supervisor: SupervisorUnderTest, executor: LocalExecutor, tmp_path: Path
) -> None:
    mark = marker()
    executor.define(spec_of(1, tmp_path))
    executor.start([shell(0, f"(env -i setsid sleep {mark} &) ; sleep {mark}")])
    Listener(executor).until(lambda heard: heard.of(Started))
    wait_until(lambda: len(alive(mark)) >= 2, what="its processes")
    supervisor.end_engine(0)
    assert os.waitstatus_to_exitcode(os.waitpid(supervisor.pid, 0)[1]) == 0
    assert alive(mark) == []


def test_an_engine_whose_store_was_removed_is_the_last_one(
    supervisor: SupervisorUnderTest, executor: LocalExecutor, tmp_path: Path
) -> None:
    mark = marker()
    executor.define(spec_of(1, tmp_path))
    executor.start([shell(0, f"sleep {mark}")])
    wait_until(lambda: alive(mark), what="its process")
    supervisor.end_engine(wire.STORE_GONE)
    assert os.waitstatus_to_exitcode(os.waitpid(supervisor.pid, 0)[1]) == 1
    assert alive(mark) == []


def test_sighup_is_ignored(supervisor: SupervisorUnderTest, executor: LocalExecutor) -> None:
    os.kill(supervisor.pid, signal.SIGHUP)
    assert executor.adopt() == []
    assert executor.stop_requested() == 0


def test_a_foreground_daemon_stops_when_its_parent_ends(supervisor: SupervisorUnderTest) -> None:
    foreground, executor = supervisor.start_foreground()
    assert isinstance(foreground, ForegroundSupervisor)
    foreground.close()
    await_stop(executor, 1)
    supervisor.end_engine(0)
    assert foreground.wait(60) == 0


# The machine has no room.


def test_no_item_fails_for_too_many_open_files(
    supervisor: SupervisorUnderTest, executor: LocalExecutor, tmp_path: Path
) -> None:
    executor.resize(64)
    in_use = len(os.listdir(f"/proc/{supervisor.pid}/fd"))
    resource.prlimit(supervisor.pid, resource.RLIMIT_NOFILE, (in_use + 6, in_use + 6))
    executor.define(spec_of(1, tmp_path, slots=64))
    os.mkfifo(tmp_path / "gate")  # before the start: an item that finds no gate fails
    executor.start([shell(n, "read x < gate") for n in range(12)])
    heard = Listener(executor).until(lambda heard: any(event.reason for event in heard.of(Pressure)))
    assert "Too many open files" in next(event.reason for event in heard.of(Pressure) if event.reason)
    assert 0 < len(heard.of(Started)) < 12
    gate = os.open(tmp_path / "gate", os.O_RDWR)
    os.write(gate, b"go\n" * 12)
    outcomes = heard.finished(12)
    os.close(gate)
    assert {(outcome.ending, outcome.code) for outcome in outcomes} == {(Ending.EXITED, 0)}
    heard.until(lambda heard: heard.of(Pressure)[-1].reason == "")


def test_no_item_fails_for_a_missing_place_for_output(
    supervisor: SupervisorUnderTest, executor: LocalExecutor, tmp_path: Path
) -> None:
    (tmp_path / "logs").write_text("in the way")
    executor.define(spec_of(1, tmp_path))
    executor.define(spec_of(2, tmp_path, log_dir=str(tmp_path / "elsewhere").encode()))
    executor.start(batch(1, (b"true",), range(2)) + batch(2, (b"true",), range(2)))
    heard = Listener(executor).until(lambda heard: len(heard.of(Finished)) == 2 and heard.of(Pressure))
    assert {outcome.job for outcome in heard.of(Finished)} == {2}, "another job continues"
    (tmp_path / "logs").unlink()
    heard.until(lambda heard: len(heard.of(Finished)) == 4)
    assert heard.until(lambda heard: heard.of(Pressure)[-1].reason == "")


def test_in_the_foreground_it_takes_the_place_of_the_command(supervisor: SupervisorUnderTest, tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from jobctl.config import Home\n"
        "from jobctl.process.daemon import exec_foreground\n"
        "from jobctl.process.start_options import StartOptions\n"
        "exec_foreground(StartOptions(Home(Path(sys.argv[1])), 1, engine=sys.argv[2:]))\n"
    )
    argv = [sys.executable, "-c", code, str(tmp_path), *supervisor.options.engine]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as command:
        executor = supervisor.next_engine()
        executor.adopt()
        assert lock_holder(supervisor.options.home.lock) == command.pid
        executor.define(spec_of(1, tmp_path))
        executor.start([shell(0, "cat; exit 4")])
        assert Listener(executor).finished(1)[0].code == 4, "it does not read from the terminal"
        second = subprocess.run(argv, capture_output=True, text=True, check=False)
        assert f"process {command.pid}" in second.stderr
        command.send_signal(signal.SIGINT)
        await_stop(executor, 1)
        supervisor.end_engine(0)
        assert command.wait(60) == 0


def test_a_store_inside_an_item_is_ended_with_it(executor: LocalExecutor, tmp_path: Path) -> None:
    """An item may run a jobctl of its own, whose items carry the tag of another store."""
    mark = marker()
    inner = (
        "import subprocess, sys; from jobctl.process.identity import Tagger; Tagger('inner').mark(1)\n"
        f"subprocess.Popen(['setsid', 'sleep', '{mark}']).wait()\n"
    )
    (tmp_path / "inner.py").write_text(inner)
    executor.define(spec_of(1, tmp_path))
    script = f"PYTHONPATH={os.getcwd()} {sys.executable} inner.py & sleep 1000"
    executor.start([shell(0, script), shell(1, "sleep 1000")])
    heard = Listener(executor).until(lambda heard: len(heard.of(Started)) == 2)
    wait_until(lambda: alive(mark), what="its processes")
    executor.cancel([AttemptId(1, 0, 1)], 0.3)
    heard.finished(1)
    assert alive(mark) == []
    assert executor.adopt() == [(1, 1, 1)]
