"""D1 to D3: a job on a Dask cluster whose parts are killed, frozen and replaced."""

from __future__ import annotations

import contextlib
import random
import signal
import subprocess
from collections.abc import Callable
from dataclasses import replace
from importlib.util import find_spec

from jobctl.errors import JobctlError
from jobctl.process.daemon import start_detached
from jobctl.process.start_options import StartOptions
from jobctl.store.opening.open import open_database
from tests.executors.cluster.rig import Cluster, end
from tests.faults import proc
from tests.faults.campaign import Trial, fault, measure
from tests.faults.check import violations
from tests.faults.rig import PATIENCE_S, Rig, Skip, kill, pause
from tests.wait import wait_until

#: What every item and every worker of a trial carries, wherever it runs.
_PLACE = "CAMPAIGN_PLACE"
#: The scheduler gives up a worker that is silent for so long; what runs there ends after half of it.
_TTL = "4s"
_WORKERS = 3
_SLOTS = 2


class ClusterRig(Rig):
    """A rig whose items run on workers of a cluster of its own."""

    def __init__(self, rng: random.Random, number: int) -> None:
        super().__init__(rng, number)
        self.env[_PLACE] = str(self.place)
        folder = self.place / "cluster"
        folder.mkdir()
        self.cluster = Cluster(folder, DASK_DISTRIBUTED__SCHEDULER__WORKER_TTL=_TTL)
        self.cluster.start_scheduler()
        self.workers: list[subprocess.Popen[str]] = []
        for _ in range(_WORKERS):
            self.join()

    def join(self) -> None:
        """Another worker comes."""
        words = ("worker", "--scheduler-file", self.cluster.file, "--slots", _SLOTS, "--spool", self.cluster.root)
        self.workers.append(self.begin(*words))

    def leave(self, worker: subprocess.Popen[str], number: int = signal.SIGKILL) -> None:
        """A worker goes, by this signal."""
        self.workers.remove(worker)
        worker.send_signal(number)
        worker.send_signal(signal.SIGCONT)
        worker.wait(PATIENCE_S)
        assert worker.stderr is not None
        worker.stderr.close()

    def start(self, *, engine: tuple[str, ...] = (), slots: int = 0) -> int:
        """Start a daemon on the cluster."""
        open_database(self.home, create=True).close()
        options = StartOptions(self.home, slots, cluster=(f"cluster.scheduler_file={self.cluster.file}",))
        return start_detached(replace(options, engine=engine))

    def leftovers(self) -> list[int]:
        """Living processes of items, which are not our children: they carry the place and the number of an item."""
        ours = [pid for pid in proc.all_pids() if proc.variable(pid, _PLACE) == str(self.place)]
        items = [pid for pid in ours if proc.variable(pid, "JOBCTL_JOB") is not None]
        return [pid for pid in items if not proc.is_dead(pid)]

    def close(self, *, keep: bool = False) -> None:
        """End the cluster, too."""
        for worker in list(self.workers):
            self.leave(worker)
        self.cluster.close()
        super().close(keep=keep)


def on_a_cluster(hurt: Callable[[ClusterRig], None]) -> Trial:
    """A trial on a fresh store and a fresh cluster, at which the checker looks afterwards."""

    def trial(rng: random.Random, number: int) -> list[str]:
        if find_spec("distributed") is None:
            raise Skip("no dask.distributed here")
        rig = ClusterRig(rng, number)
        try:
            _begin(rig)
            hurt(rig)
            rig.wait_done()
            return violations(rig)
        finally:
            rig.close()

    return trial


def _begin(rig: ClusterRig) -> None:
    options = ("--env", f"{_PLACE}={rig.place}")
    rig.start_again()
    rig.submit(150, *options)
    if rig.rng.random() < 0.5:
        rig.submit(40, *options, "--on-crash", "fail")
    if rig.rng.random() < 0.5:
        rig.submit_calls(500)


def _some(rig: ClusterRig) -> subprocess.Popen[str]:
    return rig.rng.choice(rig.workers)


def _killed(rig: ClusterRig) -> None:
    rig.leave(_some(rig))
    rig.join()


def _told_to_stop(rig: ClusterRig) -> None:
    rig.leave(_some(rig), signal.SIGTERM)
    rig.join()


def _frozen(rig: ClusterRig) -> None:
    """For a moment, or until it was given up."""
    worker = _some(rig)
    worker.send_signal(signal.SIGSTOP)
    pause(rig.rng, 8.0)
    worker.send_signal(signal.SIGCONT)


def _without_guard(rig: ClusterRig) -> None:
    guards = proc.children(_some(rig).pid)
    if guards:
        kill(rig.rng.choice(guards))


def _joined(rig: ClusterRig) -> None:
    if len(rig.workers) < 2 * _WORKERS:
        rig.join()


_WORKER_BLOWS = (_killed, _killed, _told_to_stop, _frozen, _without_guard, _joined)


@fault("D1", "workers of a cluster killed, frozen, stopped, without their guard, joining", full=60, sample=1)
@on_a_cluster
def worker_churn(rig: ClusterRig) -> None:
    """Items that had begun are interrupted, others lose no attempt, and no process is left."""
    for _ in range(rig.rng.randint(2, 6)):
        pause(rig.rng, 2.0)
        rig.rng.choice(_WORKER_BLOWS)(rig)
        measure("faults", 1)


@fault("D2", "engine or daemon of a job on a cluster killed, workers too", full=40, sample=1)
@on_a_cluster
def daemon_churn(rig: ClusterRig) -> None:
    """The next one finds what runs and what ended meanwhile, and records it once."""
    for _ in range(rig.rng.randint(1, 4)):
        pause(rig.rng, 1.5)
        for pid in rig.rng.choice(((rig.engine(),), (rig.supervisor(), rig.engine()))):
            kill(pid)
        measure("faults", 1)
        if rig.rng.random() < 0.4:
            rig.rng.choice(_WORKER_BLOWS)(rig)
        with contextlib.suppress(JobctlError):
            rig.start_again()


@fault("D3", "scheduler of a cluster killed and started again elsewhere", full=20, sample=1)
@on_a_cluster
def scheduler_churn(rig: ClusterRig) -> None:
    """Running items are interrupted; daemon and workers find the next scheduler by themselves."""
    for _ in range(rig.rng.randint(1, 2)):
        pause(rig.rng, 2.0)
        assert rig.cluster.scheduler is not None
        end(rig.cluster.scheduler, signal.SIGKILL)
        measure("faults", 1)
        pause(rig.rng, 2.0)
        rig.cluster.start_scheduler()
        wait_until(lambda: rig.is_done() or _slots(rig) > 0, PATIENCE_S, "workers to be back")


def _slots(rig: ClusterRig) -> int:
    return int(rig.rows("SELECT slots FROM daemon")[0][0])
