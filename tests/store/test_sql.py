"""All SQL is in ``store/``, and SQL names the states of items: a number there would be a second definition of them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import jobctl
from jobctl.domain import state_numbers
from jobctl.domain.states import ItemState
from jobctl.store.sqlite import with_states

PACKAGE = Path(jobctl.__file__).parent
STORE = PACKAGE / "store"
STATEMENT = re.compile(
    r"""\s*(
        SELECT\s+\S | INSERT\s+(OR\s+\w+\s+)?INTO\b | REPLACE\s+INTO\b | UPDATE\s+\w+\s+SET\b | DELETE\s+FROM\b
        | PRAGMA\s+\w | VACUUM(\s+INTO\b|\s*$) | (DE|AT)TACH\s+DATABASE\b
        | WITH\s+(RECURSIVE\s+)?\w+\s*(\([\w, ]*\)\s*)?AS\b
        | (CREATE|DROP)\s+(TEMP\s+|UNIQUE\s+|VIRTUAL\s+)?(TABLE|INDEX|TRIGGER|VIEW)\b | ALTER\s+TABLE\b
        | BEGIN(\s+(IMMEDIATE|EXCLUSIVE|DEFERRED)\b|\s*;?\s*$) | COMMIT\s*;?\s*$ | ROLLBACK\s*;?\s*$
        | SAVEPOINT\s+\w+\s*$
    )""",
    re.VERBOSE | re.IGNORECASE,
)
#: Parts of statements, as they are put together from several texts.
PART = re.compile(r"\b(FROM|JOIN|INTO)\s+\w+(\s+\w+)?\s+(WHERE|ON|SET|VALUES)\b|\bWHERE\s+\w[\w.]*\s*(=|<|>|IN\b|IS\b)")
RUNS_SQL = {"execute", "executemany", "executescript", "scalar", "patiently"}
LIBRARIES = {"sqlite3", "pysqlite3"}
COMPARED = r"=|==|<>|!=|<|>|<=|>=|(NOT\s+)?IN\b|(NOT\s+)?BETWEEN\b|IS\b"
NUMBERED = re.compile(rf"\bstate\s*({COMPARED})\s*\(?\s*[-+]?\d", re.IGNORECASE)


def texts(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """The text constants of a module with their lines, without docstrings; parts of f-strings one by one."""
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, documented) and node.body and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
            yield node.lineno, node.value


def sql_in(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """The parts of a module that look like SQL or run it."""
    for line, text in texts(tree):
        if STATEMENT.match(text) or PART.search(text):
            yield line, f"a statement: {text[:60]!r}"
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in RUNS_SQL:
            yield node.lineno, f"a call of {node.func.attr}()"
        elif isinstance(node, ast.Import | ast.ImportFrom) and LIBRARIES & imported(node):
            yield node.lineno, "an import of SQLite"


def imported(node: ast.Import | ast.ImportFrom) -> set[str]:
    names = [name.name for name in node.names] if isinstance(node, ast.Import) else [node.module or ""]
    return {name.partition(".")[0] for name in names}


#: Only a module that has one of these is parsed: most have none, and parsing all of them takes seconds.
WORTH_A_LOOK = re.compile(
    rf"""["']{STATEMENT.pattern} | \.({"|".join(RUNS_SQL)})\( | import.*sqlite3 | {NUMBERED.pattern}""",
    re.VERBOSE | re.IGNORECASE,
)


@cache
def modules() -> dict[Path, ast.Module]:
    """The modules of the package that may have SQL."""
    sources = {path: path.read_text(encoding="utf-8") for path in sorted(PACKAGE.rglob("*.py"))}
    return {path: ast.parse(text) for path, text in sources.items() if WORTH_A_LOOK.search(text) or PART.search(text)}


def test_all_sql_is_in_the_store():
    found = [
        f"{path.relative_to(PACKAGE.parent)}:{line}: {what}"
        for path, tree in modules().items()
        if STORE not in path.parents
        for line, what in sql_in(tree)
    ]
    assert not found, "\n".join(["SQL belongs into jobctl/store/:", *found])


def test_sql_names_the_states_of_items():
    found = [
        f"{path.relative_to(PACKAGE.parent)}:{line}: {text[:80]!r}"
        for path, tree in modules().items()
        for line, text in texts(tree)
        if NUMBERED.search(text)
    ]
    assert not found, "\n".join(["write {RUNNING} and so on, with store.sqlite:", *found])


@pytest.mark.parametrize(
    "source",
    [
        'sql = "select state from jobs"',
        'sql = f"UPDATE items SET {column} = ?"',
        'sql = "insert or ignore into meta VALUES (?)"',
        'sql = "PRAGMA data_version"',
        'sql = "BEGIN"',
        'sql = "WITH asked (a, b) AS (VALUES (1, 2))"',
        'sql = kinds + " FROM items WHERE job = ?"',
        "database.execute(sql)",
        "database.scalar(sql)",
        "import sqlite3",
        "from pysqlite3 import dbapi2",
    ],
)
def test_sql_is_seen(source):
    assert list(sql_in(ast.parse(source)))


@pytest.mark.parametrize(
    "source",
    ['"""Begin."""', 'hint = "Begin to follow."', 'hint = "with a file"', 'hint = "Update the settings."', "run()"],
)
def test_prose_is_not_sql(source):
    assert not list(sql_in(ast.parse(source)))


@pytest.mark.parametrize(
    "text", ["state = 4", "i.state IN (3, 4)", "state BETWEEN 0 AND 5", "x WHERE state<>2", "state not in (1)"]
)
def test_a_state_that_is_a_number_is_seen(text):
    assert NUMBERED.search(text)


def test_names_become_the_numbers_of_states():
    assert {name: number for name, number in vars(state_numbers).items() if name.isupper()} == {
        state.name: state.value for state in ItemState
    }
    for state in ItemState:
        assert with_states(f"state = {{{state.name}}}") == f"state = {state.value}"
    with pytest.raises(KeyError):
        with_states("state = {LOST}")
