"""The channel of ``--notify``: one signed POST to a URL for each attempt."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from jobctl import __version__
from jobctl.domain.notify import DeliveryState, NotifyOptions, Reply, excerpt, shown_url
from jobctl.errors import UsageError
from jobctl.notify.channel import Channel

if TYPE_CHECKING:
    from jobctl.store.outbox import NewTarget, Sending

NAME = "webhook"
TIMEOUT_S = 15.0
_GONE = 410
_TEMPORARY_CLIENT_ERRORS = frozenset({408, 425, 429})


def _targets(options: NotifyOptions, environ: Mapping[str, str]) -> list[NewTarget]:
    """The targets of ``--notify``. A secret variable that is not set here is accepted: the daemon may have it."""
    if not (options.urls or options.secret_env or options.secret_file):
        return []
    from jobctl.domain.webhook import parse_url
    from jobctl.store.outbox import NewTarget

    for url in options.urls:
        parse_url(url, allow_http=options.allow_http)
    secret_file = _check_secret(options, environ)
    return [
        NewTarget(NAME, url, options.secret_env, secret_file, options.allow_http) for url in dict.fromkeys(options.urls)
    ]


def _check_secret(options: NotifyOptions, environ: Mapping[str, str]) -> str | None:
    """The absolute path of the secret file, if one is named. Raises UsageError for a secret that cannot be used."""
    name, path = options.secret_env, options.secret_file
    if name is None and path is None:
        return None
    if not options.urls:
        option = "--notify-secret-env" if name is not None else "--notify-secret-file"
        raise UsageError(f"{option} without --notify URL", hint="name the receiver: --notify https://...")
    if name is not None and path is not None:
        raise UsageError("give --notify-secret-env or --notify-secret-file, not both")
    if path is not None:
        return _check_secret_file(path)
    assert name is not None
    _check_secret_variable(name, environ)
    return None


def _check_secret_file(path: str) -> str:
    from jobctl.domain.webhook import parse_secrets
    from jobctl.handlers.secret_file import read_secret_file

    absolute = os.path.abspath(os.path.expanduser(path))
    parse_secrets(read_secret_file(Path(absolute)), f"the secret file {absolute}")
    return absolute


def _check_secret_variable(name: str, environ: Mapping[str, str]) -> None:
    from jobctl.domain.webhook import SECRET_PREFIX, parse_secrets

    if not name.isidentifier() or not name.isascii() or name.startswith(SECRET_PREFIX):
        raise UsageError(
            "--notify-secret-env takes the name of a variable, not a secret", hint="--notify-secret-env HOOK_SECRET"
        )
    if name in environ:
        parse_secrets(environ[name], f"the webhook secret {name}")


def _meaning(status: int) -> DeliveryState:
    if 200 <= status < 300:
        return DeliveryState.DELIVERED
    if status == _GONE:
        return DeliveryState.DISABLED
    is_final = 400 <= status < 500 and status not in _TEMPORARY_CLIENT_ERRORS
    return DeliveryState.DEAD if is_final else DeliveryState.PENDING


def _deliver(sending: Sending, timestamp: int, _home: str) -> Reply:
    # Imported here: HTTP and TLS take a quarter of the time that an engine needs to start.
    from jobctl.domain.webhook import headers, parse_url
    from jobctl.notify.http import DeliveryError, post

    address = parse_url(sending.target, allow_http=sending.allow_http)
    keys = read_keys(sending)
    all_headers = {"Content-Type": "application/json", "User-Agent": f"jobctl/{__version__}"}
    all_headers |= headers(keys, sending.delivery, timestamp, sending.body)
    loopback_only = not address.secure and not sending.allow_http
    try:
        response = post(address, all_headers, sending.body, TIMEOUT_S, loopback_only=loopback_only)
    except DeliveryError as error:
        return Reply(error=str(error))
    return Reply(
        status=response.status,
        error="the answer was cut short" if response.cut_short else "",
        response=excerpt(response.body),
        retry_after=response.retry_after,
    )


def read_keys(sending: Sending) -> list[bytes]:
    """The signing keys of a target, none if it has no secret. Raises UsageError if its secret cannot be found."""
    from jobctl.domain.webhook import parse_secrets
    from jobctl.handlers.environment import read_env_file
    from jobctl.handlers.secret_file import read_secret_file

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


CHANNEL = Channel(
    name=NAME,
    targets=_targets,
    shown=shown_url,
    status_words="HTTP {}".format,
    meaning=_meaning,
    deliver=_deliver,
)
