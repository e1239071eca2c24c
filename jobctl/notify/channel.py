"""The interface of a notification channel."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, NamedTuple

from jobctl.domain.notify import DeliveryState, NotifyOptions, Reply

if TYPE_CHECKING:
    from jobctl.store.outbox import NewTarget, Sending


class Channel(NamedTuple):
    """A way to deliver notifications. No field has a default, so that a new channel cannot leave one out."""

    name: str  # as the store has it with each target
    #: The targets that a submission names, checked as far as that is possible now. Raises UsageError.
    targets: Callable[[NotifyOptions, Mapping[str, str]], list[NewTarget]]
    shown: Callable[[str], str]  # a target for documents and messages, without its possibly secret parts
    status_words: Callable[[int], str]  # the status of a reply in words
    meaning: Callable[[int], DeliveryState]  # of the status of a reply; PENDING = another attempt may help
    #: One attempt, with the time in seconds since 1970 and the home of the store. Raises UsageError if somebody must
    #: fix something before another attempt can help.
    deliver: Callable[[Sending, int, str], Reply]
