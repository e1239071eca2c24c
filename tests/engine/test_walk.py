"""A few random walks; ``python -m tests.engine.walk`` makes more."""

import pytest

from tests.engine.walk import walk


@pytest.mark.parametrize("seed", [16, 45, 81, 89, 91])
def test_whatever_happens_in_any_order_the_promises_hold(tmp_path, seed):
    walk(tmp_path, seed)
