"""The options of the daemon that comes after a restart."""

from __future__ import annotations

import pytest

from jobctl.config import cpu_count
from jobctl.process.running_options import RunningOptions
from jobctl.process.start_options import StartOptions
from jobctl.services.daemon.options import DaemonRequest
from jobctl.services.daemon.restart import _next_options
from jobctl.services.settings.settings import load_settings

_CLUSTER = ("cluster.scheduler=tcp://127.0.0.1:8786",)


@pytest.fixture
def next_options(home, tmp_path):
    """A function that returns the options after those of a running daemon; ``slots`` is the setting."""

    def call(running, given, wanted=None, slots=None):
        environ = {"XDG_CONFIG_HOME": str(tmp_path)} | ({} if slots is None else {"JOBCTL_DAEMON_SLOTS": str(slots)})
        found = RunningOptions(running, given, foreground=False)
        return _next_options(home, wanted or DaemonRequest(), load_settings(environ, str(tmp_path)), found)

    return call


def test_given_slots_stay_and_others_follow_the_settings(home, next_options):
    running = StartOptions(home, 7)
    assert (next_options(running, ("slots",), slots=3).slots, next_options(running, (), slots=3).slots) == (7, 3)
    assert next_options(running, ("slots",), DaemonRequest(slots=2), slots=3).slots == 2
    assert next_options(running, ()).slots == cpu_count()
    assert list(next_options(running, ("slots",)).given) == ["slots"], "the restart after it keeps them too"


def test_a_cluster_that_was_given_stays(home, next_options):
    running = StartOptions(home, 0, cluster=_CLUSTER)
    after = next_options(running, ("cluster",))
    assert (after.cluster, after.slots, list(after.given)) == (_CLUSTER, 0, ["cluster"])
    local = next_options(running, ("cluster",), DaemonRequest(cluster={"executor": "local"}))
    assert (local.cluster, local.slots, list(local.given)) == ((), cpu_count(), ["cluster"])
    assert next_options(running, ()).cluster == (), "the settings named it, and they do not any more"
