"""The channel of ``--on-done``: a command line for each attempt, with the event on its standard input."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jobctl.domain.notify import DeliveryState, NotifyOptions, Reply, excerpt
from jobctl.errors import UsageError
from jobctl.notify.channel import Channel

if TYPE_CHECKING:
    from jobctl.process.hook import HookResult
    from jobctl.store.outbox import NewTarget, Sending

NAME = "command"
TIMEOUT_S = 60.0
#: Exit codes after which another attempt cannot help: the one that has this meaning for items, and those of a shell.
_FINAL_EXIT_CODES = frozenset({65, 126, 127})


def _targets(options: NotifyOptions, _environ: Mapping[str, str]) -> list[NewTarget]:
    from jobctl.store.outbox import NewTarget

    for command in options.commands:
        if not command.strip() or "\0" in command:
            raise UsageError("--on-done needs a command", hint="for example --on-done 'mail -s \"$JOBCTL_STATE\" me'")
    return [NewTarget(NAME, command) for command in dict.fromkeys(options.commands)]


def _meaning(exit_code: int) -> DeliveryState:
    if exit_code == 0:
        return DeliveryState.DELIVERED
    return DeliveryState.DEAD if exit_code in _FINAL_EXIT_CODES else DeliveryState.PENDING


def _deliver(sending: Sending, _timestamp: int, home: str) -> Reply:
    from jobctl.process.hook import run_hook

    env = {**_environment(sending), **hook_environment(sending, home)}
    try:
        result = run_hook(sending.target, sending.body, env, sending.cwd, TIMEOUT_S)
    except (OSError, ValueError) as error:
        return Reply(error=f"the command cannot be started: {error}")
    problem = _abnormal_end(result)
    status = None if problem else result.exit_code
    return Reply(status=status, error=problem, response=excerpt(_end_of(result.tail)))


def _environment(sending: Sending) -> Mapping[str, str]:
    """The environment of the items, without their --env-file if it cannot be read: the event may be about just that."""
    from jobctl.handlers.environment import job_environment

    try:
        return job_environment(sending.env, sending.env_names, Path(sending.env_file) if sending.env_file else None)
    except UsageError:
        return job_environment(sending.env, sending.env_names, None)


def _abnormal_end(result: HookResult) -> str:
    """Describe an end by a signal or by the time limit, after which the exit code means nothing; else empty."""
    from jobctl.domain import outcome

    if result.timed_out:
        return f"ended after {TIMEOUT_S:g} s"
    return f"ended by {outcome.signal_name(-result.exit_code)}" if result.exit_code < 0 else ""


def _end_of(tail: bytes) -> bytes:
    """The part of the output that fits into an excerpt: its end."""
    return tail.rstrip()[-400:]


def hook_environment(sending: Sending, home: str) -> Mapping[str, str]:
    """The variables that tell a command about the job, so that it need not read the event."""
    data: dict[str, Any] = json.loads(sending.body)["data"]
    facts = {
        "JOB": data["id"],
        "UID": data["uid"],
        "NAME": data["name"],
        "KEY": data["key"] or "",
        "STATE": data["state"],
        "REASON": data["state_reason"],
        "ROUND": data["round"],
        "RESULTS": data["results"]["dir"] or "",
        "EVENT": sending.event,
        "DELIVERY": sending.delivery,
        "HOME": home,
    }
    facts |= {name.upper(): data["counts"][name] for name in ("total", "succeeded", "failed", "unprocessed")}
    return {f"JOBCTL_{name}": str(value) for name, value in facts.items()}


def _shown(target: str) -> str:
    return target


CHANNEL = Channel(
    name=NAME,
    targets=_targets,
    shown=_shown,
    status_words="exit code {}".format,
    meaning=_meaning,
    deliver=_deliver,
)
