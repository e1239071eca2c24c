"""Options that say where items run: on this machine, or on the workers of a cluster."""

from __future__ import annotations

import os
from typing import Any

from typer import Context
from typer.core import TyperOption

from jobctl.cli.command import Command
from jobctl.cli.kept_options import KeptOption, declared
from jobctl.cli.session import GLOBAL_PANEL
from jobctl.domain.cluster_options import CLUSTER_OPTIONS

PANEL = "Where items run"
_VALUES = "jobctl.cluster"
_FORGET = "forget_cluster"


def cluster_options(leave_out: tuple[str, ...] = ()) -> list[TyperOption]:
    """Return the options of a cluster; the context keeps their values for ``cluster_words``."""
    return [
        declared(KeptOption((name,), metavar, text, number=name == "--workers", is_main=False), _VALUES, PANEL)
        for name, metavar, text in CLUSTER_OPTIONS
        if name not in leave_out
    ]


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
    """Return whether items that may still run on another cluster count as interrupted."""
    return bool(ctx.meta[_VALUES].get(_FORGET))


def cluster_given(ctx: Context) -> dict[str, Any]:
    """The cluster options of a command line, by name."""
    return {name: value for name, value in ctx.meta[_VALUES].items() if value and name != _FORGET}


def cluster_words(ctx: Context) -> tuple[str, ...]:
    """The cluster that a command line or the settings name, as words for an engine; () = this machine.

    Raises UsageError, also where the extra ``dask`` is not installed.
    """
    from jobctl.services.daemon.options import cluster_words
    from jobctl.services.settings.settings import load_settings

    return cluster_words(cluster_given(ctx), load_settings(os.environ, os.getcwd()))
