"""jobctl: runs a command once for each row of a file, in the background.

``jobctl.Store`` is the store of jobs for programs. ``jobctl.current``, ``Permanent`` and ``Retry`` are for functions
that jobctl calls. The exceptions are the errors of the library and of the commands. ``import jobctl`` itself imports
nothing: each name is loaded on first use.
"""

__version__ = "0.1.0"

#: The public names, and the module of each. ``__init__.pyi`` has their types.
_NAMES = {
    **dict.fromkeys(("current", "Permanent", "Retry"), "jobctl.callable_api"),
    **dict.fromkeys(
        (
            *("Busy", "Exit", "HomeError", "InputRejected", "JobctlError", "KeyConflict", "NoRoom", "NotFound"),
            *("JobChanged", "WrongState", "OlderDaemon", "StoreError", "UnknownColumn", "UsageError", "WaitTimeout"),
        ),
        "jobctl.errors",
    ),
    "AsyncJob": "jobctl.library.asynchronous",
    "AsyncStore": "jobctl.library.asynchronous",
    "Job": "jobctl.library.job",
    "RowsRejected": "jobctl.sources.problems",
    "ResultFile": "jobctl.library.result_file",
    "Store": "jobctl.library.store",
}


def __getattr__(name: str) -> object:
    """Load a public name on first use."""
    if name not in _NAMES:
        raise AttributeError(f"module 'jobctl' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_NAMES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_NAMES})
