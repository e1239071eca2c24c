"""The rules that options give for a new round of a job, or for a job made from rows of another one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jobctl.domain.job_options import OPTIONS, JobOption
from jobctl.domain.option_values import naming, read_text


def rules_of_round(given: Mapping[str, Any]) -> dict[JobOption, Any]:
    """The rules among options that are given for a new round, by option. ``given`` has texts, by ``JobOption.key``.

    Raises UsageError that names the wrong one.
    """
    found = {}
    for option in OPTIONS:
        value = given.get(option.key) if option.of_retry else None
        if value:
            with naming(option):
                found[option] = tuple(value) if option.multiple else read_text(option, value)
    return found
