"""The ids of events never go back: not after a prune, a restore, a migration or damage."""

from __future__ import annotations

import contextlib

import pytest

from jobctl.services.doctor.restore import restore
from jobctl.store import event_ids, journal, meta, pruning
from jobctl.store.opening import backup
from jobctl.store.opening.open import open_database
from tests.factories import SECOND, SUBMITTED_AT, make_store
from tests.store.test_layout import ddl_of, make_database

NOW = SUBMITTED_AT + 60 * SECOND


def note(database, job=1):
    with database.transaction():
        return journal.note(database, job, "paused", at=NOW, actor="me")


@pytest.fixture
def database(home):
    return make_store(home).database


def test_each_line_of_the_journal_has_the_next_id(database):
    assert event_ids.last(database) == 0
    assert [note(database), note(database)] == [1, 2]
    with database.transaction():
        assert event_ids.take(database, 40) == 42
    assert note(database) == 43 and event_ids.last(database) == 43


def test_a_transaction_that_is_rolled_back_takes_no_id(database):
    with contextlib.suppress(ZeroDivisionError), database.transaction():
        journal.note(database, 1, "paused", at=NOW, actor="me")
        raise ZeroDivisionError
    assert event_ids.last(database) == 0


def test_a_prune_of_the_newest_job_frees_no_id(home):
    maker = make_store(home)
    job = maker.job("s", state="succeeded", started_at=SUBMITTED_AT, finished_at=NOW)
    taken = note(maker.database, job)
    (candidate,) = pruning.named(maker.database, [job])
    with maker.database.transaction():
        pruning.remove_job(maker.database, candidate, NOW)
    assert not maker.database.scalar("SELECT count(*) FROM journal WHERE job = ?", (job,))
    assert note(maker.database) > taken


@pytest.mark.parametrize("text", ["", "nonsense", "-5", "9" * 30])
def test_a_damaged_last_id_uses_none_twice(database, text):
    note(database)
    with database.transaction():
        meta.put(database, event_ids.KEY, text)
    assert note(database) == 2


def test_the_ids_of_an_older_database_stay_and_continue(home):
    make_database(home.database, ddl_of("schema3"), 3)
    with contextlib.closing(backup_connection(home)) as old:
        old.execute("INSERT INTO journal (id, at, job, actor, event) VALUES (7, 1, 1, 'me', 'submitted')")
        old.commit()
    with contextlib.closing(open_database(home)) as migrated:
        assert [line.event for line in journal.entries(migrated, 1)] == ["submitted"]
        assert note(migrated) == 8


@pytest.mark.parametrize("version", [3, 4])
def test_a_restored_copy_uses_no_id_that_a_client_may_have_seen(home, version):
    if version == 3:
        make_database(home.database, ddl_of("schema3"), 3)
        with contextlib.closing(backup_connection(home)) as old:
            old.execute("INSERT INTO journal (id, at, job, actor, event) VALUES (7, 1, 1, 'me', 'submitted')")
            old.commit()
        open_database(home).close()  # the migration makes a copy
        assert len(backup.existing(home.root)) == 1
        database = open_database(home)
    else:
        database = make_store(home).database
        note(database)
        backup.make(database, NOW)
    seen = [note(database) for _ in range(5)][-1]
    database.close()
    home.database.write_bytes(b"nothing of ours" * 1000)
    restore(home, NOW)
    with contextlib.closing(open_database(home)) as restored:
        assert note(restored) > seen + event_ids.AFTER_A_RESTORE // 2
        assert event_ids.last(restored) < event_ids.LARGEST


def backup_connection(home):
    from jobctl.store import sqlite

    return sqlite.connect(home.database)
