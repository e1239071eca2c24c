"""The address of the cluster and the means to reach it safely. This module imports nothing of Dask."""

from __future__ import annotations

import ipaddress
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Self

from jobctl.errors import JobctlError, UsageError

_PREFIX = "cluster."
#: A scheduler's file has a few hundred bytes.
_LARGEST_FILE = 1 << 20


class ClusterError(JobctlError):
    """The cluster cannot be used, and waiting does not help."""


@dataclass(frozen=True, slots=True)
class ClusterOptions:
    """The means to reach a scheduler."""

    scheduler: str = ""  # address
    scheduler_file: str = ""
    tls_ca: str = ""
    tls_cert: str = ""
    tls_key: str = ""
    insecure: bool = False
    cluster: str = ""  # slurm, pbs...: start a scheduler and request workers there
    workers: int = 0  # the number of batch jobs to request

    def words(self) -> list[str]:
        """The options as words of an engine's command line."""
        values = ((field.name, getattr(self, field.name)) for field in fields(self))
        return [f"{_PREFIX}{name}={int(value) if isinstance(value, int) else value}" for name, value in values if value]

    @classmethod
    def from_words(cls, words: Sequence[str]) -> Self:
        """The reverse of ``words``."""
        known = dict(word.removeprefix(_PREFIX).partition("=")[::2] for word in words)
        return cls(
            **{name: text for name, text in known.items() if name not in ("insecure", "workers")},
            insecure="insecure" in known,
            workers=int(known.get("workers", "0")),
        )

    def check(self) -> None:
        """Raise UsageError for contradictory, incomplete or impossible options."""
        given = [name for name in ("scheduler", "scheduler_file", "cluster") if getattr(self, name)]
        if len(given) != 1:
            raise UsageError(
                "a cluster is named by one of --scheduler, --scheduler-file and --cluster",
                hint="jobctl daemon start --executor dask --scheduler-file ~/sched.json",
            )
        tls = [name for name in ("tls_ca", "tls_cert", "tls_key") if getattr(self, name)]
        if tls and len(tls) < 3:
            raise UsageError("TLS needs all of --tls-ca, --tls-cert and --tls-key")
        for name in tls:
            if not os.access(getattr(self, name), os.R_OK):
                raise UsageError(f"--{name.replace('_', '-')}: {getattr(self, name)} cannot be read")
        port = self.scheduler.rpartition(":")[2]
        if self.scheduler and not (port.isascii() and port.isdigit() and len(port) <= 5 and 0 < int(port) < 1 << 16):
            raise UsageError(
                f"{self.scheduler!r} is not the address of a scheduler",
                hint="for example tcp://127.0.0.1:8786 or tls://node1:8786",
            )
        if os.path.exists(self.scheduler_file) and not os.path.isfile(self.scheduler_file):
            raise UsageError(f"--scheduler-file {self.scheduler_file} is not a regular file")

    @property
    def place(self) -> str:
        """The name of the cluster."""
        return self.scheduler or self.scheduler_file or self.cluster

    @property
    def has_tls(self) -> bool:
        """True if both sides prove their identity."""
        return bool(self.tls_ca)

    def address(self) -> str:
        """The address of the scheduler now. Raises OSError or ValueError while its file is missing or incomplete."""
        if self.scheduler:
            return self.scheduler
        with open(self.scheduler_file, encoding="utf-8") as file:
            text = file.read(_LARGEST_FILE + 1)
        if len(text) > _LARGEST_FILE:
            raise ValueError(f"{self.scheduler_file} is too large for the file of a scheduler")
        return str(json.loads(text)["address"])

    def require_safe(self, address: str) -> None:
        """Refuse an open scheduler on a network, because everyone who reaches it can run code as its user.

        A scheduler on loopback is safe; elsewhere TLS or ``--insecure`` is required. Raises ClusterError.
        """
        if self.insecure or self.has_tls or is_loopback(address) or (self.cluster and address.startswith("tls")):
            return
        raise ClusterError(
            f"the scheduler at {address} is not on this machine, and whoever can reach it could run commands as you",
            hint="give --tls-ca, --tls-cert and --tls-key, or say --insecure on a network you trust",
        )


def is_loopback(address: str) -> bool:
    """True if an address can be reached only from this machine."""
    protocol, _, place = address.rpartition("://")
    if protocol == "inproc":
        return True
    host = place.rpartition(":")[0].strip("[]")
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
