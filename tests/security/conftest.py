"""The installed command in a store of its own."""

from tests.e2e.conftest import cli as cli
