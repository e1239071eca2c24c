"""A few random walks; ``python -m tests.engine.walk`` makes more."""

import pytest

from tests.engine.walk import walk
from tests.stages import few


@pytest.mark.parametrize("seed", few([16, 45, 81, 89, 91], [16, 81]))
def test_whatever_happens_in_any_order_the_promises_hold(tmp_path, seed):
    walk(tmp_path, seed)
