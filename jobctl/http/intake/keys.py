"""``Idempotency-Key``, which is ``--key``: how it is written, whose it is, and which are in use at this moment."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from jobctl.errors import UsageError
from jobctl.http.problems import Refused
from jobctl.services.submit.idempotency import check_key

HEADER = "Idempotency-Key"
#: Seconds after which a client may ask again for the answer to a request that is still in work.
_RETRY_S = 1


def read_key(header: str | None) -> str | None:
    """The key of a header: a string in quotes, as the draft of the IETF has it, or bare. Raises UsageError, Refused."""
    if header is None:
        return None
    text = header.strip()
    if text.startswith('"'):
        if len(text) < 2 or not text.endswith('"'):
            raise Refused(400, f"{HEADER}: the quote is not closed", hint=f'{HEADER}: "2026-11-29"')
        text = text[1:-1].replace('\\"', '"').replace("\\\\", "\\")
    try:
        check_key(text)
    except UsageError as error:
        raise UsageError(f"{HEADER}: {error.message.removeprefix('--key ')}", hint=error.hint) from None
    return text


class KeysInUse:
    """The keys of requests that this server works on. It is used in the thread of the event loop alone."""

    def __init__(self) -> None:
        self._keys: set[str] = set()

    @contextmanager
    def taking(self, key: str | None) -> Iterator[None]:
        """Use a key for the block. Raises Refused (409) while another request uses it."""
        if key is None:
            yield
            return
        if key in self._keys:
            raise Refused(
                409,
                f"another request with the key {key!r} is still in work",
                code="key_in_use",
                hint="send it again when that one has its answer: the same work gets the same job",
                headers={"Retry-After": str(_RETRY_S)},
            )
        self._keys.add(key)
        try:
            yield
        finally:
            self._keys.discard(key)
