"""One try of a delivery, start to end, in a thread of its own: it touches no database and never raises."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jobctl import __version__
from jobctl.domain import outcome
from jobctl.domain.notify import Kind, Reply, excerpt
from jobctl.domain.webhook import headers, parse_secrets, parse_url
from jobctl.errors import UsageError
from jobctl.handlers.environment import job_environment, read_env_file
from jobctl.handlers.secret_file import read_secret_file
from jobctl.notify.http import DeliveryError, post
from jobctl.process.hook import HookResult, run_hook
from jobctl.store.outbox import Sending

WEBHOOK_TIMEOUT_S = 15.0
COMMAND_TIMEOUT_S = 60.0


def deliver(sending: Sending, timestamp: int, home: str) -> Reply:
    """Make a try (``timestamp`` in seconds since 1970) and say how it went."""
    began = time.monotonic()
    try:
        reply = _call(sending, timestamp) if sending.kind is Kind.WEBHOOK else _run(sending, home)
    except UsageError as error:  # a secret or an address that must be mended by somebody
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


def _call(sending: Sending, timestamp: int) -> Reply:
    address = parse_url(sending.target, allow_http=sending.allow_http)
    keys = read_keys(sending)
    named = {"Content-Type": "application/json", "User-Agent": f"jobctl/{__version__}"}
    named |= headers(keys, sending.delivery, timestamp, sending.body)
    local = not address.secure and not sending.allow_http
    try:
        answer = post(address, named, sending.body, WEBHOOK_TIMEOUT_S, loopback_only=local)
    except DeliveryError as error:
        return Reply(error=str(error))
    return Reply(
        status=answer.status,
        error="the answer was cut short" if answer.cut_short else "",
        response=excerpt(answer.body),
        retry_after=answer.retry_after,
    )


def read_keys(sending: Sending) -> list[bytes]:
    """The signing keys of a target, none if it has no secret. Raises UsageError naming the place that has none."""
    if sending.secret_file is not None:
        return parse_secrets(read_secret_file(Path(sending.secret_file)), f"the secret file {sending.secret_file}")
    name = sending.secret_env
    if name is None:
        return []
    from_file = read_env_file(Path(sending.env_file)) if sending.env_file else {}
    value = from_file.get(name, os.environ.get(name))
    if value is None:
        raise UsageError(
            f"the webhook secret {name} is not in the daemon's environment",
            hint=f"start the daemon with {name} set, or put it into the job's --env-file",
        )
    return parse_secrets(value, f"the webhook secret {name}")


def _run(sending: Sending, home: str) -> Reply:
    env = {**_environment(sending), **hook_environment(sending, home)}
    try:
        result = run_hook(sending.target, sending.body, env, sending.cwd, COMMAND_TIMEOUT_S)
    except (OSError, ValueError) as error:
        return Reply(error=f"the command cannot be started: {error}")
    problem = _violent_end(result)
    status = None if problem else result.exit_code
    return Reply(status=status, error=problem, response=excerpt(_last(result.tail)))


def _environment(sending: Sending) -> Mapping[str, str]:
    """That of the items; what a file of it had, if it can be read: that it cannot may be what is to be told."""
    try:
        return job_environment(sending.env, sending.env_names, Path(sending.env_file) if sending.env_file else None)
    except UsageError:
        return job_environment(sending.env, sending.env_names, None)


def _violent_end(result: HookResult) -> str:
    """Why there is no exit code worth looking at; empty if there is one."""
    if result.timed_out:
        return f"ended after {COMMAND_TIMEOUT_S:g} s"
    return f"ended by {outcome.signal_name(-result.exit_code)}" if result.exit_code < 0 else ""


def _last(tail: bytes) -> bytes:
    """The part of the output that fits into an excerpt: its end."""
    return tail.rstrip()[-400:]


def hook_environment(sending: Sending, home: str) -> Mapping[str, str]:
    """What a command learns of the job without reading the event."""
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
