"""Input packed by zstd."""

from __future__ import annotations

import sys

import pytest

from jobctl.errors import InputRejected, UsageError

zstandard = pytest.importorskip("zstandard", reason="needs the package zstandard")

ROWS = b"".join(b"%d,%s\n" % (n, b"x" * (n % 50)) for n in range(30_000))
PLAIN = b"id,text\n" + ROWS


def pack(data, **options):
    return zstandard.ZstdCompressor(**options).compress(data)


def test_frames_one_after_the_other_are_one_file(read):
    skipped = b"\x50\x2a\x4d\x18\x04\0\0\0abcd"
    plain = read(PLAIN)
    for content in (pack(PLAIN), pack(PLAIN[:100]) + skipped + pack(PLAIN[100:]), skipped + pack(PLAIN)):
        packed = read(content, name="input.csv.zst")
        assert packed.payloads == plain.payloads
        assert packed.source.rows_sha256 == plain.source.rows_sha256
        assert (packed.source.format, packed.source.bytes) == ("csv", len(content))


def test_it_is_known_by_its_content_whatever_it_is_called(read):
    assert read(pack(b"a\nb\n"), name="rows").payloads == [b"a", b"b"]


def test_damaged_and_cut_off_data(read):
    content = pack(PLAIN, write_checksum=True)
    assert read.refused(content[:-9], name="x.csv.zst").details == ("the zstd data is cut off",)
    for place in (10, len(content) // 2, len(content) - 2):
        broken = content[:place] + bytes([content[place] ^ 0xFF]) + content[place + 1 :]
        with pytest.raises(InputRejected) as caught:
            read(broken, name="x.csv.zst", invalid="skip")
        assert "zstd data is" in caught.value.details[-1]


def test_a_missing_zstd_package_is_named(read, monkeypatch):
    monkeypatch.setitem(sys.modules, "compression", None)
    monkeypatch.setitem(sys.modules, "zstandard", None)
    with pytest.raises(UsageError, match="not installed") as caught:
        read(pack(PLAIN), name="x.csv.zst")
    assert "pip install 'jobctl[zstd]'" in caught.value.hint
