"""The table of the notification channels, and functions that find the channel of a target and use it."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from jobctl.domain.notify import DeliveryState, Reply, Verdict, wait_s
from jobctl.domain.texts import shown
from jobctl.errors import UsageError
from jobctl.notify import command, webhook
from jobctl.notify.channel import Channel

if TYPE_CHECKING:
    from jobctl.store.outbox import Sending

#: Every channel by the name that the store keeps.
CHANNELS: dict[str, Channel] = {channel.name: channel for channel in (webhook.CHANNEL, command.CHANNEL)}
#: Shown in place of a target whose channel is not in the table, because any part of it may be a secret.
_HIDDEN = "?"


def channel_of(name: str) -> Channel:
    """The channel of a stored target. Raises UsageError for one of another version of jobctl."""
    if name not in CHANNELS:
        known = ", ".join(CHANNELS)
        raise UsageError(
            f"the notification channel is {shown(str(name))[:100]!r}, and this version of jobctl knows {known}",
            hint="jobctl --version shows which version this is",
        )
    return CHANNELS[name]


def shown_target(name: str, target: str) -> str:
    """A target of a channel for documents and messages, without its possibly secret parts."""
    return CHANNELS[name].shown(target) if name in CHANNELS else _HIDDEN


def describe(name: str, reply: Reply) -> str:
    """A reply in a few words: ``HTTP 503``, ``exit code 1``, ``connection refused``."""
    if reply.status is None:
        return reply.error
    words = channel_of(name).status_words(reply.status)
    return f"{words} ({reply.error})" if reply.error else words


def judge(name: str, reply: Reply, attempts: int, now: int, random: Callable[[], float]) -> Verdict:
    """Decide about a delivery after this number of attempts, all but the last failed; ``random`` returns 0 to 1."""
    state, result = _state(name, reply), describe(name, reply)
    if state is not DeliveryState.PENDING:
        return Verdict(state, None, result)
    wait = wait_s(attempts, reply.retry_after, now, random)
    if wait is None:
        return Verdict(DeliveryState.DEAD, None, f"{result}; given up after {attempts} attempts")
    return Verdict(DeliveryState.PENDING, now + int(wait * 1e6), result)


def _state(name: str, reply: Reply) -> DeliveryState:
    if reply.hopeless:
        return DeliveryState.DEAD
    return DeliveryState.PENDING if reply.status is None else channel_of(name).meaning(reply.status)


def deliver(sending: Sending, timestamp: int, home: str) -> Reply:
    """Make one attempt to deliver (``timestamp`` in seconds since 1970); returns the reply or the failure.

    It runs in a thread of its own, touches no database and never raises. For a channel that this version does not know,
    the reply says so and is final.
    """
    began = time.monotonic()
    try:
        reply = channel_of(sending.kind).deliver(sending, timestamp, home)
    except UsageError as error:  # a person must fix a secret or an address
        reply = Reply(error=error.message, hopeless=True)
    except Exception as error:
        reply = Reply(error=f"{type(error).__name__}: {error}")
    return Reply(
        status=reply.status,
        error=reply.error,
        response=reply.response,
        retry_after=reply.retry_after,
        hopeless=reply.hopeless,
        duration_us=int((time.monotonic() - began) * 1e6),
    )
