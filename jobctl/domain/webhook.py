"""Webhooks by the Standard Webhooks specification: permitted addresses, secrets, signatures. It does no I/O."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from jobctl.domain.notify import shown_url
from jobctl.errors import UsageError

SECRET_PREFIX = "whsec_"  # noqa: S105 - the beginning of every secret, not a secret
SECRET_BYTES = (24, 64)
HOW_TO_MAKE = 'echo "whsec_$(openssl rand -base64 32)"'
_URL_LIMIT = 2_000


@dataclass(frozen=True, slots=True)
class Address:
    """The parts of a webhook's URL that a request needs."""

    secure: bool
    host: str  # ASCII; an IPv6 address without brackets
    port: int
    path: str  # with the query
    host_header: str


def parse_url(url: str, *, allow_http: bool) -> Address:
    """Read the URL of a webhook. Raises UsageError for one that cannot or may not be used.

    Plain http is allowed only for this machine, unless ``allow_http`` is true.
    """
    if len(url) > _URL_LIMIT or not url.isascii() or not url.isprintable() or " " in url:
        raise UsageError(
            f"--notify {url[:100]!r} is not a URL: white space, control or non-ASCII characters, or too long",
            hint="write other characters percent-encoded: https://example.org/caf%C3%A9",
        )
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise UsageError(f"--notify {url!r} is not a URL: {error}") from error
    scheme = parts.scheme.lower()
    if scheme not in ("http", "https") or not parts.hostname:
        raise UsageError(f"--notify {url!r} is not a web address", hint="for example https://example.org/hook")
    shown = shown_url(url)
    if parts.username is not None or parts.password is not None:
        raise UsageError(
            f"--notify {shown}: no user name or password in the URL, it would be stored and shown",
            hint="sign instead: --notify-secret-env NAME",
        )
    if scheme == "http" and not allow_http and not is_loopback(parts.hostname):
        raise UsageError(
            f"--notify {shown}: plain http to another machine can be read and changed on its way",
            hint="use https, or accept that with --allow-http",
        )
    return _address(parts, scheme == "https", port)


def _address(parts: SplitResult, secure: bool, port: int | None) -> Address:
    host = parts.hostname or ""
    in_brackets = f"[{host}]" if ":" in host else host
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Address(
        secure=secure,
        host=host,
        port=port if port is not None else (443 if secure else 80),
        path=path,
        host_header=in_brackets if port is None else f"{in_brackets}:{port}",
    )


def is_loopback(host: str) -> bool:
    """True if a host name or address can only mean this machine."""
    name = host.lower().rstrip(".")
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(name.partition("%")[0]).is_loopback
    except ValueError:
        return False


def parse_secrets(text: str, origin: str) -> list[bytes]:
    """Read the keys in the value of a secret: ``whsec_`` and base64 of 24 to 64 bytes; several, with blanks, to rotate.

    Raises UsageError that names ``origin`` and never the value.
    """
    words = text.split()
    if not words:
        raise UsageError(f"{origin} is empty", hint=f"make a secret with: {HOW_TO_MAKE}")
    return [_parse_secret(word, origin) for word in words]


def _parse_secret(word: str, origin: str) -> bytes:
    hint = f"make one with: {HOW_TO_MAKE}"
    if not word.startswith(SECRET_PREFIX):
        raise UsageError(f"{origin} is not a webhook secret: it does not begin with {SECRET_PREFIX}", hint=hint)
    encoded = word.removeprefix(SECRET_PREFIX)
    try:
        key = base64.b64decode(encoded + "=" * (-len(encoded) % 4), validate=True)  # the padding is often left out
    except (binascii.Error, ValueError) as error:
        raise UsageError(
            f"{origin} is not a webhook secret: what follows {SECRET_PREFIX} is not base64", hint=hint
        ) from error
    low, high = SECRET_BYTES
    if not low <= len(key) <= high:
        raise UsageError(f"{origin}: the secret has {len(key)} bytes, it must have {low} to {high}", hint=hint)
    return key


def signature(keys: Sequence[bytes], message_id: str, timestamp: int, body: bytes) -> str:
    """The value of ``webhook-signature``: one ``v1`` per key. ``timestamp`` in seconds since 1970."""
    signed = b"%b.%d.%b" % (message_id.encode("ascii"), timestamp, body)
    digests = (hmac.new(key, signed, hashlib.sha256).digest() for key in keys)
    return " ".join("v1," + base64.b64encode(digest).decode("ascii") for digest in digests)


def headers(keys: Sequence[bytes], message_id: str, timestamp: int, body: bytes) -> dict[str, str]:
    """The headers of a webhook request; without a key it is not signed."""
    named = {"webhook-id": message_id, "webhook-timestamp": str(timestamp)}
    if keys:
        named["webhook-signature"] = signature(keys, message_id, timestamp, body)
    return named
