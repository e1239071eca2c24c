"""A joblog as GNU parallel writes it, of jobs that the real engine has run."""

from __future__ import annotations

import io
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from jobctl.domain.endings import Ending
from jobctl.domain.selection import Selection
from jobctl.domain.spans import Span
from jobctl.domain.states import ItemState
from jobctl.errors import NotFound, UsageError
from jobctl.services.control.retry import retry
from jobctl.services.output.export import HEADER, Exported, command_text, export_joblog, exported
from tests.services.finished_job import WorkedOff


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[WorkedOff]:
    bench = WorkedOff(tmp_path)
    yield bench
    bench.database.close()


def export(bench: WorkedOff, job: int) -> list[list[str]]:
    """The fields of each line after the header."""
    target = io.BytesIO()
    count = export_joblog(Exported(bench.home, job), target)
    header, *lines = target.getvalue().decode().splitlines()
    assert header + "\n" == HEADER
    assert count == len(lines)
    return [line.split("\t") for line in lines]


def test_one_line_per_item_that_ran_in_input_order(bench: WorkedOff) -> None:
    job = bench.mixed()
    lines = export(bench, job)
    assert [line[0] for line in lines] == [str(n) for n in range(1, 10)], "10 to 12 never ran"
    assert [line[6] for line in lines] == ["0", "65", "0", "65", "0", "65", "0", "0", "65"]
    seq, host, start, runtime, send, receive, code, signal, command = lines[2]
    assert (seq, host, send, receive, code, signal) == ("3", ":", "0", "15", "0", "0")
    assert float(start) == pytest.approx(bench.now / 1e6, abs=60)
    assert start.partition(".")[2] != "" and len(start.partition(".")[2]) == 3
    assert (runtime, float(runtime)) == ("     0.001", 0.001)
    assert command == "do b,c"


def test_the_latest_attempt_counts(bench: WorkedOff) -> None:
    job = bench.finish("rows.txt", "a\nbad\n")
    first = export(bench, job)
    retry(bench.home, job, Selection(), now=bench.now)
    bench.work_off()
    second = export(bench, job)
    assert len(second) == 2
    assert second[0] == first[0]
    assert float(second[1][2]) > float(first[1][2])


@pytest.mark.parametrize(
    ("ending", "code", "fields"),
    [
        (Ending.SIGNALLED, 9, ("0", "9")),
        (Ending.TIMED_OUT, 15, ("-1", "15")),
        (Ending.CANCELLED, 15, ("0", "15")),
        (Ending.INTERRUPTED, 0, ("0", "15")),
        (Ending.NOT_STARTED, 2, ("127", "0")),
        (Ending.RAISED, 0, ("1", "0")),
        (Ending.EXITED, 7, ("7", "0")),
    ],
)
def test_every_ending_has_an_exit_value_and_a_signal(
    bench: WorkedOff, ending: Ending, code: int, fields: tuple[str, str]
) -> None:
    job = bench.finish("rows.txt", "a\n")
    with bench.database.transaction():
        bench.database.execute("UPDATE attempts SET ending = ?, code = ? WHERE job = ?", (int(ending), code, job))
    (line,) = export(bench, job)
    assert (line[6], line[7]) == fields


@pytest.mark.parametrize(
    "words",
    [
        ("echo", "a b", "it's", "$HOME", "*", ""),
        ("echo", "tab\there", "line\nfeed", "it's\tboth", "back\\slash\t", "bell\x07"),
        ("echo", "NAME=value", "ü", "-n"),
    ],
)
def test_a_shell_takes_the_command_as_it_was(words: tuple[str, ...]) -> None:
    text = command_text(("printf", r"%s\0", *words))
    assert len(text.splitlines()) == 1
    assert "\t" not in text
    said = subprocess.run(["bash", "-c", text], capture_output=True, check=True).stdout
    assert tuple(said.decode().split("\0")[:-1]) == words


def test_the_values_of_a_shell_item_are_set_before_it() -> None:
    text = command_text(("GREETING=it's a", "NAME=b\tc", "/bin/sh", "-c", 'echo "$GREETING, $NAME"'), 2)
    assert subprocess.run(["bash", "-c", text], capture_output=True, check=True).stdout == b"it's a, b\tc\n"


def test_a_shell_job_from_end_to_end(bench: WorkedOff) -> None:
    job = bench.finish("rows.txt", "it's\n", shell="echo {}")
    (line,) = export(bench, job)
    assert subprocess.run(["bash", "-c", line[8]], capture_output=True, check=True).stdout == b"it's\n"


def test_a_program_with_an_equals_sign_in_its_name_is_not_an_assignment() -> None:
    assert command_text(("a=b", "c=d")) == "'a=b' c=d"


def test_a_job_that_did_nothing_yet_has_a_header(bench: WorkedOff) -> None:
    assert export(bench, bench.submit(rows=2, hold=True)) == []


@pytest.mark.parametrize("command", ["[", "[]", "7"])
def test_a_job_whose_command_is_damaged_has_its_other_fields(bench: WorkedOff, command: str) -> None:
    job = bench.mixed()
    whole = export(bench, job)
    bench.database.execute("UPDATE jobs SET command = ? WHERE id = ?", (command, job))
    assert export(bench, job) == [[*line[:-1], "'?'"] for line in whole]


def test_only_the_selected_items(bench: WorkedOff) -> None:
    job = bench.mixed()
    whole = io.BytesIO()
    export_joblog(Exported(bench.home, job), whole)
    for selection, numbers in (
        (Selection((ItemState.FAILED,)), [2, 4, 6, 9]),
        (Selection(where="exit_code == 0 and id > 3"), [5, 7, 8]),
        (Selection(items=(Span(8, 99),)), [8, 9]),
    ):
        target = io.BytesIO()
        assert export_joblog(Exported(bench.home, job, selection, bench.now), target) == len(numbers)
        header, *lines = whole.getvalue().splitlines(keepends=True)
        assert target.getvalue() == b"".join([header, *(lines[number - 1] for number in numbers)])
    nothing = Exported(bench.home, job, Selection(where="id > 90"), bench.now)
    assert nothing.note() == f"job {job}: none of its 12 items fit --where 'id > 90'"
    with pytest.raises(UsageError, match="export acts on items"):
        exported(bench.home, str(job), Selection((ItemState.UNPROCESSED,)), bench.now)


def test_no_such_job(bench: WorkedOff) -> None:
    with pytest.raises(NotFound):
        export_joblog(Exported(bench.home, 1), io.BytesIO())
