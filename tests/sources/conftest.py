import pytest

from tests.sources.reading import Reader


@pytest.fixture
def read(tmp_path):
    return Reader(tmp_path)
