"""jobctl-python(3) has every public name; ``tests/test_generated.py`` compares its parameters and docstrings."""

from __future__ import annotations

import re

import pytest

import jobctl
from tests.documentation import PAGES

#: For functions that jobctl calls: jobctl-submit(1) describes them.
OF_FUNCTIONS = {"current", "Permanent", "Retry"}


@pytest.fixture(scope="module")
def text() -> str:
    return next(page for page in PAGES if page.name == "jobctl-python.3").read_text(encoding="utf-8")


def test_every_public_name_is_on_the_page(text: str) -> None:
    names = {name for name in dir(jobctl) if not name.startswith("_")} - OF_FUNCTIONS
    names -= {name for name in names if type(getattr(jobctl, name)).__name__ == "module"}
    assert {"Store", "Job", "AsyncStore", "JobctlError"} <= names
    assert [name for name in sorted(names) if not re.search(rf"\b{name}\b", text)] == []


def test_every_method_has_a_paragraph(text: str) -> None:
    heads = re.findall(r'(?m)^\.It Ic "(?:store|job)\.(\w+)', text)
    assert {"submit", "run", "jobs", "status", "wait", "items", "results", "logs", "retry", "cancel"} <= set(heads)
    assert not re.search(r'(?m)^\.It Ic ".*\n\.(?:It|El)', text)
