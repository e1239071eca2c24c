"""Items change user, limits, session, environment or parent: none overlaps its next attempt or outlives its end."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
from pathlib import Path

import pytest

from jobctl.process.daemon_handle import lock_holder
from tests.stages import few
from tests.wait import wait_until

#: DIR ITEM ATTEMPT: says that it is there; the second attempt of an item looks whether another one still is.
PAYLOAD = """
if [ "$3" -gt 1 ]; then
  for other in "$1"/is."$2".*; do
    read pid < "$other"
    case $(tr '\\0' ' ' 2>/dev/null < /proc/$pid/cmdline) in "sleep 300 ") echo "$2: $other" >> "$1/overlap" ;; esac
  done
  exit 0
fi
echo $$ > "$1/.is.$2.$3"
mv "$1/.is.$2.$3" "$1/is.$2.$3"
exec sleep 300
"""
DROP = "prlimit --pid $$ --locks=unlimited; "
BARE = "env -i PATH=$PATH "
STAY = "[ $JOBCTL_ATTEMPT -gt 1 ] || sleep 300"
AWAY = f"</dev/null >/dev/null 2>&1 &); {STAY}"
#: What an item's shell does with the payload $P. Those that need root come last.
WAYS = {
    "plain": "$P",
    "limits": DROP + "exec $P",
    "limits of bash": 'exec bash -c "ulimit -x unlimited; exec $P"',
    "environment": f"exec {BARE} $P",
    "session": "setsid -w $P",
    "limits, environment": DROP + BARE + "$P",
    "limits, environment, session": f"{DROP} {BARE} setsid -w $P",
    "limits, environment, session, parent": f"{DROP} ({BARE} setsid $P &); {STAY}",
    "limits, session, parent, files": f"{DROP} (setsid $P {AWAY}",
    "environment, session, parent, files": f"({BARE} setsid $P {AWAY}",
    "limits, environment, parent, files": f"{DROP} ({BARE} $P {AWAY}",
}
AS_ROOT = {
    "su": 'su nobody -s /bin/sh -c "$P"',
    "su in a session": 'setsid -w su nobody -s /bin/sh -c "$P"',
    "su -l": 'su -l nobody -s /bin/sh -c "$P"',
    "su, parent": f'(su nobody -s /bin/sh -c "$P" &); {STAY}',
    "su, session, parent": f'(setsid su nobody -s /bin/sh -c "$P" &); {STAY}',
    "su, environment, session, parent": f'({BARE} setsid su nobody -s /bin/sh -c "$P" &); {STAY}',
    "runuser": "runuser -u nobody -- $P",
    "setpriv": DROP + "exec setpriv --reuid=65534 --clear-groups $P",
    "setpriv, environment, session": f"{DROP} setpriv --reuid=65534 --clear-groups {BARE} setsid -w $P",
}
#: Nothing but a control group, or that there is one item alone, knows these again.
EVERYTHING = {"everything": f"{DROP} ({BARE} setsid $P {AWAY}"}


@pytest.fixture
def place():
    made = Path(tempfile.mkdtemp(dir="/tmp", prefix="jobctl-ways-"))
    made.chmod(0o777)
    (made / "payload.sh").write_text(PAYLOAD)
    (made / "payload.sh").chmod(0o755)
    yield made
    for path in made.glob("is.*"):
        pid = int(path.read_text())
        if is_payload(pid):
            os.kill(pid, signal.SIGKILL)
    shutil.rmtree(made)


def ways(place, *more):
    found = dict(WAYS)
    for name in ("prlimit", "setsid", "bash"):
        if shutil.which(name) is None:
            pytest.skip(f"{name} is not installed")
    if os.geteuid() == 0 and shutil.which("su") and shutil.which("setpriv"):
        found |= AS_ROOT
    for each in more:
        found |= each
    return found


def begin(cli, place, found, *options):
    """Every way in an item of one job; returns once all payloads are there."""
    script = ["case $JOBCTL_ITEM in"]
    for number, way in enumerate(found.values(), 1):
        script.append(f"{number}) {way} ;;")
    cli.file("rows.txt", "".join(f"{number}\n" for number in range(1, len(found) + 1)))
    cli.file(
        "item.sh", f'P="sh {place}/payload.sh {place} $JOBCTL_ITEM $JOBCTL_ATTEMPT"\n' + "\n".join([*script, "esac"])
    )
    cli("daemon", "start", "--slots", len(found))
    job = cli.submit("rows.txt", "--grace", "0.2s", *options, "--", "sh", cli.work / "item.sh")
    wait_until(lambda: len(list(place.glob("is.*"))) == len(found), 60, "all processes to be there")
    return job


def alive(place, found):
    """The ways whose first payload still runs."""
    left = []
    for number, way in enumerate(found, 1):
        if is_payload((place / f"is.{number}.1").read_text().strip()):
            left.append(way)
    return left


def is_payload(pid):
    """Return whether a process still runs. A zombie has no command line any more."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes() == b"sleep\x00300\x00"
    except OSError:
        return False


def has_groups():
    from jobctl.process import cgroup

    parent = cgroup._own_folder()
    return bool(parent) and os.access(parent, os.W_OK)


@pytest.mark.parametrize("victims", few(["supervisor", "both"], ["both"]))
def test_no_attempt_runs_at_the_same_time_as_one_of_a_dead_daemon(cli, place, victims):
    found = ways(place, EVERYTHING if has_groups() else {})
    job = begin(cli, place, found)
    supervisor, engine = cli.daemon_pid(), cli.engine_pid()
    os.kill(supervisor, signal.SIGKILL)
    if victims == "both":
        os.kill(engine, signal.SIGKILL)
    wait_until(lambda: cli.daemon_pid() is None, 60, "the lock to be free")
    cli("daemon", "start", "--slots", len(found))
    assert alive(place, found) == []
    cli("wait", job)
    assert not (place / "overlap").exists(), (place / "overlap").read_text()


@pytest.mark.parametrize("way_of_ending", ["cancel", "timeout"])
def test_the_end_of_an_item_is_the_end_of_all_of_it(cli, place, way_of_ending):
    found = ways(place)
    if way_of_ending == "timeout":
        job = begin(cli, place, found, "--timeout", "15s", "--attempts", 1)
    else:
        job = begin(cli, place, found)
        cli("cancel", job)
    cli("wait", job, check=None)
    assert alive(place, found) == []


@pytest.mark.parametrize("way", few(EVERYTHING, [*EVERYTHING][:2]))
def test_what_gave_up_everything_is_known_where_no_other_item_could_be_its_own(cli, place, way):
    ways(place)
    found = {way: EVERYTHING[way]}
    job = begin(cli, place, found)
    cli("cancel", job)
    cli("wait", job, check=None)
    assert alive(place, found) == []


def test_a_process_that_reads_or_edits_a_log_is_not_an_item(cli, place):
    import subprocess
    import sys

    found = {"plain": WAYS["plain"]}
    begin(cli, place, found)
    log = next(cli.home.logs.glob("*/*.out"))
    code = "import sys, time; f = open(sys.argv[1], sys.argv[2]); print(flush=True); time.sleep(300)"
    readers = [
        subprocess.Popen([sys.executable, "-c", code, log, mode], stdout=subprocess.PIPE, start_new_session=True)
        for mode in ("r", "a", "r+")
    ]
    try:
        for reader in readers:
            reader.stdout.readline()
        supervisor, engine = cli.daemon_pid(), cli.engine_pid()
        os.kill(supervisor, signal.SIGKILL)
        os.kill(engine, signal.SIGKILL)
        wait_until(lambda: cli.daemon_pid() is None, 60, "the lock to be free")
        cli("daemon", "start")
        assert alive(place, found) == []
        assert [reader.poll() for reader in readers] == [None] * len(readers)
    finally:
        for reader in readers:
            reader.kill()
            reader.wait()
            reader.stdout.close()


def test_a_daemon_of_another_store_that_an_item_started_is_not_an_item(cli, place, tmp_path):
    other = tmp_path / "other"
    jobctl = " ".join(cli.program)
    found = {"plain": f"JOBCTL_HOME={other} {jobctl} daemon start >/dev/null; $P"}
    begin(cli, place, found)
    daemon = lock_holder(other / "daemon.lock")
    try:
        for victim in (cli.daemon_pid(), cli.engine_pid()):
            os.kill(victim, signal.SIGKILL)
        wait_until(lambda: cli.daemon_pid() is None, 60, "the lock to be free")
        cli("daemon", "start")
        assert alive(place, found) == []
        assert daemon is not None and lock_holder(other / "daemon.lock") == daemon
    finally:
        cli("--home", other, "daemon", "stop", "--now", check=None)
