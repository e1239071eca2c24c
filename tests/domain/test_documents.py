"""The types of documents name the states and words of the domain, no more and no fewer."""

from __future__ import annotations

from typing import Any, get_args, get_type_hints

import pytest

from jobctl.domain.documents.policy import BackoffBlock, PolicyBlock
from jobctl.domain.documents.values import EndedJobState, ItemStateName, LiveJobState
from jobctl.domain.policy import Backoff, Policy
from jobctl.domain.states import TERMINAL_JOB_STATES, ItemState, JobState
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
