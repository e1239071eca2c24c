"""Measurements of jobctl and its peers: ``python -m benchmarks``.

A module in here with a ``TITLE`` and a ``run(scale)`` that returns figures is a benchmark of the module's name, with
``-`` for ``_``. Its ``NOTES``, if any, go below its table in RESULTS.md: how it is measured, why a target is missed.
"""
