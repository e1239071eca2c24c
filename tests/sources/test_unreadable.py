"""A path that is not a file of rows: the message names the command that was meant."""

import io
import os
import pty
import socket

import pytest

from jobctl.errors import InputRejected, UsageError
from jobctl.sources import InputOptions, open_source


@pytest.fixture
def refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def ask(path, **options):
        with pytest.raises((InputRejected, UsageError)) as caught:
            open_source(InputOptions(path, **options), io.BytesIO())
        return f"{caught.value.message}\n{caught.value.hint}"

    return ask


def test_a_folder(refused, tmp_path):
    assert "find . -type f | jobctl submit - --format lines -- COMMAND {}" in refused(".")
    (tmp_path / "rows.csv").write_text("id\n1\n")
    assert "give a file in it, such as rows.csv" in refused(".")
    (tmp_path / "a b").mkdir()
    assert "find 'a b' -type f" in refused("a b")


@pytest.mark.parametrize(
    ("address", "command"),
    [
        ("https://x.org/a.csv", "curl -fsSL https://x.org/a.csv | jobctl submit - --format csv -- COMMAND"),
        ("http://x.org/a.jsonl?k=1&l=2", "curl -fsSL 'http://x.org/a.jsonl?k=1&l=2' | jobctl submit - --format jsonl"),
        ("s3://b/a.tsv", "aws s3 cp s3://b/a.tsv - | jobctl submit - --format tsv"),
        ("gs://b/a.txt", "gcloud storage cat gs://b/a.txt | jobctl submit - --format lines"),
        ("file:///tmp/a.csv", "give the path: /tmp/a.csv"),
        ("ssh://h/a.csv", "fetch it first"),
    ],
)
def test_an_address(refused, address, command):
    assert command in refused(address)


def test_a_path_that_a_shell_would_have_replaced(refused, tmp_path, monkeypatch):
    for name in "abcd":
        (tmp_path / f"{name}.csv").write_text("id\n1\n")
    said = refused("*.csv")
    assert "a.csv, b.csv, c.csv and 1 more" in said
    assert 'for f in *.csv; do jobctl submit "$f" -- COMMAND; done' in said
    assert "no file has such a name" in refused("*.tsv")
    monkeypatch.setenv("HOME", "/home/ann")
    assert "/home/ann/a.csv" in refused("~/a.csv")
    assert "/home/ann/a.csv" in refused("$HOME/a.csv")


def test_paths_that_lead_nowhere(refused, tmp_path):
    (tmp_path / "gone.csv").symlink_to("nowhere.csv")
    assert "it is a symbolic link to nowhere.csv, which does not exist" in refused("gone.csv")
    assert "the path is empty" in refused("")
    assert "No such file" in refused("rows.csv")
    (tmp_path / "rows.cvs").write_text("id\n1\n")
    assert "did you mean rows.cvs?" in refused("rows.csv")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("s.csv")
        assert "it is a socket" in refused("s.csv")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_of_another_user(refused, tmp_path):
    (tmp_path / "a.csv").write_text("id\n1\n")
    (tmp_path / "a.csv").chmod(0)
    assert "ls -ld a.csv" in refused("a.csv")


def test_a_terminal_by_name(refused):
    leader, terminal = pty.openpty()
    try:
        assert "is a terminal" in refused(os.ttyname(terminal), format="csv")
    finally:
        os.close(leader)
        os.close(terminal)


def test_an_unusable_header_is_refused(read):
    assert "add --no-header" in read.refused(b"1,a,\n2,b,c\n").hint
    assert "remove the delimiter at the end" in read.refused(b"id,v,\n2,b,\n").hint
    for content in (b",id,v\n0,2,b\n", b"id,,v\n1,2,3\n", b"id,v,id\n1,2,3\n"):
        assert "give every column its own name in line 1" in read.refused(content).hint


def test_line_ends_and_encodings(read):
    assert "tr '\\r' '\\n'" in read.refused(b"id,v\r1,a\r2,b").hint
    assert "tr '\\r' '\\n'" in read.refused(b"a\rb\rc", "a.txt").hint
    assert "--encoding cp1252" in read.refused("id,größe\n1,2\n".encode("cp1252")).hint
    assert "--encoding cp1252" in read.refused("id,v\n1,Müller\n".encode("cp1252")).hint
