"""The versions that must be equal on all machines of a cluster."""

from __future__ import annotations

import importlib.metadata
import platform
from typing import Any

import distributed

import jobctl
from jobctl.executors.cluster.options import ClusterError


def versions() -> dict[str, str]:
    """The versions that must be equal on all machines of a cluster."""
    return {
        "jobctl": jobctl.__version__,
        "distributed": distributed.__version__,
        "python": ".".join(platform.python_version_tuple()[:2]),
    }


async def check_versions(client: Any) -> None:
    """Scheduler and workers must have the versions of this machine. Raises ClusterError with those that differ.

    It calls only functions of the standard library, because jobctl may be missing on the other machines.
    """
    ours = versions()
    wrong: dict[str, list[str]] = {}
    for name in ("jobctl", "distributed"):
        call = (importlib.metadata.version, name)
        found = {"the scheduler": await _try_on_scheduler(client, *call), **await client.run(*call, on_error="return")}
        for who, version in found.items():
            if version != ours[name] and isinstance(version, str | importlib.metadata.PackageNotFoundError):
                wrong.setdefault(who, []).append(f"{name} {version}" if isinstance(version, str) else f"no {name}")
    if wrong:
        listed = "; ".join(f"{who} has {', '.join(what)}" for who, what in wrong.items())
        raise ClusterError(
            f"the cluster does not have the versions of this machine ({_shown(ours)}): {listed}",
            hint="install the same versions everywhere: pip install 'jobctl[dask]'",
        )


async def _try_on_scheduler(client: Any, *call: Any) -> Any:
    try:
        return await client.run_on_scheduler(*call)
    except importlib.metadata.PackageNotFoundError as problem:
        return problem


def _shown(found: dict[str, str]) -> str:
    return ", ".join(f"{name} {version}" for name, version in found.items())
