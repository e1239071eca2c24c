"""The files of output: few and reused, large outputs not copied, too large ones cut."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from jobctl.supervisor.output import NOWHERE, PROMOTE_AT, ROTATE_AT, JobOutput, OutputPlace


def write(output: JobOutput, slot: int, out: bytes, err: bytes = b"", with_tail: bool = False) -> OutputPlace:
    """Write output as an item in a slot does; returns the place where it was kept."""
    scratch = output.scratch(slot)
    os.write(scratch.out, out)
    os.write(scratch.err, err)
    return output.settle(scratch, slot, with_tail)


def read(root: Path, place: OutputPlace) -> tuple[bytes, bytes]:
    log, out_off, out_len, err_off, err_len, *_ = place
    return _read(root / f"{log}.out", out_off, out_len), _read(root / f"{log}.err", err_off, err_len)


def _read(path: Path, offset: int, length: int) -> bytes:
    return path.read_bytes()[offset : offset + length] if length else b""


def names(root: Path) -> list[str]:
    return sorted(os.listdir(root))


@pytest.fixture
def output(tmp_path: Path) -> JobOutput:
    return JobOutput(os.fsencode(tmp_path / "logs"), cap=0)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "logs"


def test_small_outputs_go_into_one_pair(output: JobOutput, root: Path) -> None:
    places = [write(output, n % 3 + 1, b"out %d" % n, b"err %d" % n) for n in range(9)]
    assert [read(root, place) for place in places] == [(b"out %d" % n, b"err %d" % n) for n in range(9)]
    assert len({place[0] for place in places}) == 1
    output.close()
    assert len(names(root)) == 2


def test_no_output_has_no_place_and_leaves_no_file(output: JobOutput, root: Path) -> None:
    assert write(output, 1, b"") == NOWHERE
    output.close()
    assert names(root) == []


def test_one_stream_alone_has_one_file(output: JobOutput, root: Path) -> None:
    assert read(root, write(output, 1, b"", b"only err")) == (b"", b"only err")
    output.close()
    assert [name.partition(".")[2] for name in names(root)] == ["err"]


def test_a_large_output_becomes_a_log_itself(output: JobOutput, root: Path) -> None:
    number = output.scratch(1).number
    place = write(output, 1, b"x" * (PROMOTE_AT + 1), b"small")
    assert place[0] == number
    assert read(root, place) == (b"x" * (PROMOTE_AT + 1), b"small")
    assert output.scratch(1).number != number
    after = write(output, 1, b"next")
    assert read(root, after) == (b"next", b"")
    assert read(root, place)[1] == b"small"


def test_a_log_is_followed_by_the_next_one(output: JobOutput, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jobctl.supervisor.output.ROTATE_AT", 1000)
    places = [write(output, 1, b"y" * 400) for _ in range(7)]
    assert [place[0] for place in places] == sorted(place[0] for place in places)
    assert len({place[0] for place in places}) == 3
    assert {read(root, place)[0] for place in places} == {b"y" * 400}
    assert ROTATE_AT == 64 << 20


@pytest.mark.parametrize("size", [5000, PROMOTE_AT + 5000, 3 * PROMOTE_AT])
def test_over_the_cap_head_and_tail_are_kept(output: JobOutput, root: Path, size: int) -> None:
    output.cap = 1000
    text = b"".join(b"%07d\n" % n for n in range(size // 8))
    place = write(output, 1, text, with_tail=True)
    kept = read(root, place)[0]
    assert place[5]
    assert kept.startswith(text[:500] + b"\n[jobctl: %d bytes left out here]\n" % (len(text) - 1000))
    assert kept.endswith(b"\n" + text[-500:])
    assert len(kept) < 1064
    assert place[6] == text[-4096:]
    assert read(root, write(output, 1, b"next"))[0] == b"next"


def test_just_over_the_cap_is_kept_whole(output: JobOutput, root: Path) -> None:
    output.cap = 1000
    place = write(output, 1, b"z" * 1050)
    assert not place[5]
    assert read(root, place)[0] == b"z" * 1050


def test_a_growing_output_gives_its_middle_back(output: JobOutput, root: Path) -> None:
    output.cap = 1 << 20
    scratch = output.scratch(1)
    text = b"".join(b"%07d\n" % n for n in range((8 << 20) // 8))
    os.write(scratch.out, text)
    output.trim(scratch)
    assert os.fstat(scratch.out).st_blocks * 512 < 2 << 20
    os.write(scratch.out, b"the end\n")
    place = output.settle(scratch, 1, with_tail=False)
    kept = read(root, place)[0]
    assert kept.startswith(text[: 512 << 10])
    assert kept.endswith(text[-1000:] + b"the end\n")
    assert b"\0" not in kept


def test_an_output_within_its_cap_is_not_trimmed(output: JobOutput, root: Path) -> None:
    output.cap = 1 << 20
    scratch = output.scratch(1)
    os.write(scratch.out, b"x" * (1 << 20))
    output.trim(scratch)
    assert read(root, output.settle(scratch, 1, with_tail=False))[0] == b"x" * (1 << 20)


def test_without_room_for_a_copy_the_first_one_stays(output: JobOutput, root: Path) -> None:
    first = write(output, 1, b"first")
    scratch = output.scratch(1)
    os.write(scratch.out, b"second")
    os.write(scratch.err, b"why")
    log = root / f"{first[0]}.err"
    log.mkdir()  # the file of the other stream cannot be made
    place = output.settle(scratch, 1, with_tail=False)
    assert place[0] == scratch.number
    assert read(root, place) == (b"second", b"why")
    assert read(root, first)[0] == b"first"


def test_without_room_for_one_stream_the_first_copy_of_both_stays_and_is_cut(output: JobOutput, root: Path) -> None:
    output.cap = 1000
    write(output, 1, b"first", b"first")
    full = os.open("/dev/full", os.O_WRONLY)
    os.dup2(full, output.err_log.fd, inheritable=False)
    os.close(full)
    text = b"".join(b"%07d\n" % n for n in range(600))
    place = write(output, 1, text, b"why")
    kept, reason = read(root, place)
    assert place[5] and reason == b"why"
    assert kept.startswith(text[:500] + b"\n[jobctl: ") and kept.endswith(b"\n" + text[-500:])


def test_a_retired_slot_gets_other_files(output: JobOutput, root: Path) -> None:
    before = output.scratch(2)
    stray = os.open(root / f"{before.number}.out", os.O_WRONLY | os.O_APPEND)
    output.retire(2)
    os.write(stray, b"late")
    os.close(stray)
    assert output.scratch(2).number != before.number
    assert read(root, write(output, 2, b"clean"))[0] == b"clean"


def test_an_idle_job_keeps_few_files_open(output: JobOutput) -> None:
    first = [output.scratch(slot).number for slot in range(1, 9)]
    output.shrink()
    assert output.scratch(1).number == first[0]
    assert output.scratch(2).number not in first


def test_numbers_are_never_used_twice(root: Path) -> None:
    root.mkdir()
    (root / "17.err").write_bytes(b"old")
    (root / "notes.txt").write_bytes(b"not ours")
    output = JobOutput(os.fsencode(root), cap=0)
    assert output.scratch(1).number == 18
    output.close()


def test_a_directory_that_is_a_symlink_is_refused(root: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    root.symlink_to(elsewhere)
    output = JobOutput(os.fsencode(root), cap=0)
    with pytest.raises(NotADirectoryError):
        output.scratch(1)
    assert names(elsewhere) == []
