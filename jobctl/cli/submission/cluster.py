"""Options that say where items run: on this machine, or on the workers of a cluster."""

from __future__ import annotations

import os
from typing import Any

from typer import Context
from typer.core import TyperOption

from jobctl.cli.command import GLOBAL_PANEL, Command
from jobctl.errors import UsageError

PANEL = "Where items run"
_VALUES = "jobctl.cluster"
_FORGET = "forget_cluster"
_WHERE = ("scheduler", "scheduler_file", "cluster")
_FILES = ("scheduler_file", "tls_ca", "tls_cert", "tls_key")

#: (name, what it takes, help)
_OPTIONS = (
    ("--executor", "local|dask", "On this machine (default), or on the workers of a Dask cluster."),
    ("--scheduler", "ADDRESS", "The cluster's scheduler: tcp://127.0.0.1:8786, tls://node1:8786."),
    ("--scheduler-file", "FILE", "The same from the file that dask scheduler --scheduler-file writes."),
    (
        "--cluster",
        "slurm|pbs|lsf|sge|htcondor|oar|moab",
        "Start a scheduler here and its workers as batch jobs, by dask-jobqueue.",
    ),
    ("--workers", "N", "With --cluster: so many batch jobs; default: 1."),
    ("--tls-ca", "FILE", "Certificate authority of the cluster; needed off this machine."),
    ("--tls-cert", "FILE", "Our certificate."),
    ("--tls-key", "FILE", "Our private key."),
    ("--insecure", "", "Do without TLS on a network where nobody else is."),
    ("--forget-cluster", "", "A cluster is gone for good: what it may still run is taken for interrupted."),
)


def cluster_options(leave_out: tuple[str, ...] = ()) -> list[TyperOption]:
    """The options; their values are kept for ``cluster_words``."""
    return [_option(*option) for option in _OPTIONS if option[0] not in leave_out]


def _option(name: str, metavar: str, text: str) -> TyperOption:
    return TyperOption(
        param_decls=[name],
        is_flag=not metavar,
        default=None if metavar else False,
        type=(int if name == "--workers" else str) if metavar else None,
        metavar=metavar or None,
        help=text,
        callback=_keep,
        expose_value=False,
        rich_help_panel=PANEL,
    )


def _keep(ctx: Any, param: Any, value: Any) -> Any:
    ctx.meta.setdefault(_VALUES, {})[param.name] = value
    return value


class ClusterCommand(Command):
    """A command that starts an engine."""

    without: tuple[str, ...] = ()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        own = len(self.params)
        while own and self.params[own - 1].rich_help_panel == GLOBAL_PANEL:  # type: ignore[attr-defined]
            own -= 1
        self.params = [*self.params[:own], *cluster_options(self.without), *self.params[own:]]


class WorkerCommand(ClusterCommand):
    """A command that joins a cluster."""

    without = ("--executor", "--cluster", "--workers", "--forget-cluster")


def forgets_cluster(ctx: Context) -> bool:
    """Whether what may still run on another cluster is not to be waited for."""
    return bool(ctx.meta[_VALUES].get(_FORGET))


def cluster_words(ctx: Context) -> tuple[str, ...]:
    """The cluster that a command line or the settings name, as words for an engine; none = this machine.

    Raises UsageError, also where the extra ``dask`` is not installed.
    """
    return _chosen({name: value for name, value in ctx.meta[_VALUES].items() if value and name != _FORGET})


def set_cluster_words() -> tuple[str, ...]:
    """The cluster of the settings alone, for a command that starts a daemon beside its own work. Raises UsageError."""
    return _chosen({})


def _chosen(given: dict[str, Any]) -> tuple[str, ...]:
    executor = given.pop("executor", None)
    if executor is None and not given:
        given = _settings()
        executor = given.pop("executor", None)
    elif executor == "dask" and not any(given.get(name) for name in _WHERE):
        given = _settings() | given
        given.pop("executor", None)
    if executor == "local" or not (executor or given):
        return ()
    if executor not in (None, "dask"):
        raise UsageError(f"--executor {executor!r} is not known", hint="use local or dask")
    return _words(given)


def _settings() -> dict[str, Any]:
    from jobctl.services.settings.settings import load_settings

    names = ["executor", *_WHERE, "workers", *_FILES[1:], "insecure"]
    settings = load_settings(os.environ, os.getcwd())
    found = {name: settings.value("daemon", name.replace("_", "-")) for name in names}
    return {name: value for name, value in found.items() if value}


def _words(given: dict[str, Any]) -> tuple[str, ...]:
    from importlib.util import find_spec

    if find_spec("distributed") is None:
        raise UsageError("dask.distributed is not installed here", hint="pip install 'jobctl[dask]'")
    from jobctl.executors.cluster.options import ClusterOptions

    for name in _FILES:
        if given.get(name):
            given[name] = os.path.abspath(os.path.expanduser(given[name]))
    options = ClusterOptions(**given)
    options.check()
    return tuple(options.words())
