"""The places of the values in a message."""

import pytest

from jobctl.domain.shape import ValueKind, shape_of


@pytest.mark.parametrize(
    ("first", "second", "kinds"),
    [
        ("mail 550 Refused", "mail 650 Refused", (ValueKind.CODE, ValueKind.NUMBER)),
        ("said 5.1.1 Bad", "said 6.1.1 Bad", (ValueKind.CODE, ValueKind.MASKED)),
        ("at 0x1a", "at 1x1a", (ValueKind.MASKED, ValueKind.NUMBER)),
        ("it has 12345 of", "it has 1234 of", (ValueKind.MASKED, ValueKind.NUMBER)),
    ],
)
def test_messages_that_differ_in_figures_alone_are_told_apart(first, second, kinds):
    for message, kind in zip((first, second) * 2, kinds * 2, strict=True):
        assert shape_of(message).values[0].kind is kind
