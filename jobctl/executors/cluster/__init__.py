"""Attempts on the workers of a dask.distributed cluster, behind the executor port."""
