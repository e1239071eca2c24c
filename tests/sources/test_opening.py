"""Names, formats, encodings, gzip, standard input, and memory."""

import contextlib
import gzip
import io
import os
import subprocess
import sys
import textwrap
import threading

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jobctl.errors import InputRejected, UsageError
from jobctl.sources import InputOptions, open_source
from jobctl.sources.stream import CHUNK


def stdin_rows(content, **options):
    with open_source(InputOptions("-", **options), io.BytesIO(content)) as source:
        return [payload for batch in source.batches() for payload in batch]


def exhaust(options):
    with open_source(options, io.BytesIO()) as source:
        for _ in source.batches():
            pass


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("a.csv", "csv"),
        ("a.CSV.GZ", "csv"),
        ("a.tsv", "tsv"),
        ("a.tab.gz", "tsv"),
        ("a.jsonl", "jsonl"),
        ("a.ndjson.gz", "jsonl"),
        ("a.txt", "lines"),
        ("a.list.gz", "lines"),
        ("urls", "lines"),
        ("a.csv.bak", "lines"),
    ],
)
def test_the_name_tells_the_format(read, name, found):
    path = read.path(b'{"a": 1}\n{"a": 2}\n', name.replace(".GZ", ""))
    with open_source(InputOptions(str(path.with_name(path.name))), io.BytesIO()) as source:
        assert source.format == found


def test_an_option_overrides_the_name(read):
    assert read(b"a,b\n1,2\n", name="a.txt", format="csv").payloads == [b"1\x002"]
    assert read(b"a,b\n1,2\n", name="a.csv", format="lines").payloads == [b"a,b", b"1,2"]
    assert read(b"a;b\n1;2\n", delimiter="semicolon").payloads == [b"1\x002"]
    assert read(b"a\tb\n1\t2\n", delimiter="tab").payloads == [b"1\x002"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"format": "xml"}, "--format 'xml' is not known"),
        ({"delimiter": ";;"}, "--delimiter ';;'"),
        ({"delimiter": '"'}, "--delimiter"),
        ({"delimiter": "\n"}, "--delimiter"),
        ({"delimiter": ""}, "--delimiter"),
        ({"delimiter": ",", "format": "lines"}, "--delimiter makes no sense for lines"),
        ({"header": False, "format": "jsonl"}, "--no-header makes no sense for jsonl"),
        ({"encoding": "klingon"}, "--encoding 'klingon' is not known"),
        ({"encoding": "hex"}, "--encoding 'hex' is not known"),
        ({"encoding": "idna\0"}, "--encoding"),
    ],
)
def test_options_that_do_not_fit_are_refused_by_name(read, options, message):
    with pytest.raises(UsageError) as caught:
        read(b"a,b\n1,2\n", **options)
    assert message in caught.value.message
    assert caught.value.hint


def test_standard_input_needs_a_format():
    with pytest.raises(UsageError, match="standard input does not tell its format") as caught:
        stdin_rows(b"a\n")
    assert "--format" in caught.value.hint
    assert stdin_rows(b"a\nb\n", format="lines") == [b"a", b"b"]
    assert stdin_rows(gzip.compress(b"a\nb\n"), format="lines") == [b"a", b"b"]


def test_a_pipe_with_a_name_that_tells_nothing_needs_a_format_too(tmp_path):
    fifo = tmp_path / "rows"
    os.mkfifo(fifo)

    def feed():
        with contextlib.suppress(BrokenPipeError), open(fifo, "wb") as out:
            out.write(b"a\nb\n")

    for options, expected in ((InputOptions(str(fifo)), UsageError), (InputOptions(str(fifo), format="lines"), None)):
        writer = threading.Thread(target=feed)
        writer.start()
        try:
            if expected:
                with pytest.raises(expected, match="does not tell its format"):
                    open_source(options, io.BytesIO())
            else:
                with open_source(options, io.BytesIO()) as source:
                    assert source.size is None
                    assert list(source.batches()) == [[b"a", b"b"]]
        finally:
            writer.join()


def test_a_pipe_that_gives_a_byte_at_a_time(tmp_path):
    receiver, sender = os.pipe()
    content = b"\xef\xbb\xbfa,b\n1,2\n"

    def feed():
        with open(sender, "wb", buffering=0) as out:
            out.writelines(bytes([byte]) for byte in content)

    writer = threading.Thread(target=feed)
    writer.start()
    with open(receiver, "rb", buffering=0) as raw, open_source(InputOptions("-", format="csv"), raw) as source:
        assert source.columns == ("a", "b")
        assert list(source.batches()) == [[b"1\x002"]]
    writer.join()


@pytest.mark.parametrize(
    ("path", "reason"), [("missing.csv", "No such file"), (".", "Is a directory"), ("a\0b", "null")]
)
def test_an_unreadable_input_is_refused_by_name(tmp_path, path, reason):
    with pytest.raises(InputRejected, match=reason):
        open_source(InputOptions(str(tmp_path / path), format="csv"), io.BytesIO())


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "latin-1", "cp1252", "utf-8-sig"])
@pytest.mark.parametrize("bom", [False, True])
def test_other_encodings_are_read_when_announced(read, encoding, bom):
    text = ("\ufeff" if bom and encoding.startswith(("utf-16", "utf-32")) else "") + 'id,näme\n1,"é\nü"\n'
    result = read(text.encode(encoding), encoding=encoding)
    assert result.source.columns == ("id", "näme")
    assert result.payloads == ["1\0é\nü".encode()]


@pytest.mark.parametrize("invalid", ["reject", "skip"])
def test_a_wrong_encoding_refuses_the_file_with_the_line(read, invalid):
    content = "id,url\n1,x\n".encode("shift_jis") + b"2,\x81\n"
    error = read.refused(content, encoding="shift_jis", invalid=invalid)
    assert error.details[-1].startswith("line 3: this is not shift_jis text")
    assert (
        read.refused("a\nb".encode("utf-16")[:-1], encoding="utf-16")
        .details[0]
        .startswith("line 2: this is not utf-16")
    )


@pytest.mark.parametrize("name", ["a.csv.gz", "a.csv"])
def test_gzip_is_recognised_by_its_content(read, name):
    plain = b"a,b\n" + b"1,2\n" * 100_000
    path = read.path(b"", name)
    path.write_bytes(gzip.compress(plain[:1000]) + gzip.compress(plain[1000:]) + b"\0" * 100)
    with open_source(InputOptions(str(path)), io.BytesIO()) as source:
        assert sum(map(len, source.batches())) == 100_000
        assert source.bytes == path.stat().st_size


def test_a_gz_name_with_plain_content_is_read_as_it_is(read):
    path = read.path(b"", "a.csv.gz")
    path.write_bytes(b"a,b\n1,2\n")
    with open_source(InputOptions(str(path)), io.BytesIO()) as source:
        assert list(source.batches()) == [[b"1\x002"]]


@pytest.mark.parametrize("invalid", ["reject", "skip"])
@pytest.mark.parametrize(
    ("harm", "sentence"),
    [
        (lambda data: data[:-9], "the gzip data is cut off"),
        (lambda data: data[:2000], "the gzip data is cut off"),
        (lambda data: data[:2000] + b"\xff" * 20 + data[2020:], "the gzip data is damaged"),
        (lambda data: data + b"garbage", "the gzip data is damaged"),
    ],
)
def test_damaged_gzip_refuses_the_file(read, harm, sentence, invalid):
    rows = "".join(f"{number},{number * 2_654_435_761 % (1 << 61)}\n" for number in range(50_000))
    path = read.path(b"", "a.csv.gz")
    path.write_bytes(harm(gzip.compress(b"a,b\n" + rows.encode())))
    with pytest.raises(InputRejected) as caught:
        exhaust(InputOptions(str(path), invalid=invalid))
    assert caught.value.details[-1].startswith(sentence)


def test_damage_is_named_among_any_number_of_bad_rows(read):
    path = read.path(b"", "a.csv.gz")
    path.write_bytes(gzip.compress(b"a,b\n" + b"1\n" * 90_000)[:-9])
    with pytest.raises(InputRejected) as caught:
        exhaust(InputOptions(str(path)))
    *shown, more, damage = caught.value.details
    assert len(shown) == 20
    assert more.startswith("... and ") and more.endswith(" more")
    assert damage.startswith("the gzip data is cut off")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=30)
@given(size=st.integers(0, 3 * CHUNK), seed=st.integers(0, 255))
def test_gzip_of_any_length_is_read_to_its_end(size, seed):
    line = bytes(((seed + i * 31) % 90) + 33 for i in range(size % 97 + 1)).replace(b'"', b"x")
    plain = (line + b"\n") * (size // (len(line) + 1) + 1)
    assert len(stdin_rows(gzip.compress(plain, 1), format="lines")) == plain.count(b"\n")


def test_the_file_is_closed_even_when_its_beginning_is_refused(read):
    open_before = len(os.listdir("/proc/self/fd"))
    for content in (b"", b"a,a\n1,2\n", "x".encode("utf-16")):
        read.refused(content)
    assert len(os.listdir("/proc/self/fd")) == open_before


@pytest.mark.slow
@pytest.mark.parametrize(
    ("shape", "says"),
    [
        ("b'a,b\\n1,' + b'x' * 1000", "rejected: line 2, record 1: the line is longer than 16 MiB"),
        ("b'a,b\\n1,\"' + b'x\\n' * 500", "rejected: line 2, record 1: a quoted field is opened and never closed"),
        ("b'a,b\\n1,2\\n' + (b'1,' + b'2' * 97 + b'\\n') * 10", "accepted"),
    ],
)
def test_memory_is_bounded_for_any_content(shape, says):
    program = textwrap.dedent(f"""
        import io, re
        from jobctl.errors import InputRejected
        from jobctl.sources import InputOptions, open_source

        class Endless(io.RawIOBase):
            left = 200 << 20
            first = True
            def readable(self): return True
            def readinto(self, room):
                head, tail = ({shape})[:8], ({shape})[8:]
                data = (head if self.first else b"") + tail * ((len(room) - 8) // len(tail))
                self.first = False
                self.left -= len(data)
                if self.left < 0: return 0
                room[: len(data)] = data
                return len(data)

        try:
            with open_source(InputOptions("-", format="csv"), Endless()) as source:
                for _ in source.batches(): pass
            print("accepted")
        except InputRejected as error:
            print("rejected:", error.details[0])
        print(int(re.search(r'VmHWM:\\s*(\\d+) kB', open('/proc/self/status').read())[1]) >> 10)
    """)
    said, peak = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60
    ).stdout.splitlines()
    assert said.startswith(says)
    assert int(peak) < 150
