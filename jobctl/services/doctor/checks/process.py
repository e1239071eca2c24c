"""Checks of processes: the daemon, processes of a dead daemon, the clock, limits, wake-ups, and the settings."""

from __future__ import annotations

import os
import resource
import stat
from pathlib import Path

from jobctl import __version__
from jobctl.domain.blocker_kinds import DAEMON_SILENT
from jobctl.domain.cluster_workers import AWAY
from jobctl.domain.durations import format_duration, format_span
from jobctl.domain.wording import hindrance, number, plural
from jobctl.errors import JobctlError
from jobctl.process import identity, sweep, wakeup
from jobctl.process.process_status import ends_with_session
from jobctl.process.space import PAUSED
from jobctl.process.start_options import StartOptions
from jobctl.process.watch import Watch
from jobctl.services.doctor.check_types import CheckedStore, CheckResult, fail, ok, warn
from jobctl.services.settings.files import SettingsFile
from jobctl.services.status.process_waits import unkillable
from jobctl.services.why.attention import SKEW_US
from jobctl.store import elsewhere
from jobctl.store.views import jobs as job_views
from jobctl.supervisor.limits import FILES_PER_SLOT, OTHER_FILES

#: A clock with an earlier time than this has never been set: jobctl did not exist then. Microseconds UTC.
_OLDEST_NOW = 1_735_689_600_000_000  # 2025
_DETAILS = 10


def daemon(checked: CheckedStore) -> CheckResult:
    """Check that a daemon runs if it is needed, that it responds, and that it is of this version of jobctl."""
    view, call = checked.daemon, checked.program
    if view.state == "not_responding":
        silence = format_span(view.heartbeat_at or checked.now, checked.now)
        return fail(DAEMON_SILENT.words(pid=view.pid, silence=silence), DAEMON_SILENT.command(jobctl=call))
    if view.state == "down":
        return _down(checked)
    facts = [f"{view.state.replace('_', ' ')}, process {view.pid}"]
    if view.started_at is not None:
        facts.append(f"for {format_span(view.started_at, checked.now)}")
    summary = ", ".join(facts)
    if view.version not in (None, __version__):
        return warn(
            f"{summary}, runs jobctl {view.version}; this is {__version__}",
            f"{call} daemon stop && {call} daemon start",
        )
    if view.pid and ends_with_session(view.pid):
        return warn(
            f"{summary}; it belongs to a login session, and this system ends its processes at logout",
            f"{call} daemon stop && {call} daemon install, or loginctl enable-linger",
        )
    if view.pressure:
        ours = view.pressure.startswith(PAUSED) or view.is_away
        what = f"no item starts: {view.pressure.removeprefix(AWAY)}" if ours else hindrance(view.pressure)
        return warn(f"{summary}; {what}", f"{call} daemon status")
    return ok(summary)


def _down(checked: CheckedStore) -> CheckResult:
    waiting = job_views.load(checked.database).jobs if checked.database is not None else 0
    if checked.database is not None:
        try:
            elsewhere.check(checked.database)
        except elsewhere.Elsewhere as error:
            return warn(f"down; {error.message}", error.hint or "")
    if waiting:
        return warn(f"down, and {plural(waiting, 'job is', 'jobs are')} not done", f"{checked.program} daemon start")
    return ok("down, and no job needs it")


def leftovers(checked: CheckedStore) -> CheckResult:
    """Check for processes of items whose daemon died."""
    if checked.holder is not None:
        return _unending(checked)
    found = _leftovers(checked)
    if not found:
        return ok("no process of an item whose daemon died")
    shown = [f"{pid} {identity.command(pid)}".rstrip() for pid in found[:_DETAILS]]
    return fail(
        f"left behind by a daemon that died: {plural(len(found), 'process', 'processes')}, such as {shown[0]}",
        f"{checked.program} doctor --repair ends them, and so does {checked.program} daemon start",
        tuple(shown),
    )


def _unending(checked: CheckedStore) -> CheckResult:
    found = unkillable(checked.home)
    if not found:
        return ok("every process of an item belongs to the daemon")
    action = "end these processes as root or as their user; until then their items wait, and other items run"
    return warn(found[0], action, tuple(found[:_DETAILS]))


def _leftovers(checked: CheckedStore) -> list[int]:
    if not checked.home.root.is_dir():
        return []
    return sweep.leftovers(StartOptions(checked.home, 1).store_id, folder=str(checked.home.root))


def end_leftovers(checked: CheckedStore) -> str:
    """End these processes: TERM, then KILL after a grace period. The caller holds the daemon lock."""
    found = _leftovers(checked)
    left = sweep.sweep(StartOptions(checked.home, 1).store_id, folder=str(checked.home.root))
    ended = plural(len(found) - len(left), "process", "processes")
    return f"ended {ended}" if len(left) < len(found) else ""


def clock(checked: CheckedStore) -> CheckResult:
    """Check that the wall clock is set, and that it is not behind the times in the store."""
    if checked.now < _OLDEST_NOW:
        return fail("the clock of this machine is not set", "set it: timedatectl, or date -s")
    database = checked.database
    latest = 0
    if database is not None:
        latest = max(job_views.latest_time(database), checked.daemon.heartbeat_at or 0)
    ahead = latest - checked.now
    if ahead > SKEW_US:
        return warn(
            f"the store has times {format_duration(ahead / 1e6)} in the future: the clock was set back, or was wrong",
            "date -u; retries and deadlines follow the clock again by themselves",
        )
    if not identity.boot_id() and os.path.exists("/proc"):
        return warn(
            "the system does not identify its boots: after a reboot, running items are recognised by their mark alone"
        )
    return ok("no time in the store is in the future" if latest else "set")


def limits(checked: CheckedStore) -> CheckResult:
    """Check that the limits allow enough open files and processes for the slots."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = FILES_PER_SLOT * checked.slots + OTHER_FILES
    if hard != resource.RLIM_INFINITY and hard < needed:
        return warn(
            f"only {number(hard)} open files are allowed, {plural(checked.slots, 'slot')} may take {number(needed)}",
            "ulimit -Hn, /etc/security/limits.conf, or LimitNOFILE= of the unit",
        )
    free = _processes_left()
    if free is not None and free < 4 * checked.slots:
        return warn(
            f"only {plural(max(0, free), 'more process', 'more processes')} allowed for this user,"
            f" for {plural(checked.slots, 'slot')}",
            "ulimit -u, /etc/security/limits.conf, or TasksMax= of the unit",
        )
    files = "no limit on open files" if hard == resource.RLIM_INFINITY else f"{number(hard)} open files"
    processes = "no limit on processes" if free is None else f"{number(free)} more processes"
    return ok(f"{files}, {processes}, for {plural(checked.slots, 'slot')}")


def _processes_left() -> int | None:
    """The number of processes that this user may still start; None without a limit, and for root."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NPROC)
    if soft == resource.RLIM_INFINITY or os.geteuid() == 0:
        return None
    own = sum(path.name.isdigit() and path.stat().st_uid == os.geteuid() for path in Path("/proc").iterdir())
    return soft - own


def wake_up(checked: CheckedStore) -> CheckResult:
    """Check that commands wake the daemon at once, and that live views learn of changes at once."""
    root, pipe = checked.home.root, checked.home.wake
    if not root.is_dir():
        return ok("the pipe is created with the store")
    try:
        info = pipe.lstat()
    except OSError:
        info = None
    if info is not None and not stat.S_ISFIFO(info.st_mode):
        return fail(f"{pipe} is not a FIFO, so no daemon can start", f"see what it is, then: rm {pipe}")
    if checked.daemon.state == "up" and not wakeup.wake(pipe):
        return warn(
            "commands cannot wake the daemon; it looks for work every few seconds",
            f"{checked.program} daemon stop && {checked.program} daemon start",
        )
    try:
        with Watch(root) as watch:
            watches = watch.fileno() >= 0
    except OSError as error:
        return warn(f"{root} cannot be watched: {error.strerror}")
    if not watches:
        return warn(
            "the system allows no more file watches, so live views look twice a second",
            "sysctl fs.inotify.max_user_instances fs.inotify.max_user_watches",
        )
    return ok("commands and live views learn of changes at once")


def configuration(_open_for_checks: CheckedStore) -> CheckResult:
    """Check that the files of settings can be read, and that they count."""
    from jobctl.services.settings.settings import load_settings, untrusted

    try:
        settings = load_settings(os.environ, os.getcwd())
    except JobctlError as error:
        return fail(error.message, error.hint or "", error.details)
    except OSError as error:
        return fail(f"{error.filename}: {error.strerror}", "jobctl config path")
    if settings.ignored_files:
        return warn(*_ignored(settings.ignored_files[0]))
    layer = settings.untrusted
    if layer is not None and (layer.unused or layer.unused_recipes):
        return warn(
            f"{layer.where} {untrusted(layer)}; its settings that run, connect or read are ignored",
            "read it, then: jobctl config trust",
        )
    layers = [f"{each.where} ({each.trust})" if each.trust else each.where for each in settings.layers if each.where]
    return ok(", ".join(layers) if layers else "no file; every setting has its default")


def _ignored(place: SettingsFile) -> tuple[str, str]:
    return f"{place.path} is not read: {place.ignored}", "jobctl config path"
