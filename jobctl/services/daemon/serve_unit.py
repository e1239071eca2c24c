"""``jobctl daemon install --serve``: the systemd user units of an HTTP server, which its first request starts."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from jobctl.domain.addresses import Address
from jobctl.services.daemon.service_unit import SCHEMA, Unit, quoted_words, specifiers, write_unit

if TYPE_CHECKING:
    from jobctl.domain.documents.daemon import UnitDocument
    from jobctl.services.serve.options import ServeOptions

#: Seconds that a stop may take; the server itself gives its requests 20.
_STOP_S = 30

_SERVICE = """\
# Written by: jobctl daemon install --serve
[Unit]
Description=jobctl HTTP server ({home})
Documentation=man:jobctl-serve(8)
Requires={name}.socket
After={name}.socket

[Service]
Type=notify
ExecStart={program} serve
TimeoutStopSec={stop}
Restart=on-failure
RestartSec=5
RestartPreventExitStatus=2
UMask=0077
# It starts no items: the daemon does.
NoNewPrivileges=yes
LockPersonality=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6
SystemCallArchitectures=native
"""

_SOCKET = """\
# Written by: jobctl daemon install --serve
[Unit]
Description=Sockets of the jobctl HTTP server ({home})
Documentation=man:jobctl-serve(8)

[Socket]
{listen}
SocketMode=0600
DirectoryMode=0700
RemoveOnStop=yes

[Install]
WantedBy=sockets.target
"""


@dataclass(frozen=True, slots=True)
class ServeUnit:
    """The service and the socket of the server of one store."""

    home: Path
    socket: str
    addresses: tuple[Address, ...]
    name: str = "jobctl-serve"

    @classmethod
    def of(cls, home: Path, options: ServeOptions, name: str) -> ServeUnit:
        """The units of a server with these options."""
        return cls(home, options.socket, options.addresses, name)

    def service_text(self) -> str:
        """Return the text of the service. Raises UsageError."""
        program = [sys.executable, "-P", "-m", "jobctl", "--home", str(self.home)]
        return _SERVICE.format(
            home=specifiers(str(self.home)), name=self.name, program=quoted_words(program), stop=_STOP_S
        )

    def socket_text(self) -> str:
        """Return the text of the socket. Raises UsageError."""
        listen = [specifiers(self.socket), *map(str, self.addresses)]
        lines = "\n".join(f"ListenStream={each}" for each in listen)
        return _SOCKET.format(home=specifiers(str(self.home)), listen=lines)

    def texts(self) -> str:
        """Return the texts of both, one after the other. Raises UsageError."""
        return f"{self.service_text()}\n{self.socket_text()}"

    def paths(self, environ: Mapping[str, str]) -> tuple[Path, Path]:
        """Return the paths of the service and of the socket. Raises UsageError."""
        service = Unit(self.home, None, self.name).path(environ)
        return service, service.with_suffix(".socket")

    def document(self, environ: Mapping[str, str]) -> UnitDocument:
        """Return ``jobctl.unit/1`` of units that are only shown. Raises UsageError."""
        service, socket = self.paths(environ)
        return {
            "schema": SCHEMA,
            "path": str(service),
            "changed": False,
            "text": self.service_text(),
            "socket": {"path": str(socket), "changed": False, "text": self.socket_text()},
        }

    def install(self, environ: Mapping[str, str], *, force: bool) -> UnitDocument:
        """Write both; returns ``jobctl.unit/1``. Raises UsageError if a file differs, unless ``force``."""
        service, socket = self.paths(environ)
        is_socket_new = write_unit(socket, self.socket_text(), force=force)
        is_service_new = write_unit(service, self.service_text(), force=force)
        return {
            "schema": SCHEMA,
            "path": str(service),
            "changed": is_service_new,
            "socket": {"path": str(socket), "changed": is_socket_new},
        }
