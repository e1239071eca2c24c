"""An item can damage only its own output; if it damages more, a message says so."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from jobctl.domain.endings import Ending
from jobctl.domain.ports import OutputFlag
from jobctl.executors.local import LocalExecutor
from jobctl.supervisor.output import JobOutput, is_untouched
from tests.supervisor.calls.test_calls import Calling, call_spec
from tests.supervisor.calls.test_calls import read as read_call
from tests.supervisor.calls.test_calls import run as run_calls
from tests.supervisor.test_items import read, run

FLAGS = "import fcntl, os; fcntl.fcntl({fd}, fcntl.F_SETFL, {flags}); os.lseek({fd}, 1000, 0)"


@pytest.mark.parametrize("fd", [1, 2])
@pytest.mark.parametrize("flags", ["0", "os.O_APPEND | os.O_NONBLOCK", "os.O_APPEND | os.O_DIRECT"])
def test_flags_that_an_item_sets_are_gone_with_it(executor: LocalExecutor, tmp_path: Path, fd: int, flags: str) -> None:
    stream = {1: "out", 2: "err"}[fd]
    script = FLAGS.format(fd=fd, flags=flags)
    hostile = f"echo 0 >&{fd}; python3 -c '{script}'"
    silent = f"python3 -c '{script}'"
    outcomes = run(executor, tmp_path, hostile, f"echo one >&{fd}", silent, f"echo two >&{fd}", slots=1)
    assert [read(tmp_path, outcomes[n], stream) for n in (1, 3)] == ["one\n", "two\n"]


@pytest.mark.parametrize(
    "hostile",
    ["dd if=/dev/zero of=/dev/stdout bs=9 count=1 seek=5 2>/dev/null", "> /dev/stdout", "truncate -s 77 /dev/stdout"],
)
def test_files_that_an_item_opens_again_hurt_it_alone(executor: LocalExecutor, tmp_path: Path, hostile: str) -> None:
    outcomes = run(executor, tmp_path, "echo first", f"echo mine; {hostile}", "echo last", slots=1)
    assert [read(tmp_path, outcomes[n]) for n in (0, 2)] == ["first\n", "last\n"]


def test_a_pair_is_used_again_only_with_its_flags(tmp_path: Path) -> None:
    output = JobOutput(str(tmp_path).encode(), 0)
    first = output.scratch(1)
    assert is_untouched(first)
    output.settle(first, 1, False)
    assert output.scratch(1) is first
    os.set_blocking(first.err, False)
    assert not is_untouched(first)
    output.settle(first, 1, False)
    assert output.scratch(1) is not first
    output.close()


CALLS = """
import fcntl, os
def do(line):
    word, _, rest = line.partition(" ")
    print(*rest.split(), flush=True)
    globals()["do_" + word]()
def do_say(): pass
def do_seek():
    fcntl.fcntl(1, fcntl.F_SETFL, fcntl.fcntl(1, fcntl.F_GETFL) & ~os.O_APPEND)
    os.lseek(1, 0, 0)
    os.write(1, b"XXXX")
def do_truncate(): os.ftruncate(1, 0)
def do_open():
    with open("/dev/stdout", "w") as file:
        file.write("my own words, which are longer than all others\\n" * 9)
"""


@pytest.fixture
def calling(executor: LocalExecutor, tmp_path: Path) -> Calling:
    (tmp_path / "calls.py").write_text(CALLS)
    return Calling(executor, tmp_path)


@pytest.mark.parametrize("word", ["seek", "truncate", "open"])
def test_output_that_a_call_wrote_over_is_marked_as_damaged(calling: Any, tmp_path: Path, word: str) -> None:
    spec = {"slots": 1, "call": call_spec("calls:do")}
    run_calls(calling, tmp_path, *["say warm"] * 20, **spec)  # so that the next ones travel together
    lines = [f"say row-{n}" for n in range(5)] + [f"{word} x"] + [f"say row-{n}" for n in range(5, 200)]
    outcomes = run_calls(calling, tmp_path, *lines, **spec)
    assert {outcome.ending for outcome in outcomes} == {Ending.EXITED}
    for n, outcome in enumerate(outcomes):
        text = read_call(tmp_path, outcome)
        hurt = "wrote over this file" in text
        assert hurt == bool(outcome.flags & OutputFlag.CUT)
        assert n == 5 or hurt or text == lines[n].partition(" ")[2] + "\n", (n, text)
    after = run_calls(calling, tmp_path, *lines[:5], **spec)
    assert [read_call(tmp_path, outcome) for outcome in after] == [f"row-{n}\n" for n in range(5)]


def test_output_of_calls_that_only_print_is_never_marked_as_damaged(calling: Any, tmp_path: Path) -> None:
    outcomes = run_calls(calling, tmp_path, *[f"say row-{n}" for n in range(500)], call=call_spec("calls:do"))
    assert not any(outcome.flags for outcome in outcomes)
    assert [read_call(tmp_path, outcome) for outcome in outcomes] == [f"row-{n}\n" for n in range(500)]
