"""Files that are not text although text is expected: the message names their kind and the command to type."""

import bz2
import gzip
import io
import lzma
import tarfile
import zipfile

import pytest

from jobctl.sources.packed import unbzip2, unxz

ROWS = b"id,v\n" + b"".join(b"%d,a\n" % n for n in range(20_000))


def zipped():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("rows.csv", ROWS)
    return file.getvalue()


def tarred():
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        entry = tarfile.TarInfo("rows.csv")
        entry.size = len(ROWS)
        archive.addfile(entry, io.BytesIO(ROWS))
    return file.getvalue()


PACKERS = {"bz2": bz2.compress, "xz": lzma.compress}


@pytest.mark.parametrize("packer", PACKERS)
@pytest.mark.parametrize("name", ["rows.csv", "rows.csv.{}"])
def test_bzip2_and_xz_are_read_like_gzip(read, packer, name):
    pack = PACKERS[packer]
    expected = read(ROWS).payloads
    assert read(pack(ROWS), name.format(packer)).payloads == expected
    two = pack(ROWS[:1000]) + pack(ROWS[1000:])
    assert read(two, name.format(packer)).payloads == expected


@pytest.mark.parametrize("packer", PACKERS)
def test_damaged_packed_data_is_reported(read, packer):
    packed = PACKERS[packer](ROWS)
    assert "is cut off" in read.refused(packed[:-20]).details[-1]
    broken = bytearray(packed)
    broken[len(packed) // 2] ^= 255
    assert "is damaged" in read.refused(bytes(broken)).details[-1]
    assert "is damaged" in read.refused(packed + b"garbage" * 10).details[-1]


@pytest.mark.parametrize("packer", PACKERS)
def test_a_bomb_is_unpacked_in_pieces(packer):
    packed = PACKERS[packer](bytes(50 << 20))
    pieces = {"bz2": unbzip2, "xz": unxz}[packer](iter([packed]))
    sizes = [len(piece) for piece in pieces]
    assert sum(sizes) == 50 << 20
    assert max(sizes) <= 256 << 10


FOREIGN = [
    (zipped(), "a ZIP archive", "unzip -p FILE"),
    (tarred(), "a tar archive (its first file is 'rows.csv')", "tar -xOf FILE NAME"),
    (gzip.compress(tarred()), "a tar archive", "tar -xOf"),
    (b"7z\xbc\xaf\x27\x1c" + bytes(50), "a 7-Zip archive", "7z x -so"),
    (b"Rar!\x1a\x07\x01\0", "a RAR archive", "unrar p"),
    (b"\x04\x22\x4d\x18abc", "packed by lz4", "lz4 -dc"),
    (b"SQLite format 3\0" + bytes(80), "an SQLite database", "sqlite3 -csv -header"),
    (b"%PDF-1.7\n%\xe2\xe3\n", "a PDF document", "pdftotext"),
    (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "a PNG picture", "ls *.png"),
    (b"\xff\xd8\xff\xe0\0\x10JFIF", "a JPEG picture", "ls *.jpg"),
    (b"\x7fELF\x02\x01\x01" + bytes(60), "a program", "jobctl submit FILE -- PROGRAM"),
    (b"ARROW1\0\0" + bytes(60), "an Arrow (Feather) file", "p.write_table(f.read_table("),
    (b"version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 5\n", "a pointer of Git LFS", "git lfs pull"),
    (bytes(range(32)) * 40, "binary data, not text", "file FILE"),
]


@pytest.mark.parametrize("name", ["x.csv", "x.txt", "x.jsonl", "x.tsv", "x.dat"])
@pytest.mark.parametrize(("content", "what", "command"), FOREIGN, ids=[what for _, what, _ in FOREIGN])
def test_a_file_that_is_not_text_is_named_with_the_command_to_type(read, content, what, command, name):
    for options in ({}, {"invalid": "skip"}):
        refusal = read.refused(content, name, **options)
        assert what in refusal.details[-1]
        assert command in refusal.hint


@pytest.mark.parametrize("page", [b"<!DOCTYPE html>\n<html>", b"\n <!-- x -->\n<HTML lang=de>\n<p>\n"])
@pytest.mark.parametrize("name", ["x.csv", "x.jsonl", "x.txt"])
def test_a_page_is_not_a_list_of_rows(read, page, name):
    assert "line 1: this is an HTML page" in read.refused(page, name).details[-1]


def test_lines_of_a_page_are_rows_with_format_lines(read):
    assert read(b"<!DOCTYPE html>\n<p>\n", "x.html", format="lines").payloads == [b"<!DOCTYPE html>", b"<p>"]


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("text", ["id,name\n1,Ann\n", "имя,город\nАня,Москва\nПётр,Тула\n"])
def test_utf_16_without_a_mark_is_recognised(read, encoding, text):
    refusal = read.refused(text.encode(encoding))
    assert f"this looks like {encoding} text: add --encoding {encoding}" in refusal.details[-1]
    assert len(read(text.encode(encoding), encoding=encoding).payloads) >= 1


def test_a_text_with_a_few_odd_bytes_has_bad_rows(read):
    assert "NUL" in read.refused(b"id,name\n1,a\0b\n2,b\n").details[0]
    assert read(b"BZh,PK\n1,ORC\n").payloads == [b"1\0ORC"]


@pytest.mark.parametrize("header", ["ORCID", "ORC", "PAR1", "ARROW1", "LZIP", "GIF8", "Obj", "PK", "BZh9"])
@pytest.mark.parametrize("other", ["name", "Gr\u00f6\u00dfe"])
def test_a_header_that_begins_like_a_file_of_another_kind_is_a_header(read, header, other):
    assert read(f"{header},{other}\n1,2\n".encode(), "x.csv").payloads
