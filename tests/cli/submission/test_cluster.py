"""The place where items run: the meaning of options and settings, and mistakes that are refused before a start."""

from __future__ import annotations

import importlib.util

import pytest

from tests.stages import few


@pytest.fixture(autouse=True)
def _with_distributed():
    pytest.importorskip("distributed")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--executor", "ray"), "local or dask"),
        (("--executor", "dask"), "--scheduler-file"),
        (("--scheduler", "tcp://127.0.0.1:1", "--scheduler-file", "x.json"), "one of"),
        (("--scheduler", "tcp://127.0.0.1:1", "--tls-ca", "ca.pem"), "--tls-key"),
        (("--cluster", "slurm", "--workers", "many"), "--workers"),
        (("--scheduler", "node1"), "not the address"),
        (("--scheduler", "tcp://127.0.0.1:99999999"), "not the address"),
        (("--scheduler", "tcp://127.0.0.1:" + "9" * 5_000), "not the address"),
        (("--scheduler", "tcp://127.0.0.1:١٢"), "not the address"),
        (("--scheduler", "tcp://127.0.0.1:0"), "not the address"),
        (("--scheduler-file", "/dev/zero"), "not a regular file"),
        (("--scheduler", "tls://n:1", "--tls-ca=/absent", "--tls-cert=/b", "--tls-key=/c"), "--tls-ca: /absent"),
    ],
    ids=" ".join,
)
def test_an_impossible_cluster_is_refused(jobctl, home, words, said):
    done = jobctl("daemon", "start", *words)
    assert done.code == 2
    assert said in done.err
    assert not home.root.exists()


@pytest.mark.parametrize(
    ("words", "said"),
    few(
        [
            (("--cluster", "nomad"), "slurm, pbs"),
            (("--scheduler", "tcp://198.51.100.1:8786"), "--insecure"),
            (("--scheduler", "tls://node1:8786"), "--tls-ca"),
        ],
        [(("--scheduler", "tcp://198.51.100.1:8786"), "--insecure")],
        several=True,
    ),
    ids=" ".join,
)
def test_the_start_reports_the_refusal_of_the_engine(jobctl, words, said):
    done = jobctl("daemon", "start", *words)
    assert done.code == 1
    assert said in done.err
    assert "Traceback" not in done.err


def test_without_the_extra_the_message_names_the_package_to_install(jobctl, home, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    done = jobctl("daemon", "start", "--scheduler", "tcp://127.0.0.1:1")
    assert done.code == 2
    assert "pip install 'jobctl[dask]'" in done.err


def test_settings_say_it_too_and_the_command_line_wins(jobctl, monkeypatch):
    monkeypatch.setenv("JOBCTL_DAEMON_SCHEDULER", "tcp://198.51.100.1:8786")
    monkeypatch.setenv("JOBCTL_DAEMON_EXECUTOR", "dask")
    assert "198.51.100.1" in jobctl("daemon", "start").err
    assert jobctl("daemon", "start", "--executor", "local").code == 0
    assert jobctl("daemon", "stop").code == 0
