"""The options with which a daemon starts, those of a request completed by the settings, and the check before it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from jobctl.config import Home, cpu_count
from jobctl.errors import NotFound, UsageError

if TYPE_CHECKING:
    from jobctl.process.start_options import StartOptions
    from jobctl.services.settings.settings import Settings

_NO_OPTIONS: Mapping[str, Any] = MappingProxyType({})


class DaemonRequest(NamedTuple):
    """The options of a daemon that a command line gives. The settings decide the others."""

    slots: int | None = None
    cluster: Mapping[str, Any] = _NO_OPTIONS  # options of ``cluster_words`` by name
    forget_cluster: bool = False
    drain: bool = False  # end when no work is left


def daemon_slots(given: int | None, settings: Settings, *, on_cluster: bool = False) -> int:
    """Return the slots of a daemon: the given number, else the setting, else one for each CPU. Raises UsageError.

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
    """Return the slots of a daemon that starts without options; 0 = all slots of the workers of a cluster.

    Raises UsageError.
    """
    return daemon_slots(None, settings, on_cluster=bool(cluster_words({}, settings)))


def start_options(home: Home, wanted: DaemonRequest, settings: Settings) -> StartOptions:
    """Return the options with which a daemon starts. Raises UsageError."""
    from jobctl.process.start_options import StartOptions

    cluster = cluster_words(wanted.cluster, settings)
    slots = daemon_slots(wanted.slots, settings, on_cluster=bool(cluster))
    given = [name for name in ("slots", "cluster") if getattr(wanted, name)]
    options = StartOptions(
        home, slots, drain=wanted.drain, cluster=cluster, forget_cluster=wanted.forget_cluster, given=given
    )
    return as_set(options, settings)


def as_set(options: StartOptions, settings: Settings) -> StartOptions:
    """Return the options with the settings about supervisors and devices. Raises UsageError."""
    from dataclasses import replace

    spawners: int = settings.value("daemon", "spawners") or 1
    devices: str | None = settings.value("daemon", "gpus")
    return replace(options, spawners=min(spawners, max(options.slots, 1)), devices=devices)


_WHERE = ("scheduler", "scheduler_file", "cluster")
_FILES = ("scheduler_file", "tls_ca", "tls_cert", "tls_key")


def cluster_words(given: Mapping[str, Any], settings: Settings) -> tuple[str, ...]:
    """Return the cluster that options or settings name, as words for an engine; no words mean this machine.

    ``given`` has the options of the command line by name, without those that were not given. Raises UsageError, also
    where the extra ``dask`` is not installed.
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


def refuse_elsewhere(options: StartOptions) -> None:
    """Raises Elsewhere if a cluster may still run attempts of a daemon that was killed.

    The engine checks this again, in the transaction in which it takes over. An engine on a cluster can ask the cluster,
    so for such an engine nothing is checked here.
    """
    from jobctl.process.daemon_handle import lock_holder
    from jobctl.store import elsewhere
    from jobctl.store.opening.open import open_database

    home = options.home
    if options.cluster or options.forget_cluster or lock_holder(home.lock) is not None:
        return
    try:
        database = open_database(home)
    except NotFound:  # no file, or an empty one: a process is creating the store, or was killed while it did
        return
    try:
        elsewhere.check(database)
    finally:
        database.close()
