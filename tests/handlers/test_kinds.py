"""The kinds of work: a table has the differences between them, and no other code asks for a kind by its name."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import jobctl
from jobctl.domain import handler_kinds
from jobctl.errors import UsageError
from jobctl.handlers import kinds
from jobctl.handlers.kinds import handler_for
from tests.domain.test_quoting import stored_job
from tests.engine.bench import Bench

PACKAGE = Path(jobctl.__file__).parent
#: The two tables, and the package whose modules are the kinds.
OWNERS = ("domain/handler_kinds.py", "handlers/")


def comparisons(path: Path):
    """(line, text) of each comparison of something with the name of a kind."""
    for node in ast.walk(ast.parse(path.read_text())):
        if not isinstance(node, ast.Compare):
            continue
        sides = [node.left, *node.comparators]
        values = [value for side in sides for value in getattr(side, "elts", (side,))]
        texts = {value.value for value in values if isinstance(value, ast.Constant)}
        source = ast.unparse(node)
        # "command" is a column and a member of documents too; there no handler and no kind takes part.
        named = texts & (handler_kinds.KINDS.keys() - {"command"})
        if named or ("command" in texts and ("handler" in source or "kind" in source)):
            yield node.lineno, source


def test_nothing_compares_with_the_name_of_a_kind():
    found = [
        f"{path.relative_to(PACKAGE)}:{line}: {source}"
        for path in sorted(PACKAGE.rglob("*.py"))
        if not str(path.relative_to(PACKAGE)).startswith(OWNERS)
        for line, source in comparisons(path)
    ]
    assert found == []


def test_nothing_asks_for_the_class_of_a_handler():
    classes = ("CallHandler", "CommandHandler", "ShellHandler", "ColumnHandler")
    found = [
        str(path.relative_to(PACKAGE))
        for path in PACKAGE.rglob("*.py")
        if path.parent.name != "handlers" and any(name in path.read_text() for name in classes)
    ]
    assert found == []


@pytest.fixture
def lists(monkeypatch):
    """A further kind of work that is in both tables."""
    facts = handler_kinds.KINDS["command"]._replace(name="list", option="list", noun="entry")
    behaviour = kinds.kind_of("command")._replace(name="list")
    monkeypatch.setitem(handler_kinds.KINDS, "list", facts)
    monkeypatch.setitem(kinds.KINDS, "list", lambda: behaviour)


def test_every_kind_has_the_name_under_which_the_tables_have_it():
    assert [kinds.kind_of(name).name for name in kinds.KINDS] == list(handler_kinds.KINDS)


def test_a_new_kind_is_a_row_in_each_table(lists):
    kinds.check_tables()
    job = stored_job("list", ["echo", "{a}"], "csv", ["a"])
    assert handler_for(job).dispatch(1, 1, 1, b"v").argv == (b"echo", b"v")
    assert handler_kinds.work_options() == ("command", "shell", "call", "list")


def test_a_kind_without_a_field_does_not_load():
    whole = kinds.kind_of("command")._asdict()
    for member in kinds.Kind._fields:
        with pytest.raises(TypeError, match=member):
            kinds.Kind(**{name: value for name, value in whole.items() if name != member})
    facts = handler_kinds.KINDS["command"]._asdict()
    for member in handler_kinds.HandlerKind._fields:
        with pytest.raises(TypeError, match=member):
            handler_kinds.HandlerKind(**{name: value for name, value in facts.items() if name != member})


@pytest.mark.parametrize("table", [handler_kinds.KINDS, kinds.KINDS])
def test_a_kind_in_one_table_only_does_not_load(monkeypatch, table):
    monkeypatch.setitem(table, "list", table["command"])
    with pytest.raises(RuntimeError, match=r"in one table only.*list"):
        kinds.check_tables()


def test_a_kind_of_another_version_is_refused_by_name():
    with pytest.raises(UsageError, match="'list', and this version of jobctl knows command, shell, column, call"):
        handler_for(stored_job("list", ["true"], "csv", ["a"]))


@pytest.mark.parametrize("kind", ["list", "", 7, b"\xff"])
def test_the_engine_starts_nothing_of_a_kind_that_it_does_not_know(tmp_path, kind):
    bench = Bench(tmp_path)
    job, other = bench.submit(rows=2), bench.submit(rows=2)
    bench.database.execute("UPDATE jobs SET handler = ? WHERE id = ?", (kind, job))
    for _ in range(20):
        bench.tick()
    assert bench.states(other) == "ss"
    assert "s" not in bench.states(job) and "r" not in bench.states(job)
    reason = bench.job(job).stop_reason
    assert "handler is" in reason and "this version of jobctl knows command, shell, column, call" in reason
