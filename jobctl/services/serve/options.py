"""The options of ``jobctl serve``: those of a command line, completed by the settings and checked."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from jobctl.config import Home
from jobctl.domain.addresses import Address, is_loopback
from jobctl.domain.job_options import is_given
from jobctl.domain.option_values import named
from jobctl.domain.serve_options import BY_NAME, OPTIONS, ServeOption
from jobctl.errors import HomeError, UsageError
from jobctl.process.listening import LONGEST_PATH, numeric

if TYPE_CHECKING:
    from jobctl.services.settings.settings import Settings

#: Addresses that mean every address of this machine.
_ANY = ("0.0.0.0", "::")  # noqa: S104 - they are compared, and refused without TLS


@dataclass(frozen=True, slots=True)
class ServeLimits:
    """The limits of a server: sizes in bytes, times in seconds."""

    rate: str = "50/s"
    max_body: int = 1 << 30
    max_rows: int = 10_000_000
    max_uploads: int = 16
    uploads_per_token: int = 4
    max_connections: int = 2_000
    client_timeout_s: float = 30.0


@dataclass(frozen=True, slots=True)
class ServeOptions:
    """Where a server listens, and its limits."""

    socket: str
    addresses: tuple[Address, ...]  # numeric hosts
    hosts: frozenset[str]  # the names under which clients reach it
    tls: tuple[str, str] | None  # certificate, key
    insecure: bool
    limits: ServeLimits

    @property
    def scheme(self) -> str:
        """The scheme of its addresses."""
        return "http" if self.tls is None else "https"


def serve_options(home: Home, given: Mapping[str, Any], settings: Settings) -> ServeOptions:
    """Return the options of a server. ``given`` has values by ``ServeOption.key``; those that are not given are empty.

    Raises UsageError that names the option or the setting, and says what to type.
    """
    values = {option.key: _value(option, given.get(option.key), settings) for option in OPTIONS}
    if values["no_tcp"] and given.get("listen"):
        raise UsageError("--listen and --no-tcp at once", hint="leave one of them out")
    if given.get("listen") and settings.value("serve", "no-tcp"):
        values["no_tcp"] = False  # an option counts more than a setting
    tls = _tls(values["tls_cert"], values["tls_key"])
    named_addresses = () if values["no_tcp"] else values["listen"]
    addresses = tuple(dict.fromkeys(found for each in named_addresses for found in _resolved(each)))
    if tls is None and not values["insecure"]:
        _refuse_open_doors(addresses)
    names = {address.host for address in (*named_addresses, *addresses) if address.host not in _ANY}
    limits = ServeLimits(
        values["rate"],
        values["max_body"],
        values["max_rows"],
        values["max_uploads"],
        values["uploads_per_token"],
        values["max_connections"],
        values["client_timeout"],
    )
    hosts = frozenset({"localhost", "127.0.0.1", "::1", *names, *values["host"]})
    socket = values["socket"] or socket_path(home, os.environ)
    return ServeOptions(socket, addresses, hosts, tls, bool(values["insecure"]), limits)


def socket_of(home: Home, given: str | None, settings: Settings, environ: Mapping[str, str]) -> str:
    """The path of the Unix socket of a store: the one given, else the setting, else the usual place."""
    option = BY_NAME["socket"]
    return _value(option, given, settings) or socket_path(home, environ)


def socket_path(home: Home, environ: Mapping[str, str]) -> str:
    """The usual path of the Unix socket of a store. Its length is limited, so a long one is in the runtime directory.

    Raises HomeError without a runtime directory.
    """
    path = str(home.serve_socket)
    if len(os.fsencode(path)) <= LONGEST_PATH:
        return path
    import hashlib

    name = hashlib.sha256(os.fsencode(home.root)).hexdigest()[:16]
    short = os.path.join(environ.get("XDG_RUNTIME_DIR", ""), f"jobctl-{name}.sock")
    if os.path.isabs(short) and len(os.fsencode(short)) <= LONGEST_PATH:
        return short
    raise HomeError(
        f"the path of the Unix socket would be too long: {path}",
        hint=f"give one of at most {LONGEST_PATH} bytes with --socket PATH",
    )


def _value(option: ServeOption, given: Any, settings: Settings) -> Any:
    """The value of an option: the one given, else the setting, else the default."""
    if is_given(given):
        return _read(option, given, f"--{option.name}")
    found = settings.find("serve", option.name)
    if found is not None:
        return _read(option, found.value, f"{found.where or 'the environment'}: [serve] {option.name}")
    if option.multiple:
        return _read(option, (option.default,), "") if option.default else ()
    return _read(option, option.default, "") if option.metavar and option.default else None


def _read(option: ServeOption, value: Any, where: str) -> Any:
    if option.is_path:
        return os.path.abspath(os.path.expanduser(value))
    if not option.parse:
        return value
    parse = named(option.parse)
    try:
        if option.multiple:
            return tuple(map(parse, value))
        return parse(int(value) if option.number else value)
    except UsageError as error:
        raise UsageError(f"{where}: {error.message}", hint=error.hint) from None


def _resolved(address: Address) -> Sequence[Address]:
    try:
        return [Address(host, address.port) for host in numeric(address.host)]
    except OSError:
        raise UsageError(
            f"--listen: this machine does not know a host {address.host!r}", hint="for example 127.0.0.1:8421"
        ) from None


def _refuse_open_doors(addresses: Sequence[Address]) -> None:
    for address in addresses:
        if not is_loopback(address.host):
            raise UsageError(
                f"--listen {address}: other machines reach this address, and without TLS they can read tokens",
                hint="--tls-cert FILE --tls-key FILE; for a private network, or behind a proxy with TLS: --insecure",
            )


def _tls(certificate: str | None, key: str | None) -> tuple[str, str] | None:
    if certificate is None and key is None:
        return None
    if certificate is None or key is None:
        missing = "--tls-cert" if certificate is None else "--tls-key"
        raise UsageError(f"{missing} is missing: TLS needs a certificate and its key", hint=f"{missing} FILE")
    for option, path in (("--tls-cert", certificate), ("--tls-key", key)):
        try:
            found = os.stat(path)
        except OSError as error:
            raise UsageError(f"{option} {path}: {error.strerror}", hint="give a file that this user can read") from None
        if not stat.S_ISREG(found.st_mode):
            raise UsageError(f"{option} {path} is not a file", hint="give a file in the form PEM")
    if os.stat(key).st_mode & 0o007:
        raise UsageError(f"--tls-key {key}: every user can read the key", hint=f"chmod 600 {key}")
    return certificate, key
