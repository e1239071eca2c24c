"""``--cluster slurm`` with Debian's slurm-wlm and munge on loopback. Needs root."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.conftest import Cli, cli  # noqa: F401 - a fixture
from tests.executors.cluster.rig import end
from tests.wait import wait_until

NEEDED = ("munged", "slurmctld", "slurmd", "sbatch")
CONF = """
ClusterName=loopback
SlurmctldHost={host}(127.0.0.1)
CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
AuthType=auth/munge
AuthInfo=socket={root}/munge.socket
CredType=cred/munge
SlurmUser=root
SlurmdUser=root
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
SwitchType=switch/none
ReturnToService=2
SlurmctldPort={ctld}
StateSaveLocation={root}/state
SlurmdSpoolDir={root}/spool-%n
SlurmctldPidFile={root}/ctld.pid
SlurmdPidFile={root}/slurmd-%n.pid
SlurmctldLogFile={root}/ctld.log
SlurmdLogFile={root}/slurmd-%n.log
SlurmdParameters=config_overrides
SelectType=select/cons_tres
SchedulerParameters=sched_interval=1
NodeName=n1 NodeAddr=127.0.0.1 NodeHostname={host} Port={slurmd} CPUs=4 RealMemory=1000
PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP
"""


@pytest.fixture
def slurm(tmp_path: Path) -> Iterator[dict[str, str]]:
    """A Slurm of one node; the environment that its commands need."""
    missing = [name for name in NEEDED if shutil.which(name, path="/usr/sbin:/usr/bin:/sbin:/bin") is None]
    if missing or os.getuid() != 0:
        pytest.skip(f"needs root and {', '.join(missing) or 'nothing else'}: apt-get install slurm-wlm munge")
    pytest.importorskip("dask_jobqueue")
    root = tmp_path / "slurm"
    for folder in (root, root / "state", root / "spool-n1"):
        folder.mkdir(mode=0o755)
    os.chmod(tmp_path, 0o755)
    conf = root / "slurm.conf"
    conf.write_text(CONF.format(root=root, host=socket.gethostname().split(".")[0], ctld=port(), slurmd=port()))
    key = root / "munge.key"
    key.write_bytes(os.urandom(1024))
    key.chmod(0o400)
    env = {"SLURM_CONF": str(conf), "PATH": f"/usr/sbin:/sbin:{os.environ['PATH']}"}
    daemons = [
        (
            *("munged", "-F", "-f", f"--key-file={key}", f"--socket={root}/munge.socket"),
            *(f"--{name}-file={root}/munge.{name}" for name in ("pid", "log", "seed")),
        ),
        ("slurmctld", "-D", "-f", str(conf)),
        ("slurmd", "-D", "-f", str(conf), "-N", "n1"),
    ]
    with contextlib.ExitStack() as stack:
        for argv in daemons:
            process = subprocess.Popen(argv, env={**os.environ, **env}, stdin=subprocess.DEVNULL)
            stack.callback(end, process)
            if argv[0] == "munged":
                wait_until((root / "munge.socket").exists, 60, "munge")
        wait_until(lambda: "idle" in said(env, "sinfo", "-h", "-o", "%T"), 60, "an idle node")
        yield env


def port() -> int:
    """One that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        found: int = probe.getsockname()[1]
    return found


def said(env: dict[str, str], *argv: str) -> str:
    return subprocess.run(argv, env={**os.environ, **env}, capture_output=True, text=True).stdout


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_batch_through_slurm(cli: Cli, slurm: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    cli.env |= slurm | {
        "DASK_JOBQUEUE__SLURM__CORES": "2",
        "DASK_JOBQUEUE__SLURM__MEMORY": "400MB",
        "DASK_JOBQUEUE__SLURM__INTERFACE": "lo",
        "DASK_JOBQUEUE__SLURM__LOG_DIRECTORY": str(cli.work),
    }
    cli.file("rows.txt", "".join(f"{n}\n" for n in range(40)))
    cli("daemon", "start", "--cluster", "slurm", "--workers", 2)
    job = cli.submit("rows.txt", "--", "sh", "-c", "echo $SLURM_JOB_ID {}".replace("{}", "$JOBCTL_ITEM"))
    wait_until(lambda: cli.document(job)["done"], 120, "the job")
    assert cli.status(job)["counts"]["succeeded"] == 40
    assert "of 4" in cli("daemon", "status").stdout or "of 2" in cli("daemon", "status").stdout
    assert said(slurm, "squeue", "-h").count("\n") >= 1, "its workers are batch jobs"
    cli("daemon", "stop")
    wait_until(lambda: said(slurm, "squeue", "-h") == "", 60, "the end of the batch jobs")
