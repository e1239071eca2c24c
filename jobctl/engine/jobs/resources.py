"""Compares the resources that items need with those that exist: an item that no worker can run must take no slot.

The workers of a cluster say which resources they have. On this machine only devices count, and an item that needs more
devices than the machine has starts anyway: it fails and says so.
"""

from __future__ import annotations

from collections.abc import Mapping

from jobctl.domain.cluster_workers import GPU, Amounts, WorkersOffer, needs_of, room_for, total_of
from jobctl.domain.policy import Policy


class Resources:
    """The resources of the workers of a cluster, or of this machine."""

    def __init__(self, offers: tuple[WorkersOffer, ...], *, of_cluster: bool) -> None:
        self._of_cluster = of_cluster
        self.update(offers)

    def update(self, offers: tuple[WorkersOffer, ...]) -> None:
        """Replace the resources after workers came or went."""
        self._offers = offers
        self._total = total_of(offers)

    def needs(self, policy: Policy) -> Amounts:
        """The resources that each item of a job needs in addition to a slot."""
        needs = needs_of(policy.resources if self._of_cluster else (), policy.gpus)
        if self._of_cluster or all(amount <= self._total[name] for name, amount in needs):
            return needs
        return ()

    def most_at_once(self, needs: Amounts) -> int | None:
        """The number of items with these needs that could run at once; None if they need only slots."""
        return room_for(needs, self._offers) if needs else None

    def left(self, needs: Amounts, in_hand: Mapping[str, float]) -> int:
        """The number of items with these needs that the resources allow in addition to those in hand."""
        return min(int((self._total[name] - in_hand.get(name, 0.0)) // amount) for name, amount in needs)


def of_this_machine(slots: int, devices: int) -> Resources:
    """The resources of an engine without a cluster."""
    return Resources((WorkersOffer(1, slots, ((GPU, float(devices)),)),), of_cluster=False)
