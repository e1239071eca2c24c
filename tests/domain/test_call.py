"""The name of a function, as it is given and as it is kept."""

import pytest

from jobctl.domain.call import Call, parse_target
from jobctl.errors import UsageError


@pytest.mark.parametrize("text", ["m:f", "a.b.c:f", "a_1:Class.method", "módulo:función"])
def test_names_of_functions(text):
    assert parse_target(text) == text


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("f", "package.module:function"),
        ("", "package.module:function"),
        ("m:", "package.module:function"),
        (":f", "package.module:function"),
        ("m:f:g", "package.module:function"),
        ("m..n:f", "package.module:function"),
        ("m:class", "package.module:function"),
        ("m:f()", "package.module:function"),
        ("m.f", "perhaps m:f"),
        ("shop.prices.update", "perhaps shop.prices:update"),
        ("./shop/prices.py:update", "shop.prices:update"),
        ("prices.py", "as for python -m: prices:function"),
    ],
)
def test_a_text_that_is_not_a_target_is_refused_with_a_hint(text, hint):
    with pytest.raises(UsageError) as refused:
        parse_target(text)
    assert "is not MODULE:FUNCTION" in refused.value.message
    assert hint in (refused.value.hint or "")


def test_only_given_values_are_stored():
    assert Call("m:f").to_json() == {"target": "m:f"}
    full = Call("m:f", "m:g", "dict")
    assert Call.from_json(full.to_json()) == full
