"""S16: inputs and outputs made to fill memory. What reads them stays small, and says what is wrong."""

from __future__ import annotations

import subprocess
import sys
import zlib
from pathlib import Path

import pytest

LIMIT_KIB = 200 << 10
#: Size of a line in MiB and number of rows; the full ones with -m slow.
SMALL = (48, 60_000)
FULL = (1024, 10_000_000)

_LINE = "import sys; w = sys.stdout.buffer.write; w({head!r}); [w(b'x' * 1048576) for _ in range({mib})]; w({tail!r})"
_ROWS = (
    "import sys; w = sys.stdout.buffer.write; w(b'id,v\\n');"
    "[w(b''.join(b'%d,value\\n' % n for n in range(a, min(a + 10000, {rows})))) for a in range(0, {rows}, 10000)]"
)
#: A process inherits the peak of its parent, so a small process is between the tests and the measured one.
_MEASURE = (
    "import os, sys; pid = os.spawnvp(os.P_NOWAIT, sys.argv[2], sys.argv[2:]); _, status, usage = os.wait4(pid, 0);"
    "open(sys.argv[1], 'w').write(str(usage.ru_maxrss)); sys.exit(os.waitstatus_to_exitcode(status))"
)


def measured(cli, words, source):
    """(exit code, stderr, most memory in KiB) of a command that reads what a program writes."""
    feeder = subprocess.Popen([sys.executable, "-c", source], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    errors, peak = cli.work / "stderr", cli.work / "peak"
    argv = [sys.executable, "-I", "-S", "-c", _MEASURE, peak, *cli.program, *map(str, words)]
    with errors.open("wb") as err:
        reader = subprocess.Popen(
            argv, stdin=feeder.stdout, stdout=subprocess.DEVNULL, stderr=err, cwd=cli.work, env=cli.env
        )
        feeder.stdout.close()
        reader.wait()
    feeder.wait()
    return reader.returncode, errors.read_text(errors="replace"), int(peak.read_text())


LINES = {
    "lines": (b"a\n", b"\nb\n"),
    "csv": (b"id,v\n1,", b"\n2,b\n"),
    "csv quoted": (b'id,v\n1,"', b'"\n2,b\n'),
    "csv never closed": (b'id,v\n1,"a\n', b"\n2,b\n"),
    "tsv": (b"id\tv\n1\t", b"\n2\tb\n"),
    "jsonl": (b'{"v": "', b'"}\n{"v": "b"}\n'),
    "header": (b"id,", b"\n1,2\n"),
}


def one_long_line(cli, name, mib):
    head, tail = LINES[name]
    words = ("submit", "-", "--format", "csv" if name == "header" else name.split()[0], "--", "echo", "x")
    code, err, memory = measured(cli, words, _LINE.format(head=head, tail=tail, mib=mib))
    assert code == 7 and "Traceback" not in err, err
    assert "16 MiB" in err or "never closed" in err, err
    assert memory < LIMIT_KIB, f"{memory >> 10} MiB"
    assert not cli.home.database.exists() or cli.rows("SELECT count(*) FROM jobs") == [(0,)]


def many_rows(cli, rows):
    code, err, memory = measured(cli, ("submit", "-", "--format", "csv", "--", "echo", "{v}"), _ROWS.format(rows=rows))
    assert code == 0, err
    assert memory < LIMIT_KIB, f"{memory >> 10} MiB"
    assert cli.rows("SELECT total FROM jobs") == [(rows,)]
    for words in (("status", "--json"), ("status", "1"), ("items", "1", "--state", "failed"), ("cancel", "1")):
        code, err, memory = measured(cli, words, "")
        assert code in (0, 5) and memory < LIMIT_KIB, (words, err, memory >> 10)


def wide_rows(cli):
    """A hundred thousand columns, a thousand levels of JSON, a thousand keys."""
    wide = "import sys; w = sys.stdout.write; r = ','.join(map(str, range(100000))); w(r + '\\n' + r + '\\n')"
    code, err, memory = measured(cli, ("submit", "-", "--format", "csv", "--hold", "--", "echo", "{1}"), wide)
    assert code in (0, 7) and "Traceback" not in err and memory < LIMIT_KIB
    deep = "import sys; sys.stdout.write('{\"v\": ' + '[' * 100000 + ']' * 100000 + '}\\n')"
    code, err, memory = measured(cli, ("submit", "-", "--format", "jsonl", "--", "echo", "{v}"), deep)
    assert code == 7 and "Traceback" not in err and memory < LIMIT_KIB


@pytest.mark.parametrize("name", ["csv quoted", "jsonl"])
def test_s16_one_endless_line_is_refused_in_little_memory(cli, name):
    one_long_line(cli, name, SMALL[0])


def test_s16_many_rows_take_no_more_memory_than_few(cli):
    many_rows(cli, SMALL[1])


@pytest.mark.slow
def test_s16_wide_and_deep_rows(cli):
    wide_rows(cli)


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("name", LINES)
def test_s16_a_line_of_a_gigabyte(cli, name):
    one_long_line(cli, name, FULL[0])


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_s16_ten_million_rows(cli, monkeypatch):
    monkeypatch.setattr("tests.e2e.conftest.PATIENCE_S", 600)
    many_rows(cli, FULL[1])


def test_s16_a_packed_bomb_is_unpacked_piece_by_piece(cli):
    packer = zlib.compressobj(9, wbits=31)
    block = b"x" * (1 << 20)
    packed = packer.compress(b"id,v\n1,") + b"".join(packer.compress(block) for _ in range(64)) + packer.flush()
    (cli.work / "bomb.csv.gz").write_bytes(packed)
    assert len(packed) < 1 << 20
    code, err, memory = measured(cli, ("submit", "bomb.csv.gz", "--", "echo", "x"), "")
    assert code == 7 and "16 MiB" in err and memory < LIMIT_KIB


@pytest.mark.slow
def test_s16_what_an_item_says_takes_no_memory_of_ours(cli):
    cli.file("rows.txt", "1\n")
    cli("daemon", "start")
    script = "head -c 100000000 /dev/zero | tr '\\0' x; head -c 50000000 /dev/zero | tr '\\0' y >&2; exit 65"
    cli.submit("rows.txt", "--", "sh", "-c", script)
    cli("wait", "1", check=4)
    for pid in (cli.daemon_pid(), cli.engine_pid()):
        status = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
        assert int(status["VmHWM"].split()[0]) < LIMIT_KIB
    for words in (("logs", "1"), ("logs", "1.1", "--stderr"), ("explain", "1.1"), ("status", "1"), ("items", "1")):
        code, err, memory = measured(cli, words, "")
        assert code == 0 and memory < LIMIT_KIB, (words, err, memory >> 10)
    kept = sum(path.stat().st_size for path in cli.home.logs.rglob("*") if path.is_file())
    assert kept <= (64 << 20) + (50 << 20) + (1 << 20), "head and tail of each stream"
