"""``--cluster slurm``: a scheduler in the engine's process, with workers that dask-jobqueue starts as batch jobs.

A worker's request to the batch system (cores, memory, time, account...) is configured where dask-jobqueue looks for it:
in ``~/.config/dask/jobqueue.yaml``, or in variables such as ``DASK_JOBQUEUE__SLURM__CORES`` of the daemon.
"""

from __future__ import annotations

import os
import signal
import threading
import warnings
from typing import Any

from jobctl.executors.cluster.options import ClusterError, ClusterOptions

_CLASSES = {
    "slurm": "SLURMCluster",
    "pbs": "PBSCluster",
    "lsf": "LSFCluster",
    "sge": "SGECluster",
    "htcondor": "HTCondorCluster",
    "oar": "OARCluster",
    "moab": "MoabCluster",
}
_SCHEDULER = {"distributed.scheduler.allowed-failures": 0, "distributed.scheduler.worker-ttl": "60s"}


async def start_cluster(options: ClusterOptions, security: Any) -> Any:
    """Start the scheduler and request the workers; returns dask-jobqueue's cluster. Raises ClusterError.

    Without certificates of the user and without ``--insecure``, certificates are made that last as long as the cluster.
    """
    certificates = security or (None if options.insecure else True)
    try:
        cluster = class_of(options.cluster)(
            asynchronous=True,
            nanny=False,
            processes=1,  # items are processes of their own, so one worker uses all cores of its batch job
            security=certificates,
            shared_temp_directory=os.path.expanduser("~") if certificates is True else None,
            scheduler_options={"dashboard": False, "dashboard_address": None},
            silence_logs="warning",
        )
        await cluster
        cluster.scale(jobs=options.workers or 1)
    except (ValueError, ImportError, OSError, RuntimeError) as problem:
        first, _, more = str(problem).partition("\n")
        raise ClusterError(
            f"no workers by {options.cluster}: {first}",
            hint=more.strip() or f"see jobqueue.{options.cluster} in ~/.config/dask/jobqueue.yaml",
        ) from problem
    return cluster


def class_of(name: str) -> Any:
    """The class of dask-jobqueue for a batch system. The first call must be in the main thread. Raises ClusterError."""
    if name not in _CLASSES:
        raise ClusterError(f"--cluster {name!r} is not known", hint=f"it is one of {', '.join(_CLASSES)}")
    import dask

    dask.config.set(_SCHEDULER)
    ours = signal.getsignal(signal.SIGINT)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # warnings of dask-jobqueue about versions do not help a user
            import dask_jobqueue
    except ImportError as problem:
        raise ClusterError("dask-jobqueue is not installed here", hint="pip install 'jobctl[jobqueue]'") from problem
    finally:
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGINT, ours)  # the import sets a handler of its own
    return getattr(dask_jobqueue, _CLASSES[name])
