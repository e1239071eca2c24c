"""Attempts of items: claimed, settled, recovered after a crash."""
