"""Writes the values of job options as people type them. ``option_values`` reads them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from jobctl.domain.durations import duration_text
from jobctl.domain.job_options import NO_LIMIT, JobOption
from jobctl.domain.policy import Backoff

if TYPE_CHECKING:
    from jobctl.domain.documents.policy import RuleBlock

_SIZES = (("G", 30), ("M", 20), ("K", 10))
#: The options whose values are durations in seconds.
_DURATIONS = ("timeout", "grace", "deadline", "not-before")


def text_of(option: JobOption, value: Any) -> str:
    """The text of a value of an option that ``jobctl set`` or ``jobctl retry`` changes: ``5m``, ``1,75``, ``none``."""
    if value is None or value in ((), []):
        return NO_LIMIT
    if option.name == "timeout" and isinstance(value, tuple):
        return ",".join(map(duration_text, value))
    if option.name in _DURATIONS:
        return duration_text(value)
    if option.name == "output-cap":
        return size_text(value)
    if isinstance(value, Backoff):
        return backoff_text(value)
    return ",".join(map(str, value)) if isinstance(value, Sequence) and not isinstance(value, str) else str(value)


def size_text(size: int) -> str:
    """A number of bytes in the largest unit that fits exactly: ``64M``, ``1000``."""
    return next((f"{size >> bits}{unit}" for unit, bits in _SIZES if size and size % (1 << bits) == 0), str(size))


def backoff_text(backoff: Backoff) -> str:
    """``2sx4..60s``: the first wait, the factor, the longest wait."""
    return f"{duration_text(backoff.base_s)}x{backoff.factor:g}..{duration_text(backoff.cap_s)}"


def rule_words(rule: RuleBlock) -> str:
    """``timeout 2m instead of 1m``: a rule that was changed, for people."""
    if rule["setting"] == "env":  # only names are kept, because a value may be a secret
        return f"other values for {rule['after']}"
    return f"{rule['setting']} {rule['after']} instead of {rule['before']}"
