"""The messages of services, in the words of requests."""

from __future__ import annotations

import pytest

from jobctl.http.problems import input_message
from jobctl.http.wording import in_request


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("--max-failures: 'x' is not a number", "max_failures: 'x' is not a number"),
        ("accept its good rows with --invalid skip", "accept its good rows with invalid=skip"),
        ("see it with: jobctl status 4 --watch; use another --key for new work",
         "see it with: jobctl status 4 --watch; use another key for new work"),
        ("there is no '--slots' in a--b -- or --", "there is no '--slots' in a--b -- or --"),
        ("jobctl retry 1 --slots 2", "jobctl retry 1 --slots 2"),
    ],
)  # fmt: skip
def test_an_option_is_a_parameter_of_a_request(text: str, shown: str) -> None:
    assert in_request(text) == shown


def test_names_on_a_page_are_those_of_its_fields() -> None:
    assert in_request("--max-failures: bad", "-") == "max-failures: bad"


def test_values_are_judged_in_whole_sentences() -> None:
    assert input_message("Input should be less than or equal to 60") == "it must be less than or equal to 60"
