"""The workers of a cluster as far as anybody has to know them: what they offer, and how much of that an item needs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

#: What an item needs, or a worker has, besides slots: amounts by name, sorted.
Amounts = tuple[tuple[str, float], ...]
#: With this a pressure begins that is no machine's: the scheduler is away.
AWAY = "cluster: "
#: The name under which devices count.
GPU = "gpu"


class Offer(NamedTuple):
    """Workers that offer the same."""

    workers: int
    slots: int  # of each of them
    resources: Amounts  # of each of them


class Crew(NamedTuple):
    """The workers that are there, and what became of others."""

    place: str  # of the scheduler
    offers: tuple[Offer, ...] = ()
    left: int = 0  # workers that have gone since the daemon came
    last_host: str = ""  # of the last of them
    last_left_at: int = 0  # microseconds, UTC
    unfit: tuple[str, ...] = ()  # why workers that are there are not used

    @property
    def workers(self) -> int:
        """How many there are."""
        return sum(offer.workers for offer in self.offers)

    @property
    def total(self) -> Counter[str]:
        """What all of them have besides slots."""
        return total_of(self.offers)

    def to_json(self) -> dict[str, Any]:
        """As plain values."""
        return self._asdict()

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Crew:
        """The reverse of ``to_json``; what a newer version says besides is left out."""
        known = {name: value for name, value in data.items() if name in cls._fields}
        offers = (Offer(workers, slots, _amounts(resources)) for workers, slots, resources in known["offers"])
        return cls(**known | {"offers": tuple(offers), "unfit": tuple(known.get("unfit", ()))})


def offers_of(workers: Iterable[tuple[int, Mapping[str, float]]]) -> tuple[Offer, ...]:
    """Slots and resources of each worker, summed up."""
    counts = Counter((slots, tuple(sorted(resources.items()))) for slots, resources in workers)
    return tuple(Offer(count, slots, resources) for (slots, resources), count in sorted(counts.items()))


def needs_of(resources: Iterable[tuple[str, float]], gpus: int) -> Amounts:
    """What an item needs by the rules of its job; devices asked for are a resource, too."""
    needs = dict(resources)
    if gpus:
        needs[GPU] = max(float(gpus), needs.get(GPU, 0.0))
    return tuple(sorted(needs.items()))


def room_for(needs: Amounts, offers: Iterable[Offer]) -> int:
    """How many items with these needs run at once when nothing else does."""
    return sum(offer.workers * _each(needs, offer) for offer in offers)


def _each(needs: Amounts, offer: Offer) -> int:
    has = dict(offer.resources)
    return min([offer.slots, *(int(has.get(name, 0.0) // amount) for name, amount in needs)])


def total_of(offers: Iterable[Offer]) -> Counter[str]:
    """What workers have together."""
    total: Counter[str] = Counter()
    for offer in offers:
        for name, amount in offer.resources:
            total[name] += offer.workers * amount  # type: ignore[assignment]
    return total


def worded(amounts: Iterable[tuple[str, float]]) -> str:
    """``gpu=1,mem=64``, as it is typed."""
    return ",".join(f"{name}={amount:g}" for name, amount in amounts)


def _amounts(pairs: Iterable[Iterable[Any]]) -> Amounts:
    return tuple((str(name), float(amount)) for name, amount in pairs)
