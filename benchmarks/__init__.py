"""Measurements of jobctl and its peers: ``python -m benchmarks``.

A module with a ``TITLE`` and a ``run(scale)`` that returns figures is a benchmark. Its name is that of the module, with
``-`` instead of ``_``. Its ``NOTES``, if any, are below its table in RESULTS.md. They say how the figures are measured
and why a target is missed.
"""
