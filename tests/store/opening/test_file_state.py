"""Odd files in the place of the database: every command that opens it prints a sentence and changes nothing."""

from __future__ import annotations

import contextlib
import os

import pytest

from jobctl.store import sqlite
from jobctl.store.opening.open import open_database
from jobctl.store.schema import APPLICATION_ID, SCHEMA_VERSION
from tests.store.test_layout import contents, ddl_of, make_database


def text_file(home):
    home.database.write_text("these are notes\n" * 500)


def short_text(home):
    home.database.write_text("hello\n")


def directory(home):
    home.database.mkdir()


def cut_off(home):
    open_database(home, create=True).close()
    os.truncate(home.database, home.database.stat().st_size // 2 + 100)


def of_another_program(home):
    make_database(home.database, "CREATE TABLE notes (text)", 0, 0)


def numbered_by_another_program(home):
    make_database(home.database, "CREATE TABLE notes (text)", 3, 0x1234)


def ours_with_version_0(home):
    make_database(home.database, ddl_of("deliveries"), 0)


def ours_of_the_future(home):
    make_database(home.database, ddl_of("deliveries"), SCHEMA_VERSION + 7)


def ours_without_number_of_application(home):
    make_database(home.database, ddl_of("schema1"), 1, 0)


def ours_with_a_negative_version(home):
    make_database(home.database, ddl_of("schema1"), -1)


def only_one_table(home):
    make_database(home.database, "CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT)", SCHEMA_VERSION)


ODD = [
    text_file,
    short_text,
    directory,
    cut_off,
    of_another_program,
    numbered_by_another_program,
    ours_with_version_0,
    ours_of_the_future,
    ours_without_number_of_application,
    ours_with_a_negative_version,
    only_one_table,
]
COMMANDS = (
    ("status",),
    ("items", "1"),
    ("submit", "rows.txt", "--", "true"),
    ("run", "rows.txt", "--", "true"),
    ("daemon", "start"),
    ("daemon", "run"),
    ("cancel", "1"),
    ("prune",),
    ("doctor",),
    ("doctor", "--repair"),
)


@pytest.mark.parametrize("make", ODD)
def test_it_is_refused_and_not_changed(make, home, jobctl, tmp_path, monkeypatch):
    home.root.mkdir(mode=0o700)
    make(home)
    if home.database.is_file():
        home.database.chmod(0o600)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rows.txt").write_text("1\n")
    before = contents(home.root)
    for words in COMMANDS:
        said = jobctl(*words)
        assert said.code == 1, (words, said)
        assert "bug in jobctl" not in said.err and "Traceback" not in said.err, words
        assert str(home.database) in said.err + said.out or words[0] == "doctor", words
        after = {name: digest for name, digest in contents(home.root).items() if name != "daemon.lock"}
        assert after == before, words


def test_an_empty_file_is_a_store_in_the_making(home, jobctl, tmp_path, monkeypatch):
    home.root.mkdir(mode=0o700)
    home.database.touch(0o600)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rows.txt").write_text("1\n")
    assert jobctl("status").code == 0
    assert home.database.stat().st_size == 0
    assert jobctl("submit", "rows.txt", "-q", "--", "true").out == "1\n"


def test_the_number_of_the_application_alone_makes_no_store(home):
    make_database(home.database, "", 0, APPLICATION_ID)
    database = open_database(home, create=True)
    with contextlib.closing(database):
        assert database.scalar("PRAGMA user_version") == SCHEMA_VERSION
    with contextlib.closing(sqlite.connect(home.database)) as connection:
        assert connection.execute("SELECT count(*) FROM jobs").fetchone() == (0,)
