"""The interfaces of a supervisor for its workers and groups. They are only types: nothing loads them at run time.

``pool`` creates workers, and workers create groups; each of them reports to what created it. With the types here, the
modules below need not import those above, so the imports form no circle.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import select

    from jobctl.process.leaders import Leaders
    from jobctl.supervisor.backlog import Backlog, JobLine
    from jobctl.supervisor.protocol.channel import Tell


class AttemptKeeper(Protocol):
    """The attempts of the supervisor, as far as workers use them."""

    backlog: Backlog
    table: Leaders
    deadline: float

    def keep(self, outcome: tuple[Any, ...]) -> None:
        """Report an outcome and keep it until it is acknowledged."""
        ...

    def release(self, line: JobLine, slot: int) -> None:
        """Free a slot."""
        ...

    def log_unexpected(self, error: Exception, what: str) -> None:
        """Log an unexpected error."""
        ...


class WorkerHost(Protocol):
    """The pool, as far as its workers use it."""

    attempts: AttemptKeeper
    workers: dict[int, Any]  # the workers, by the descriptor of their socket
    poll: select.poll
    tell: Tell

    def add(self, outcome: tuple[Any, ...]) -> None:
        """Report calls that ended, and keep their outcomes until they are acknowledged."""
        ...
