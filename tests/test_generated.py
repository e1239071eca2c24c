"""The files that are generated from the command tree and from the types of documents are up to date."""

from __future__ import annotations

from pathlib import Path

from jobctl.cli.commands.completion import FILES, scripts
from jobctl.cli.completion.manual import make_pages
from jobctl.library import generate as library
from jobctl.schemas.__main__ import texts
from jobctl.store import job_columns

ROOT = Path(__file__).parents[1]


def test_completions_are_fresh() -> None:
    stale = [name for shell, name in FILES.items() if (ROOT / "completions" / name).read_text() != scripts()[shell]]
    assert not stale, "write them again with: python -m jobctl.cli.commands.completion"


def test_man_pages_are_fresh_and_every_command_has_one() -> None:
    pages = make_pages(ROOT / "man")
    stale = [path.name for path, text in pages.items() if not path.exists() or path.read_text() != text]
    assert not stale, "write them again with: python -m jobctl.cli.completion.manual"


def test_schemas_are_fresh_and_every_file_is_of_a_document() -> None:
    shipped = {path.name: path.read_text(encoding="utf-8") for path in (ROOT / "jobctl" / "schemas").glob("*.json")}
    stale = sorted({name for name, _ in shipped.items() ^ texts().items()})
    assert not stale, "the types in jobctl/domain/documents have changed; type: python -m jobctl.schemas"


def test_the_classes_of_jobs_are_fresh() -> None:
    stale = [path.name for path, text in job_columns.modules().items() if path.read_text(encoding="utf-8") != text]
    assert not stale, "the columns of tables.py have changed; type: python -m jobctl.store.job_columns"


def test_the_generated_modules_of_the_library_are_fresh() -> None:
    stale = [path.name for path, text in library.modules().items() if path.read_text(encoding="utf-8") != text]
    assert not stale, "the documents or options have changed; type: python -m jobctl.library.generate"
