"""Long lines on a terminal break between words, and commands stay on one line."""

from __future__ import annotations

from jobctl.render.explain import explain_lines
from jobctl.render.lines import summary_lines
from jobctl.render.look import Look, wrap_hanging
from jobctl.render.notices import notices
from tests.render.pinned import done_job, explanation, listing

NARROW = Look(40)


def test_a_long_line_breaks_between_words_and_continues_with_an_indent():
    line = "  1  exit_3 after 6ms: permission denied while reading https://example.org/a/very/long/address/of/an/item"
    assert wrap_hanging(line, NARROW) == [
        "  1  exit_3 after 6ms: permission denied",
        "    while reading",
        "    https://example.org/a/very/long/address/of/an/item",
    ]
    assert wrap_hanging(line, Look(40, terminal=False)) == [line]


def test_explain_wraps_sentences_but_no_command():
    document = explanation()
    action = f"jobctl --home /srv/{'x' * 30} items 42 --state failed"
    document["attention"][0]["action"] = action
    document["next"] = [action]
    lines = list(explain_lines(document, NARROW))
    assert f"    -> {action}" in lines
    assert f"  {action}" in lines
    assert all(len(line) <= NARROW.width for line in lines if action not in line)


def test_the_summary_of_a_run_wraps_causes_but_no_command():
    document = done_job()
    lines = list(summary_lines(document, NARROW))
    assert lines[2:5] == [
        "  8x exit_22: curl: (22) The requested",
        "    URL returned error: <n> (item 17,",
        "    52, 90)",
    ]
    assert f"  retry: {document['retry']['command']}" in lines


def test_the_command_of_a_notice_that_does_not_fit_has_a_line_of_its_own():
    text = notices(listing(), NARROW)[1].plain
    assert text.splitlines() == ["! job 42: 10 of 410 items failed (2.4 %)", "  → jobctl items 42 --state failed"]
