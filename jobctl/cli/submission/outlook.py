"""What to expect of a job before it begins, for commands that accept one."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from jobctl.cli.session import Session, now_us
from jobctl.errors import JobctlError

if TYPE_CHECKING:
    from jobctl.domain.policy import Policy
    from jobctl.services.submit.outlook import Outlook


def outlook(
    shared: Session, policy: Policy, queue: str, items: int, *, planned: Callable[[], int], foreground: bool
) -> Outlook:
    """How long the items can take at most, and whether fewer of them run at once than was asked for."""
    from jobctl.services.submit.outlook import expected

    found = expected(shared.home, policy, queue, items, now=now_us(), planned=planned, foreground=foreground)
    return found._replace(fewer=shared.localise(found.fewer) or "")


def of_a_daemon() -> int:
    """Slots of a daemon that would be started now; 0 where nobody can say yet."""
    from jobctl.cli.submission.cluster import set_cluster_words
    from jobctl.cli.submission.defaults import daemon_slots

    try:
        return daemon_slots(None, on_cluster=bool(set_cluster_words()))
    except JobctlError:  # the command that starts the daemon says what is wrong
        return 0


def of_a_run(policy: Policy, *, on_cluster: bool) -> int:
    """Slots of a run in the foreground; 0 = as many as the workers of a cluster have."""
    from jobctl.config import cpu_count

    return policy.slots or (0 if on_cluster else cpu_count())
