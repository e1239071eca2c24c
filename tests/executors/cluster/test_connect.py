"""The rules for joining a cluster: the same versions everywhere, and TLS between machines."""

from __future__ import annotations

import datetime
import ipaddress
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from distributed import Client

from jobctl.executors.cluster import versions
from jobctl.executors.cluster.executor import ClusterExecutor
from jobctl.executors.cluster.options import ClusterError, ClusterOptions, is_loopback
from tests.e2e.conftest import Cli, cli  # noqa: F401 - a fixture
from tests.executors.cluster.rig import Cluster, end
from tests.supervisor.harness import SupervisorUnderTest
from tests.wait import wait_until


def test_other_versions_are_refused_with_the_list(
    cluster: Cluster, supervisor: SupervisorUnderTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Client(scheduler_file=str(cluster.file), set_as_default=False) as observer:
        observer.wait_for_workers(2, timeout=60)
    theirs = versions.versions()
    monkeypatch.setattr(versions, "versions", lambda: theirs | {"jobctl": "9.9.9"})
    parent = supervisor.start()
    parent.up = False  # as that of the first engine is
    executor = ClusterExecutor(parent, ClusterOptions(scheduler_file=str(cluster.file)), "other")
    with pytest.raises(ClusterError) as refused:
        executor.adopt()
    executor._link.close()
    said = refused.value.message
    assert "jobctl 9.9.9" in said
    assert f"the scheduler has jobctl {theirs['jobctl']}" in said
    assert said.count("tcp://127.0.0.1:") == 2, "both workers are named"
    assert "distributed" in said


def test_an_engine_that_succeeds_another_waits_for_the_scheduler_and_says_so(
    cluster: Cluster, supervisor: SupervisorUnderTest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("jobctl.executors.cluster.executor._CONNECT_S", 0.2)
    monkeypatch.setattr("jobctl.executors.cluster.executor._SAY_AGAIN_S", 0.1)
    later, parent, said = tmp_path / "later.json", supervisor.start(), []

    def waits(reason: str) -> None:
        said.append(reason)
        if len(said) == 10:
            later.write_bytes(cluster.file.read_bytes())

    first = ClusterExecutor(parent, ClusterOptions(scheduler_file=str(later)), "store", waits)
    parent.up = False
    with pytest.raises(ClusterError, match="later"):
        first.connect()
    first._link.close()
    parent.up = True
    second = ClusterExecutor(parent, ClusterOptions(scheduler_file=str(later)), "store", waits)
    second.connect()
    assert second.identity
    assert "later.json" in said[-1]
    second.close(0.0)


@pytest.mark.parametrize(
    ("address", "here"),
    [
        ("tcp://127.0.0.1:8786", True),
        ("tls://localhost:1", True),
        ("tcp://[::1]:8786", True),
        ("tcp://10.0.0.7:8786", False),
        ("tcp://node1:8786", False),
        ("tcp://0.0.0.0:8786", False),
    ],
)
def test_the_addresses_of_this_machine_are_recognised(address: str, here: bool) -> None:
    assert is_loopback(address) == here
    options = ClusterOptions(scheduler=address)
    if here:
        options.require_safe(address)
    else:
        with pytest.raises(ClusterError):
            options.require_safe(address)
        ClusterOptions(scheduler=address, insecure=True).require_safe(address)
        ClusterOptions(scheduler=address, tls_ca="a", tls_cert="b", tls_key="c").require_safe(address)


@pytest.mark.slow
def test_a_batch_job_over_tls_and_no_client_without_a_certificate(cli: Cli, tmp_path: Path) -> None:  # noqa: F811
    pytest.importorskip("cryptography")
    files = certificate(tmp_path)
    tls = [f"--tls-{name}={path}" for name, path in files.items()]
    sched = tmp_path / "sched.json"
    dask = (sys.executable, "-m", "distributed.cli.dask_scheduler", "--no-dashboard", "--scheduler-file", str(sched))
    both = [
        *("--tls-ca-file", files["ca"], "--tls-cert", files["cert"], "--tls-key", files["key"]),
        *("--protocol", "tls", "--host", "127.0.0.1", "--port", "0"),
    ]
    scheduler = subprocess.Popen([*dask, *both], env={**os.environ, "TMPDIR": str(tmp_path)}, cwd=tmp_path)
    worker = None
    try:
        wait_until(sched.exists, 60, "the scheduler")
        worker = cli.start("worker", "--scheduler-file", sched, "--slots", 2, *tls)
        refused = cli("daemon", "start", "--scheduler-file", sched, check=1)
        assert "TLS" in refused.stderr or "tls" in refused.stderr
        cli("daemon", "start", "--scheduler-file", sched, *tls)
        cli.file("rows.txt", "1\n2\n3\n")
        job = cli.submit("rows.txt", "--", "true")
        cli("wait", job)
        cli("daemon", "stop")
    finally:
        for process in (worker, scheduler):
            if process is not None:
                end(process, signal.SIGKILL)


def certificate(folder: Path) -> dict[str, Path]:
    """One that signs itself and serves as all three."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "jobctl-test")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
        .sign(key, hashes.SHA256())
    )
    files = {name: folder / f"{name}.pem" for name in ("ca", "cert", "key")}
    pem = made.public_bytes(serialization.Encoding.PEM)
    files["ca"].write_bytes(pem)
    files["cert"].write_bytes(pem)
    no_password = serialization.NoEncryption()
    format_ = serialization.PrivateFormat.PKCS8
    files["key"].write_bytes(key.private_bytes(serialization.Encoding.PEM, format_, no_password))
    return files
