"""The options of a daemon: what a request says, and what the settings say where the request says nothing."""

from __future__ import annotations

import os
from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from jobctl.config import Home, cpu_count
from jobctl.errors import UsageError

if TYPE_CHECKING:
    from jobctl.process.daemon import StartOptions
    from jobctl.services.settings.settings import Settings

_NO_OPTIONS: Mapping[str, Any] = MappingProxyType({})


class Wanted(NamedTuple):
    """What a request says about a daemon. The settings decide the rest."""

    slots: int | None = None
    cluster: Mapping[str, Any] = _NO_OPTIONS  # options of ``cluster_words`` by name
    forget_cluster: bool = False
    drain: bool = False  # end when nothing is left to do


def daemon_slots(given: int | None, settings: Settings, *, on_cluster: bool = False) -> int:
    """The slots of a daemon: as given, else as set, else one for each CPU. Raises UsageError.

    On a cluster, 0 means all slots of its workers.
    """
    if given is None:
        found: int | None = settings.value("daemon", "slots")
        return found or (0 if on_cluster else cpu_count())
    from jobctl.domain.policy import checked_count

    try:
        return checked_count(given)
    except UsageError as error:
        raise UsageError(f"--slots: {error.message}", hint=error.hint) from None


def planned_slots(settings: Settings) -> int:
    """The slots of a daemon that the settings alone describe; 0 = all slots of the workers of a cluster.

    Raises UsageError.
    """
    return daemon_slots(None, settings, on_cluster=bool(cluster_words({}, settings)))


def start_options(home: Home, wanted: Wanted, settings: Settings) -> StartOptions:
    """What a daemon is started with. Raises UsageError."""
    from jobctl.process.daemon import StartOptions

    cluster = cluster_words(wanted.cluster, settings)
    slots = daemon_slots(wanted.slots, settings, on_cluster=bool(cluster))
    options = StartOptions(home, slots, drain=wanted.drain, cluster=cluster, forget_cluster=wanted.forget_cluster)
    return as_set(options, settings)


def as_set(options: StartOptions, settings: Settings) -> StartOptions:
    """The same with what the settings say about supervisors and devices. Raises UsageError."""
    from dataclasses import replace

    spawners: int = settings.value("daemon", "spawners") or 1
    devices: str | None = settings.value("daemon", "gpus")
    return replace(options, spawners=min(spawners, max(options.slots, 1)), devices=devices)


_WHERE = ("scheduler", "scheduler_file", "cluster")
_FILES = ("scheduler_file", "tls_ca", "tls_cert", "tls_key")


def cluster_words(given: Mapping[str, Any], settings: Settings) -> tuple[str, ...]:
    """The cluster that options or settings name, as words for an engine; none means this machine.

    ``given`` has the options by name, without those that were left out. Raises UsageError, also where the extra
    ``dask`` is not installed.
    """
    options = dict(given)
    executor = options.pop("executor", None)
    if executor is None and not options:
        options = _set(settings)
        executor = options.pop("executor", None)
    elif executor == "dask" and not any(options.get(name) for name in _WHERE):
        options = _set(settings) | options
        options.pop("executor", None)
    if executor == "local" or not (executor or options):
        return ()
    if executor not in (None, "dask"):
        raise UsageError(f"--executor {executor!r} is not known", hint="use local or dask")
    return _words(options)


def _set(settings: Settings) -> dict[str, Any]:
    names = ["executor", *_WHERE, "workers", *_FILES[1:], "insecure"]
    found = {name: settings.value("daemon", name.replace("_", "-")) for name in names}
    return {name: value for name, value in found.items() if value}


def _words(options: dict[str, Any]) -> tuple[str, ...]:
    from importlib.util import find_spec

    if find_spec("distributed") is None:
        raise UsageError("dask.distributed is not installed here", hint="pip install 'jobctl[dask]'")
    from jobctl.executors.cluster.options import ClusterOptions

    for name in _FILES:
        if options.get(name):
            options[name] = os.path.abspath(os.path.expanduser(options[name]))
    checked = ClusterOptions(**options)
    checked.check()
    return tuple(checked.words())
