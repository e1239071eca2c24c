"""Processes that outlive the command of their item: waited for, ended or a failure, and always named."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest

from jobctl.domain.endings import Ending
from jobctl.domain.ports import AttemptId, Finished, OutputFlag, Started
from jobctl.executors.local import LocalExecutor
from jobctl.process import leaders, start_options
from jobctl.process.leaders import LeadersFile
from jobctl.supervisor.owners import are_daemons
from jobctl.supervisor.running import left_text
from tests.executor_contract import Listener, spec_of
from tests.supervisor.harness import SupervisorUnderTest
from tests.supervisor.processes import alive, marker
from tests.supervisor.test_supervisor import shell
from tests.wait import wait_until

DAEMON = "setsid sleep {0} </dev/null >/dev/null 2>&1 & wait_for {0}"
#: The child is a daemon only after a while, as one of daemon(3).
LATE = "(sleep 0.5; exec setsid sleep {0} </dev/null >/dev/null 2>&1) &"
HELPER = 'wait_for() { until tr "\\0" " " < /proc/$!/cmdline | grep -q "^sleep $1 $"; do sleep 0.01; done; }; '


def test_a_process_that_has_ended_does_not_prove_that_only_daemons_are_left(tmp_path: Path) -> None:
    """Its end may have handed the supervisor its children, which are found only when it is reaped."""
    parent = os.fork()
    if parent == 0:
        os._exit(0)
    os.waitid(os.P_PID, parent, os.WEXITED | os.WNOWAIT)
    with (tmp_path / "out").open("wb") as output:
        run = SimpleNamespace(pid=os.getpid(), scratch=SimpleNamespace(out=output.fileno(), err=output.fileno()))
        daemon_of_item = subprocess.Popen(["sleep", "600"], start_new_session=True)
        try:
            assert are_daemons([daemon_of_item.pid], run)  # type: ignore[arg-type]
            assert not are_daemons([parent], run)  # type: ignore[arg-type]
            assert not are_daemons([daemon_of_item.pid, parent], run)  # type: ignore[arg-type]
        finally:
            daemon_of_item.kill()
            daemon_of_item.wait()
            os.waitpid(parent, 0)


def run_one(executor: LocalExecutor, root: Path, text: str, **changes: object) -> Finished:
    executor.define(spec_of(1, root, grace_s=0.3, **changes))
    executor.start([shell(0, HELPER + text)])
    (outcome,) = Listener(executor).finished(1)
    return outcome


def waiting(root: Path) -> list[int]:
    """Items that wait for the processes that they left behind, by the table of leaders."""
    return [entry.attempt[1] for entry in LeadersFile(str(root / leaders.NAME)).entries if entry.state == leaders.WAITS]


@pytest.mark.parametrize("text", [
    "(sleep 0.5; echo done > {place}) & exit {code}",
    "(setsid sh -c 'sleep 0.5; echo done > {place}' &); exit {code}",  # it has the output of the item
    "(sleep 0.5; echo done > {place}) >/dev/null 2>&1 & exit {code}",  # it is in the session of the item
    "((sleep 0.5; echo done > {place}) &) & exit {code}",
])  # fmt: skip
@pytest.mark.parametrize("code", [0, 3])
def test_an_item_lasts_until_its_background_work_is_done(
    executor: LocalExecutor, tmp_path: Path, text: str, code: int
) -> None:
    outcome = run_one(executor, tmp_path, text.format(place=tmp_path / "done", code=code), leftovers="wait")
    assert (tmp_path / "done").read_text() == "done\n"
    assert (outcome.ending, outcome.code) == (Ending.EXITED, code)
    assert (outcome.flags, outcome.left) == (OutputFlag.NONE, "")
    assert outcome.duration_us >= 500_000


@pytest.mark.parametrize("text", [DAEMON, LATE])
def test_a_daemon_is_not_waited_for_but_ended_and_named(executor: LocalExecutor, tmp_path: Path, text: str) -> None:
    mark = marker()
    outcome = run_one(executor, tmp_path, text.format(mark), leftovers="wait")
    assert (outcome.ending, outcome.code, outcome.flags) == (Ending.EXITED, 0, OutputFlag.LEFTOVERS)
    assert outcome.left == "1 sleep"
    assert alive(mark) == []


def test_an_item_that_waits_keeps_its_slot_and_the_reason_is_shown(executor: LocalExecutor, tmp_path: Path) -> None:
    mark = marker()
    executor.define(spec_of(1, tmp_path, leftovers="wait"))
    executor.resize(1)
    executor.start([shell(0, f"sleep {mark} & exit 0"), shell(1, "true")])
    heard = Listener(executor).until(lambda heard: heard.of(Started))
    wait_until(lambda: waiting(tmp_path) == [0], 60, "it to wait")
    assert (1, 0, 1) in executor.adopt() and not heard.of(Finished)
    executor.cancel([AttemptId(1, 0, 1)], 0.3)
    outcomes = {outcome.item: outcome for outcome in heard.finished(2)}
    assert outcomes[0].ending == Ending.CANCELLED and outcomes[1].ending == Ending.EXITED
    assert alive(mark) == [] and waiting(tmp_path) == []


def test_the_time_limit_includes_the_leftovers(executor: LocalExecutor, tmp_path: Path) -> None:
    mark = marker()
    outcome = run_one(executor, tmp_path, f"sleep {mark} & exit 0", leftovers="wait", timeout_s=1.0)
    assert outcome.ending == Ending.TIMED_OUT
    assert alive(mark) == []


@pytest.mark.parametrize(("leftovers", "code", "ending"), [
    ("end", 0, Ending.EXITED), ("end", 3, Ending.EXITED), ("fail", 0, Ending.LEFT), ("fail", 3, Ending.EXITED),
])  # fmt: skip
def test_leftovers_are_ended_and_named_before_the_outcome_is_reported(
    executor: LocalExecutor, tmp_path: Path, leftovers: str, code: int, ending: Ending
) -> None:
    mark = marker()
    text = f"trap '' TERM; sleep {mark} & (setsid sleep {mark} &); exit {code}"
    outcome = run_one(executor, tmp_path, text, leftovers=leftovers)
    assert (outcome.ending, outcome.code, outcome.flags) == (ending, code, OutputFlag.LEFTOVERS)
    assert outcome.left.startswith("2 ")
    assert alive(mark) == [], "so that the next attempt does not run at the same time"


def test_names_are_few_and_harmless(executor: LocalExecutor, tmp_path: Path) -> None:
    script = tmp_path / "\x1b[31mred\nline"
    script.write_text("#!/bin/sh\nsleep 30 & wait\n")
    script.chmod(0o755)
    text = f"for n in 1 2 3 4 5 6 7 8; do '{script}' & done; sleep 0.3; exit 0"
    outcome = run_one(executor, tmp_path, text, leftovers="end")
    assert "\x1b" not in outcome.left and "\n" not in outcome.left and "?[31mred?line" in outcome.left
    assert left_text([f"name{n}" for n in range(100)]) == "100 name0, name1, name2, name3, name4"
    assert left_text(["", ""]) == "2"


def test_an_orphan_without_evidence_belongs_to_the_only_possible_item(executor: LocalExecutor, tmp_path: Path) -> None:
    mark = marker()
    away = f"(prlimit --pid $$ --locks=unlimited; env -i setsid sleep {mark} </dev/null >/dev/null 2>&1 &)"
    outcome = run_one(executor, tmp_path, f"prlimit --pid $$ --locks=unlimited; {away}; sleep 0.2", leftovers="end")
    assert outcome.flags == OutputFlag.LEFTOVERS
    assert alive(mark) == []


@pytest.mark.parametrize(
    ("leftovers", "ending"), [("wait", Ending.EXITED), ("end", Ending.EXITED), ("fail", Ending.LEFT)]
)
def test_where_orphans_cannot_be_seen_the_process_group_decides(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, leftovers: str, ending: int
) -> None:
    code = "from jobctl.process import tree; tree.Children.is_available = False; tree._CAN_ASK_FOR_CHILDREN = False\n"
    real = start_options.python_argv
    monkeypatch.setattr(start_options, "python_argv", lambda *words: _with(real(*words), code))
    supervisor = SupervisorUnderTest(tmp_path)
    try:
        outcome = run_one(supervisor.start(), tmp_path, "(sleep 0.5; echo done > made) & exit 0", leftovers=leftovers)
    finally:
        supervisor.close()
    assert outcome.ending == ending
    assert (tmp_path / "made").exists() == (leftovers == "wait")


def _with(argv: list[str], code: str) -> list[str]:
    """A supervisor that does this before it begins."""
    at = argv.index("-c") + 1
    head, _, tail = argv[at].rpartition("; gc.enable()")
    return [*argv[:at], f"{head}\n{code}import gc; gc.enable(){tail}", *argv[at + 1 :]]
