"""jobctl: runs a command once for each row of a file, in the background."""

__version__ = "0.1.0"


def __getattr__(name: str) -> object:
    """``current``, ``Permanent`` and ``Retry``, for functions under ``--call``; loaded on first use."""
    if name in ("current", "Permanent", "Retry"):
        from jobctl import callable_api

        return getattr(callable_api, name)
    raise AttributeError(f"module 'jobctl' has no attribute {name!r}")
