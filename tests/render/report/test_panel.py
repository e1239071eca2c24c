"""A job as a piece of HTML for a notebook: the words of the report, harmless, and without a style sheet."""

import pytest

from jobctl.render.report.panel import job_panel
from jobctl.services.status.document import job_documents
from tests.factories import SECOND, SUBMITTED_AT
from tests.render.report.test_page import NASTY, Page, job  # noqa: F401

NOW = SUBMITTED_AT + 90 * SECOND


@pytest.fixture
def panel(store, home, job):  # noqa: F811
    (status,) = job_documents(store.database, home, [job], NOW, program="jobctl")
    return Page(job_panel(status))


def test_the_panel_has_the_state_the_figures_the_causes_and_the_next_command(panel):
    for words in ("job 1 invoices", "partial", "30 succeeded, 10 failed", "refused", "jobctl retry 1", "10 items"):
        assert words in panel.text, words
    (bar,) = panel.named("svg")
    assert bar["aria-label"] == "100 %, 40 of 40 items processed"
    assert sum(int(part["width"]) for part in panel.named("rect")) == 1000


def test_text_of_strangers_is_text_and_nothing_reaches_other_outputs(panel):
    allowed = {"div", "p", "b", "br", "svg", "rect", "title", "table", "thead", "tbody", "tr", "th", "td", "code"}
    assert {tag for tag, _ in panel.tags} <= allowed
    assert not [attrs for _, attrs in panel.tags if {"id", "class", "onerror", "src"} & set(attrs)]
    assert NASTY.split("&")[0] in panel.text.replace("'", "'")
