"""The workers of a cluster as commands show them: the resources that they offer, and those that an item needs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

#: The resources of an item or a worker in addition to slots: amounts by name, sorted.
Amounts = tuple[tuple[str, float], ...]
#: The first words of a pressure while the scheduler cannot be reached.
AWAY = "cluster: "
#: The name of GPUs as a resource.
GPU = "gpu"


class WorkersOffer(NamedTuple):
    """The workers that offer the same resources."""

    workers: int
    slots: int  # of each of them
    resources: Amounts  # of each of them


class ClusterWorkers(NamedTuple):
    """The workers that are connected, and the number of those that have left."""

    place: str  # the address or file of the scheduler
    offers: tuple[WorkersOffer, ...] = ()
    left: int = 0  # workers that have left since the daemon started
    last_host: str = ""  # the host of the last of them
    last_left_at: int = 0  # microseconds, UTC
    unfit: tuple[str, ...] = ()  # the reasons why connected workers are not used

    @property
    def workers(self) -> int:
        """The number of workers."""
        return sum(offer.workers for offer in self.offers)

    @property
    def total(self) -> Counter[str]:
        """The resources of all workers together."""
        return total_of(self.offers)

    def to_json(self) -> dict[str, Any]:
        """The value as plain JSON values."""
        return self._asdict()

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> ClusterWorkers:
        """The reverse of ``to_json``; unknown keys of a newer version are ignored."""
        known = {name: value for name, value in data.items() if name in cls._fields}
        offers = (WorkersOffer(workers, slots, _amounts(resources)) for workers, slots, resources in known["offers"])
        return cls(**known | {"offers": tuple(offers), "unfit": tuple(known.get("unfit", ()))})


def offers_of(workers: Iterable[tuple[int, Mapping[str, float]]]) -> tuple[WorkersOffer, ...]:
    """The slots and resources of the workers, grouped by equal offers."""
    counts = Counter((slots, tuple(sorted(resources.items()))) for slots, resources in workers)
    return tuple(WorkersOffer(count, slots, resources) for (slots, resources), count in sorted(counts.items()))


def needs_of(resources: Iterable[tuple[str, float]], gpus: int) -> Amounts:
    """The resources that an item needs by the rules of its job; GPUs are one of them."""
    needs = dict(resources)
    if gpus:
        needs[GPU] = max(float(gpus), needs.get(GPU, 0.0))
    return tuple(sorted(needs.items()))


def room_for(needs: Amounts, offers: Iterable[WorkersOffer]) -> int:
    """The number of items with these needs that can run at once if nothing else runs."""
    return sum(offer.workers * _each(needs, offer) for offer in offers)


def _each(needs: Amounts, offer: WorkersOffer) -> int:
    has = dict(offer.resources)
    return min([offer.slots, *(int(has.get(name, 0.0) // amount) for name, amount in needs)])


def total_of(offers: Iterable[WorkersOffer]) -> Counter[str]:
    """The resources of these workers together."""
    total: Counter[str] = Counter()
    for offer in offers:
        for name, amount in offer.resources:
            total[name] += offer.workers * amount  # type: ignore[assignment]
    return total


def worded(amounts: Iterable[tuple[str, float]]) -> str:
    """``gpu=1,mem=64``, as users type it."""
    return ",".join(f"{name}={amount:g}" for name, amount in amounts)


def _amounts(pairs: Iterable[Iterable[Any]]) -> Amounts:
    return tuple((str(name), float(amount)) for name, amount in pairs)
