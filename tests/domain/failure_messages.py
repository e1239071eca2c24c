"""The messages of failed attempts as plain texts, for tests."""

from __future__ import annotations

from jobctl.domain.cause import clean, generalise, message_in_output, message_of_call
from jobctl.domain.ports import Raised


def text_in_output(err_tail: bytes, out_tail: bytes) -> str:
    """The message of a failed attempt, as one line; "" if it wrote none."""
    return message_in_output(err_tail, out_tail).text


def texts_of_call(raised: Raised, *, in_setup: bool = False) -> tuple[str, str]:
    """The message of a call that raised, and its general form; the place in the code is part of both."""
    text = message_of_call(raised, in_setup=in_setup).text
    place = f" [{clean(raised.where)}]" if raised.where else ""
    return text, generalise(text.removesuffix(place)) + place
