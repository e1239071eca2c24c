"""What items need besides a slot, against what there is of it: an item that nobody can run must hold no slot.

On a cluster that is what its workers say they have. On this machine only devices count, and an item that needs more
of them than there are is started all the same: it fails and says so.
"""

from __future__ import annotations

from collections.abc import Mapping

from jobctl.domain.crew import GPU, Amounts, Offer, needs_of, room_for, total_of
from jobctl.domain.policy import Policy


class Resources:
    """Kept by the engine; ``offers`` = of a cluster as it is told, else what this machine has."""

    def __init__(self, offers: tuple[Offer, ...], *, of_cluster: bool) -> None:
        self._of_cluster = of_cluster
        self.follow(offers)

    def follow(self, offers: tuple[Offer, ...]) -> None:
        """Workers came or went."""
        self._offers = offers
        self._total = total_of(offers)

    def needs(self, policy: Policy) -> Amounts:
        """What each item of a job needs."""
        needs = needs_of(policy.resources if self._of_cluster else (), policy.gpus)
        if self._of_cluster or all(amount <= self._total[name] for name, amount in needs):
            return needs
        return ()

    def room(self, needs: Amounts) -> int | None:
        """How many with these needs could run at once; None when they need nothing but slots."""
        return room_for(needs, self._offers) if needs else None

    def left(self, needs: Amounts, in_hand: Mapping[str, float]) -> int:
        """How many more with these needs there is enough of for, beside what is in hand."""
        return min(int((self._total[name] - in_hand.get(name, 0.0)) // amount) for name, amount in needs)


def of_this_machine(slots: int, devices: int) -> Resources:
    """What an engine without a cluster has."""
    return Resources((Offer(1, slots, ((GPU, float(devices)),)),), of_cluster=False)
