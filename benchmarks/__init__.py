"""Measurements of jobctl beside its peers; run with ``python -m benchmarks``."""
