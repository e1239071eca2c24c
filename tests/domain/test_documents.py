"""The types of documents name the states and words of the domain, no more and no fewer."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest

import jobctl
from jobctl.domain.documents.policy import BackoffBlock, PolicyBlock
from jobctl.domain.documents.values import EndedJobState, ItemStateName, LiveJobState
from jobctl.domain.policy import Backoff, Policy
from jobctl.domain.states import TERMINAL_JOB_STATES, ItemState, JobState
from jobctl.schemas.catalogue import DOCUMENTS
from jobctl.schemas.generate import Generator


def test_states_are_those_of_the_domain() -> None:
    assert set(get_args(EndedJobState)) == {state.value for state in TERMINAL_JOB_STATES}
    assert set(get_args(LiveJobState)) == {state.value for state in set(JobState) - TERMINAL_JOB_STATES}
    assert set(get_args(ItemStateName)) == {state.word for state in ItemState}


def test_the_policy_has_every_rule() -> None:
    assert get_type_hints(PolicyBlock).keys() == Policy.__dataclass_fields__.keys()
    assert get_type_hints(BackoffBlock).keys() == Backoff.__dataclass_fields__.keys()


def test_a_type_that_has_no_schema_is_refused() -> None:
    with pytest.raises(KeyError):
        Generator({})._of(set[int])


def test_unions_keep_the_keywords_of_each_part() -> None:
    made: Any = Generator({})._of
    assert made(int | None) == {"type": ["integer", "null"]}
    assert made(list[str] | str) == {"type": ["array", "string"], "items": {"type": "string"}}
    assert made(ItemStateName | None) == {"enum": [*get_args(ItemStateName), None]}


PACKAGE = Path(jobctl.__file__).parent
#: What these modules take by name are the options of a command line, not documents.
OPTIONS = {
    "cli/grammar.py",
    "cli/kept_options.py",
    "cli/mistakes.py",
    *(str(path.relative_to(PACKAGE)) for path in (PACKAGE / "cli/submission").glob("*.py")),
}
UNTYPED = re.compile(r"\b(?:dict|Mapping)\[str, (?:Any|object)\]")


def test_a_misspelt_key_is_an_error_of_mypy_wherever_documents_are_shown() -> None:
    """A document that is typed as any dictionary would hide one."""
    found = []
    for path in sorted(path for folder in ("cli", "tui", "render") for path in (PACKAGE / folder).rglob("*.py")):
        name = str(path.relative_to(PACKAGE))
        lines = path.read_text(encoding="utf-8").splitlines() if name not in OPTIONS else []
        found += [f"{name}:{number}: {line}" for number, line in enumerate(lines, 1) if UNTYPED.search(line)]
    assert not found, "name the type of the document, which is in jobctl/domain/documents:\n" + "\n".join(found)


def test_types_of_documents_are_imported_for_type_checking_alone() -> None:
    """A command that imported them at run time would start later."""
    found = []
    for path in sorted(PACKAGE.rglob("*.py")):
        name = str(path.relative_to(PACKAGE))
        # No command loads the generator of the library or the server, whose description is made of the types.
        if name.startswith(("domain/documents/", "schemas/", "http/")) or name == "library/document_classes.py":
            continue
        text = path.read_text(encoding="utf-8")
        if "jobctl.domain.documents" not in text:
            continue
        tree = ast.parse(text)
        typed = {
            id(node)
            for test in ast.walk(tree)
            if isinstance(test, ast.If) and ast.unparse(test.test) == "TYPE_CHECKING"
            for node in ast.walk(test)
        }
        found += [
            f"{name}:{node.lineno}"
            for node in ast.walk(tree)
            if isinstance(node, ast.ImportFrom)
            and (node.module or "").startswith("jobctl.domain.documents")
            and id(node) not in typed
        ]
    assert not found


def test_every_document_that_names_its_schema_has_one() -> None:
    words = re.compile(r'"jobctl\.([a-z_]+)/1"')
    told = {name for path in PACKAGE.rglob("*.py") for name in words.findall(path.read_text(encoding="utf-8"))}
    own = {"trust"}  # a file of settings that jobctl alone reads
    assert told - own <= {name.removesuffix("-1") for name in DOCUMENTS}
