"""Check the keys of rows: none is empty, and with ``--invalid skip``, only the first row of each key is kept."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from hashlib import blake2b

from jobctl.domain.payload import Fault
from jobctl.store.scratch import SeenKeys

#: The most characters of a key that a message shows.
_SHOWN = 80
#: The code of a row with the key of an earlier row.
DOUBLED_KEY = "doubled_key"


class FirstOfKey:
    """Rejects rows with an empty key, and with ``skips`` also rows with the key of an earlier row.

    Without ``skips``, duplicate keys refuse the input; ``services.submit.row_keys`` finds them with both places.
    """

    def __init__(self, column: str, read_key: Callable[[bytes], bytes], *, skips: bool) -> None:
        self._column = column
        self._read_key = read_key
        self._seen = SeenKeys() if skips else None

    def all_good(self, payloads: Sequence[bytes], numbers: Sequence[int]) -> bool:
        """Record the keys of these rows; returns whether all are new and none is empty."""
        keys = list(map(self._read_key, payloads))
        if not all(map(bytes.strip, keys)):
            return False
        return self._seen is None or self._note(keys, numbers) == len(keys)

    def _note(self, keys: Sequence[bytes], numbers: Sequence[int]) -> int:
        """Record keys; returns the number of new ones."""
        assert self._seen is not None
        return self._seen.add(zip(map(_hashed, keys), numbers, strict=True))

    def fault(self, payload: bytes, number: int) -> Fault | None:
        """Return the fault of the key of one row, which may have been recorded already; None if there is none."""
        key = self._read_key(payload)
        if not key.strip():
            return Fault(self._column, "empty_key", "the key of the row is empty")
        if self._seen is None or self._note([key], [number]):
            return None
        first = self._seen.first(_hashed(key))
        if first == number:
            return None
        text = key.decode("utf-8", "replace")
        shown = repr(text if len(text) <= _SHOWN else f"{text[:_SHOWN]}...")
        return Fault(self._column, DOUBLED_KEY, f"record {first} has the key {shown} already")

    def close(self) -> None:
        """Delete the recorded keys."""
        if self._seen is not None:
            self._seen.close()


def _hashed(key: bytes) -> bytes:
    return blake2b(key, digest_size=16).digest()
