"""The environment in which an item starts, and the outcome and output that are kept when it ends."""

from __future__ import annotations

import errno
import os
import signal
from pathlib import Path
from typing import Any

import pytest

from jobctl.domain.endings import Ending
from jobctl.domain.ports import SLOT_MARK, Dispatch, Finished, OutputFlag, Started
from jobctl.executors.local import LocalExecutor
from tests.executor_contract import Listener, batch, spec_of
from tests.supervisor.harness import SupervisorUnderTest
from tests.supervisor.processes import alive, marker
from tests.wait import wait_until


def run(executor: LocalExecutor, root: Path, *scripts: str, **changes: Any) -> list[Finished]:
    """Run shell texts as items 0, 1, ... of job 1; their outcomes by item."""
    executor.define(spec_of(1, root, **changes))
    executor.start([Dispatch(1, n, 1, (b"sh", b"-c", text.encode()), ()) for n, text in enumerate(scripts)])
    return sorted(Listener(executor).finished(len(scripts)), key=lambda outcome: outcome.item)


def read(root: Path, outcome: Finished, stream: str = "out") -> str:
    """The bytes of a stream that were kept."""
    off, length = (outcome.out_off, outcome.out_len) if stream == "out" else (outcome.err_off, outcome.err_len)
    if not length:
        return ""
    with open(root / "logs" / "1" / f"{outcome.log}.{stream}", "rb") as file:
        file.seek(off)
        data = file.read(length)
    assert len(data) == length
    return data.decode()


def files(root: Path) -> list[str]:
    return sorted(path.name for path in (root / "logs" / "1").iterdir())


# The surroundings of an item.


def test_it_has_three_descriptors_and_nothing_on_stdin(executor: LocalExecutor, tmp_path: Path) -> None:
    (outcome,) = run(executor, tmp_path, "ls /proc/self/fd; readlink /proc/self/fd/0; cat")
    assert read(tmp_path, outcome).split() == ["0", "1", "2", "3", "/dev/null"]  # 3 is the directory that ls reads


def test_it_has_default_signals_and_leads_its_own_session(supervisor: SupervisorUnderTest, tmp_path: Path) -> None:
    before = signal.signal(signal.SIGQUIT, signal.SIG_IGN), signal.signal(signal.SIGUSR2, signal.SIG_IGN)
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1, signal.SIGCHLD})
    try:
        executor = supervisor.start()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
        signal.signal(signal.SIGQUIT, before[0])
        signal.signal(signal.SIGUSR2, before[1])
    text = "grep -E '^(Sig(Blk|Ign)|NSsid|Pid)' /proc/self/status; echo $$"
    (outcome,) = run(executor, tmp_path, text)
    words = dict(line.split(":\t") for line in read(tmp_path, outcome).splitlines() if ":" in line)
    shell = read(tmp_path, outcome).splitlines()[-1]
    assert int(words["SigBlk"], 16) == 0
    assert int(words["SigIgn"], 16) & ~(3 << 31) == 0  # glibc keeps 32 and 33 to itself
    assert words["NSsid"] == shell


def test_it_has_the_jobs_environment_directory_and_umask(executor: LocalExecutor, tmp_path: Path) -> None:
    place = tmp_path / "a place"
    place.mkdir()
    spec = spec_of(1, tmp_path, cwd=str(place).encode(), umask=0o027, env=(b"PATH=/usr/bin:/bin", b"A=1", b"B=x=y"))
    executor.define(spec)
    executor.start([Dispatch(1, 5, 2, (b"sh", b"-c", b"pwd; umask; env; touch made"), (b"B=2", b"JOBCTL_ITEM=5"))])
    (outcome,) = Listener(executor).finished(1)
    lines = read(tmp_path, outcome).splitlines()
    environment = dict(line.split("=", 1) for line in lines if "=" in line)
    assert lines[:2] == [str(place), "0027"]
    assert environment.pop("JOBCTL_COOKIE").endswith(".1.5.2")
    assert environment == {
        "PATH": "/usr/bin:/bin", "A": "1", "B": "2", "JOBCTL_ITEM": "5", "JOBCTL_SLOT": "1", "PWD": str(place),
    }  # fmt: skip
    assert (place / "made").stat().st_mode & 0o777 == 0o640


def test_the_slot_number_is_filled_in(executor: LocalExecutor, tmp_path: Path) -> None:
    executor.define(spec_of(1, tmp_path, slots=1, slotted=True))
    executor.start(batch(1, (b"echo", b"<" + SLOT_MARK + b">"), range(2)))
    assert [read(tmp_path, outcome) for outcome in Listener(executor).finished(2)] == ["<1>\n", "<1>\n"]


def test_a_script_without_a_first_line_is_run_by_the_shell(executor: LocalExecutor, tmp_path: Path) -> None:
    script = tmp_path / "plain"
    script.write_text('echo "got $1"\n')
    script.chmod(0o755)
    executor.define(spec_of(1, tmp_path))
    executor.start(batch(1, (b"./plain", b"it"), range(1)))
    (outcome,) = Listener(executor).finished(1)
    assert read(tmp_path, outcome) == "got it\n"


def test_a_command_is_found_on_the_jobs_path_also_after_it_moved(executor: LocalExecutor, tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    for place in (first, second):
        place.mkdir()
        (place / "tool").write_text(f"#!/bin/sh\necho {place.name}\n")
        (place / "tool").chmod(0o755)
    executor.define(spec_of(1, tmp_path, env=(f"PATH={first}:{second}:/usr/bin:/bin".encode(),)))
    executor.start(batch(1, (b"tool",), range(1)))
    heard = Listener(executor)
    heard.finished(1)
    (first / "tool").unlink()
    executor.start(batch(1, (b"tool",), range(1, 2)))
    assert [read(tmp_path, outcome) for outcome in heard.finished(2)] == ["first\n", "second\n"]


@pytest.mark.parametrize(
    ("argv", "changes", "number", "words"),
    [
        ((b"no-such-command",), {}, errno.ENOENT, "command not found"),
        ((b"./missing",), {}, errno.ENOENT, "no such file"),
        ((b"./plain",), {}, errno.EACCES, "not executable"),
        ((b"/etc",), {}, errno.EACCES, "is a directory"),
        ((b"true", b"x" * (1 << 20)), {}, errno.E2BIG, "too large"),
        ((b"",), {}, errno.ENOENT, "empty"),
        ((b"true", b"a\0b"), {}, errno.EINVAL, "null"),
        ((b"true",), {"cwd": b"/no/such/place"}, errno.ENOENT, "working directory /no/such/place"),
    ],
)
def test_a_failed_start_has_a_reason(
    executor: LocalExecutor,
    tmp_path: Path,
    argv: tuple[bytes, ...],
    changes: dict[str, Any],
    number: int,
    words: str,
) -> None:
    (tmp_path / "plain").write_text("echo never run")
    executor.define(spec_of(1, tmp_path, **changes))
    executor.start(batch(1, argv, range(1)))
    (outcome,) = Listener(executor).finished(1)
    assert (outcome.ending, outcome.code) == (Ending.NOT_STARTED, number)
    assert words in outcome.err_tail.decode()


# The output of an item.


def test_signals_and_usage_are_reported(executor: LocalExecutor, tmp_path: Path) -> None:
    killed, busy = run(executor, tmp_path, "kill -9 $$", "i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done")
    assert (killed.ending, killed.code) == (Ending.SIGNALLED, 9)
    assert busy.duration_us >= busy.cpu_us * 0.9 > 0
    assert busy.max_rss_kib > 100


def test_outputs_share_few_files_and_are_told_apart(executor: LocalExecutor, tmp_path: Path) -> None:
    texts = [f"echo out {n}; echo err {n} >&2; exit {n % 2}" for n in range(40)]
    outcomes = run(executor, tmp_path, *texts, slots=4)
    for n, outcome in enumerate(outcomes):
        assert (read(tmp_path, outcome), read(tmp_path, outcome, "err")) == (f"out {n}\n", f"err {n}\n")
        assert (outcome.out_tail, outcome.err_tail) == (
            (f"out {n}\n".encode(), f"err {n}\n".encode()) if n % 2 else (b"", b"")
        )
    executor.forget(1)
    wait_until(lambda: len(files(tmp_path)) == 2, what="the empty files are gone")
    assert sum(path.stat().st_size for path in (tmp_path / "logs" / "1").iterdir()) == sum(
        outcome.out_len + outcome.err_len for outcome in outcomes
    )


def test_no_output_leaves_no_files(executor: LocalExecutor, tmp_path: Path) -> None:
    outcomes = run(executor, tmp_path, *["true"] * 10)
    assert {(outcome.log, outcome.out_len, outcome.err_len) for outcome in outcomes} == {(0, 0, 0)}
    executor.forget(1)
    wait_until(lambda: files(tmp_path) == [], what="the empty files are gone")


def test_files_and_directories_are_ours_alone(executor: LocalExecutor, tmp_path: Path) -> None:
    run(executor, tmp_path, "echo x", umask=0)
    directory = tmp_path / "logs" / "1"
    assert directory.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in directory.iterdir()} == {0o600}


def test_numbers_continue_where_an_earlier_daemon_stopped(executor: LocalExecutor, tmp_path: Path) -> None:
    directory = tmp_path / "logs" / "1"
    directory.mkdir(parents=True)
    (directory / "41.out").write_text("from before")
    (outcome,) = run(executor, tmp_path, "echo x")
    assert outcome.log > 41
    assert (directory / "41.out").read_text() == "from before"


def test_a_planted_symlink_is_not_written_through(executor: LocalExecutor, tmp_path: Path) -> None:
    directory = tmp_path / "logs" / "1"
    directory.mkdir(parents=True)
    victim = tmp_path / "victim"
    victim.write_text("precious")
    for number in range(1, 4):
        (directory / f"{number}.out").symlink_to(victim)
    (outcome,) = run(executor, tmp_path, "echo x")
    assert victim.read_text() == "precious"
    assert read(tmp_path, outcome) == "x\n"


def test_truncating_its_own_stderr_harms_no_other_item(executor: LocalExecutor, tmp_path: Path) -> None:
    texts = ["echo kept >&2", "echo lost >&2; echo mine > /dev/stderr", "echo more >&2"]
    outcomes = run(executor, tmp_path, *texts, slots=1)
    assert [read(tmp_path, outcome, "err") for outcome in outcomes] == ["kept\n", "mine\n", "more\n"]


def test_leftovers_are_ended_and_write_into_no_other_log(executor: LocalExecutor, tmp_path: Path) -> None:
    mark = marker()
    writer = f"trap '' TERM; while :; do echo stray; echo stray >&2; sleep 0.01; done # {mark}"
    texts = [f'sh -c "{writer}" sh {mark} & echo first', *["sleep 0.02; echo next"] * 10]
    outcomes = run(executor, tmp_path, *texts, slots=1, grace_s=0.3)
    assert outcomes[0].flags == OutputFlag.LEFTOVERS
    assert {outcome.flags for outcome in outcomes[1:]} == {OutputFlag.NONE}
    assert {read(tmp_path, outcome) + read(tmp_path, outcome, "err") for outcome in outcomes[1:]} == {"next\n"}
    wait_until(lambda: not alive(mark), what="the stray writer is gone")


def test_a_helper_may_live_as_long_as_its_item(executor: LocalExecutor, tmp_path: Path) -> None:
    mark = marker()
    (outcome,) = run(executor, tmp_path, f"(setsid sleep {mark} &); sleep 0.2; pgrep -f '^sleep {mark}$'", grace_s=0.5)
    assert read(tmp_path, outcome)
    assert outcome.flags == OutputFlag.LEFTOVERS
    wait_until(lambda: not alive(mark), what="the helper is gone")


def test_a_large_output_is_kept_whole(executor: LocalExecutor, tmp_path: Path) -> None:
    outcomes = run(executor, tmp_path, "echo a", "seq 100000; echo end >&2", "echo b", slots=1)
    assert read(tmp_path, outcomes[1]) == "".join(f"{n}\n" for n in range(1, 100001))
    assert read(tmp_path, outcomes[1], "err") == "end\n"
    assert [read(tmp_path, outcomes[n]) for n in (0, 2)] == ["a\n", "b\n"]


def test_output_over_the_cap_keeps_head_and_tail(executor: LocalExecutor, tmp_path: Path) -> None:
    (outcome,) = run(executor, tmp_path, "seq 100000; exit 1", output_cap=2000)
    text = read(tmp_path, outcome)
    assert outcome.flags == OutputFlag.CUT
    assert text.startswith("1\n2\n")
    assert text.endswith("\n99999\n100000\n")
    assert f"[jobctl: {588895 - 2000} bytes left out here]" in text
    assert len(text) < 2100
    assert outcome.out_tail.endswith(b"\n100000\n")
    assert len(outcome.out_tail) == 4096


def test_the_output_of_a_running_item_can_be_read(executor: LocalExecutor, tmp_path: Path) -> None:
    executor.define(spec_of(1, tmp_path))
    executor.start([Dispatch(1, 0, 1, (b"sh", b"-c", b"echo here; sleep 1000"), ())])
    (started,) = Listener(executor).until(lambda heard: heard.of(Started)).of(Started)
    path = tmp_path / "logs" / "1" / f"{started.log}.out"
    wait_until(lambda: path.read_text() == "here\n", what="its output")
    assert (started.out_off, started.err_off) == (0, 0)


def test_arguments_of_any_size_pass(executor: LocalExecutor, tmp_path: Path) -> None:
    executor.define(spec_of(1, tmp_path, slots=8))
    argument = b"x" * (100 << 10)
    executor.start(batch(1, (b"sh", b"-c", b"echo ${#1}", b"sh", argument), range(300)))
    outcomes = Listener(executor).finished(300)
    assert {read(tmp_path, outcome) for outcome in outcomes} == {f"{100 << 10}\n"}


def test_the_supervisor_stays_small(supervisor: SupervisorUnderTest, executor: LocalExecutor, tmp_path: Path) -> None:
    executor.define(spec_of(1, tmp_path))
    executor.start(batch(1, (b"true",), range(500)))
    Listener(executor).finished(500)
    status = Path(f"/proc/{supervisor.pid}/status").read_text()
    resident_kib = int(status.split("VmRSS:")[1].split()[0])
    assert resident_kib < 25 << 10
    assert len(os.listdir(f"/proc/{supervisor.pid}/fd")) < 24
