"""The number of a schema changes with its layout, and a database of an unknown layout is refused everywhere."""

from __future__ import annotations

import contextlib
import hashlib
import re
import subprocess
import sys
from pathlib import Path

import pytest

from jobctl.config import Home
from jobctl.errors import StoreError
from jobctl.services.doctor import doctor
from jobctl.store import sqlite
from jobctl.store.opening import backup, layout
from jobctl.store.opening.file_state import file_state
from jobctl.store.opening.open import open_database
from jobctl.store.schema import APPLICATION_ID, LAYOUTS, SCHEMA_VERSION, generate, stored
from tests.cli.every_command import every_command

LAYOUT_FILES = Path(__file__).with_name("layouts")
#: Layouts of builds before the first release; all of them carry the number 1.
UNRELEASED = ("first", "keys", "deliveries", "prunings", "no_figures")
#: sha256 of the DDL of each schema. When the last line is released and tables.py must change: SCHEMA_VERSION + 1, a
#: file in jobctl/store/migrations, the layout in store/schema.py, and a new line here.
DDL = {
    1: "1199f9ed4452166bc1242f9a23735c5bcd708e5cab79bb13920688d237988a47",
    2: "2fd03e125743fefe3c1f1ebdb75e93458c84119cf592fd6e5b47c4b551fd4020",
    3: "0eda679e3979184891c3a3069a46b567ee623d0cb7d6ec726caa3f69b30f5b6a",
    4: "8cfb38a8882c22f9261071d4c7256e55ab07d9f6b701067d1bd545519d072c27",
}
#: Commands that neither need the database nor are stopped by it.
WITHOUT_DATABASE = {
    name
    for name in every_command()
    if name in ("daemon stop", "daemon logs", "daemon install", "worker", "completion", "man", "serve link")
    or name == "top"  # it says first that it needs a terminal
    or name.startswith(("recipe ", "config "))
}


def make_database(path: Path, ddl: str, version: int = 1, application: int = APPLICATION_ID) -> None:
    path.parent.mkdir(mode=0o700, exist_ok=True)
    path.touch(0o600)
    with contextlib.closing(sqlite.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.executescript(ddl)
        connection.execute(f"PRAGMA application_id={application}")
        connection.execute(f"PRAGMA user_version={version}")


def ddl_of(name: str) -> str:
    return (LAYOUT_FILES / f"{name}.sql").read_text()


@pytest.fixture(params=UNRELEASED)
def unreleased(request, home):
    """A store that a build before the first release made."""
    make_database(home.database, ddl_of(request.param))
    return home


def test_the_schema_has_another_number_when_its_ddl_changes():
    made = hashlib.sha256(generate().encode()).hexdigest()
    assert DDL[SCHEMA_VERSION] == made, "see the comment at DDL"
    for version in range(1, SCHEMA_VERSION):
        assert hashlib.sha256(ddl_of(f"schema{version}").encode()).hexdigest() == DDL[version]


def test_every_schema_has_its_layout_written_down(home):
    assert sorted(LAYOUTS) == list(range(1, SCHEMA_VERSION + 1))
    make_database(home.database, stored(), SCHEMA_VERSION)
    with contextlib.closing(sqlite.connect(home.database)) as connection:
        assert layout.fingerprint(layout.of_this_version()) == LAYOUTS[SCHEMA_VERSION]
        assert layout.differences(connection) == []


def shape(database):
    """All columns with type, default and rule, and all indices; the order of columns does not matter."""
    tables = [name for (name,) in database.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
    columns = {
        name: sorted(row[1:] for row in database.execute("SELECT * FROM pragma_table_xinfo(?)", (name,)))
        for name in tables
    }
    indices = database.execute("SELECT sql FROM sqlite_schema WHERE type = 'index' AND sql > ''").fetchall()
    return columns, sorted(re.sub(r"\s+", " ", sql) for (sql,) in indices)


@pytest.mark.parametrize("version", range(1, SCHEMA_VERSION))
def test_a_store_of_an_older_schema_becomes_equal_to_a_new_one(version, home, tmp_path):
    make_database(home.database, ddl_of(f"schema{version}"), version)
    migrated, made = open_database(home), open_database(Home(tmp_path / "new"), create=True)
    with contextlib.closing(migrated), contextlib.closing(made):
        assert shape(migrated) == shape(made)
        assert migrated.scalar("PRAGMA user_version") == SCHEMA_VERSION
        assert layout.is_noted(migrated.connection, SCHEMA_VERSION)
    assert len(backup.existing(home.root)) == 1


def contents(root: Path) -> dict[str, str]:
    return {
        str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "folder"
        for path in root.rglob("*")
        if not path.name.endswith(("-shm", "-wal"))
    }


@pytest.mark.parametrize("name", sorted(set(every_command()) - WITHOUT_DATABASE))
def test_every_command_refuses_an_unknown_layout(name, home, jobctl, tmp_path, monkeypatch):
    make_database(home.database, ddl_of("deliveries"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rows.txt").write_text("1\n")
    before = home.database.read_bytes()
    said = jobctl(*every_command()[name])
    assert said.code == 1, said.err
    assert "has an unknown layout" in said.err + said.out
    assert "--home DIR" in said.err + said.out
    assert "upgrade" not in said.err
    assert home.database.read_bytes() == before
    assert backup.existing(home.root) == [], "it is not migrated"


@pytest.mark.parametrize("name", ["daemon stop", "daemon logs", "recipe list", "config show", "config path"])
def test_other_commands_work_with_an_unknown_layout(name, home, jobctl):
    make_database(home.database, ddl_of("deliveries"))
    assert jobctl(*every_command()[name]).code in (0, 9)


def test_no_unreleased_layout_is_opened_or_migrated(unreleased):
    before = unreleased.database.read_bytes()
    with pytest.raises(StoreError, match="unknown layout") as caught:
        open_database(unreleased, create=True)
    assert "the jobctl that made it" in caught.value.hint and str(unreleased.results) in caught.value.hint
    assert file_state(unreleased.database).kind == "unknown"
    assert unreleased.database.read_bytes() == before


def test_doctor_says_so_and_repairs_nothing(unreleased):
    before = unreleased.database.read_bytes()
    found = doctor.examine(unreleased, now=1, program="jobctl", slots=1, repair=True)
    (finding,) = (check for check in found.document()["checks"] if check["name"] == "database")
    assert finding["level"] == "fail" and "unknown layout" in finding["message"]
    assert unreleased.database.read_bytes() == before


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("ALTER TABLE jobs DROP COLUMN tokens", "jobs lacks tokens"),
        ("ALTER TABLE jobs ADD COLUMN colour TEXT", "jobs has colour"),
        ("ALTER TABLE items RENAME COLUMN crashes TO deaths", "items lacks crashes; items has deaths"),
        ("DROP TABLE figures", "the table figures is missing"),
        ("DROP TABLE meta", "the table meta is missing"),
        ("CREATE TABLE colours (name TEXT)", "the table colours is not known"),
    ],
)
def test_a_changed_table_is_named(home, change, said):
    open_database(home, create=True).close()
    with contextlib.closing(sqlite.connect(home.database)) as connection:
        connection.execute(change)
        connection.commit()
    with pytest.raises(StoreError, match=said):
        open_database(home)


@pytest.mark.parametrize("change", ["ANALYZE", "VACUUM", "CREATE INDEX mine ON jobs (updated_at)"])
def test_a_change_to_no_column_is_not_another_layout(home, change):
    open_database(home, create=True).close()
    with contextlib.closing(sqlite.connect(home.database, isolation_level=None)) as connection:
        connection.execute(change)
    database = open_database(home)
    with contextlib.closing(database):
        assert database.scalar("SELECT count(*) FROM jobs") == 0


def test_a_database_without_any_table_of_a_known_number_is_refused(home):
    make_database(home.database, "", SCHEMA_VERSION)
    with pytest.raises(StoreError, match="is missing"):
        open_database(home)


def test_an_engine_refuses_an_unknown_layout_instead_of_dying_again_and_again(home, tmp_path):
    """The check of ``daemon start`` is left out: the database changes between it and the start of the engine."""
    make_database(home.database, ddl_of("deliveries"))
    code = (
        "import sys; from pathlib import Path; from jobctl.config import Home;"
        " from jobctl.process.daemon import start_detached;"
        " from jobctl.process.start_options import StartOptions;"
        " start_detached(StartOptions(Home(Path(sys.argv[1])), 1))"
    )
    done = subprocess.run([sys.executable, "-c", code, home.root], capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert "the daemon could not start" in done.stderr and "unknown layout" in done.stderr
