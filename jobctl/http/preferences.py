"""``Prefer`` (RFC 7240): how long a client wants to wait for the end of a job."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

#: The longest wait, in seconds. Proxies give up on answers that take longer.
MOST_S = 60


class Preferences(NamedTuple):
    """The preferences that are known and can be met."""

    wait_s: int | None = None
    is_async: bool = False

    @property
    def applied(self) -> dict[str, str]:
        """The header that names those that were met."""
        words = [*(["respond-async"] if self.is_async else []), *([f"wait={self.wait_s}"] if self.wait_s else [])]
        return {"Preference-Applied": ", ".join(words)} if words else {}


def read_preferences(headers: Sequence[str]) -> Preferences:
    """Read the values of all ``Prefer`` headers. What is unknown or wrong is ignored, as RFC 7240 demands."""
    found = Preferences()
    for part in ",".join(headers).split(","):
        name, _, value = part.partition(";")[0].partition("=")
        word, text = name.strip().lower(), value.strip().strip('"')
        if word == "wait" and found.wait_s is None and text.isascii() and text.isdigit():
            found = found._replace(wait_s=min(int(text[:9]), MOST_S))
        elif word == "respond-async":
            found = found._replace(is_async=True)
    return found
