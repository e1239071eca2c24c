"""The rules that a command line gives for a new round of a job, or for a job made from rows of another one."""

from __future__ import annotations

from typing import Any

from typer import Context

from jobctl.cli.submission.checks import naming
from jobctl.cli.submission.options import values
from jobctl.domain.job_options import OPTIONS, JobOption
from jobctl.domain.option_values import read_text


def rules_of_round(ctx: Context) -> dict[JobOption, Any]:
    """The rules that a command line gives for a new round, by option. Raises UsageError that names the wrong one."""
    found = {}
    for option in OPTIONS:
        given = values(ctx).get(option.key) if option.of_retry else None
        if given:
            with naming(option):
                found[option] = tuple(given) if option.multiple else read_text(option, given)
    return found
