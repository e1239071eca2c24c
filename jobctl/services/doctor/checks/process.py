"""Checks of what runs: the daemon, what dead ones left behind, clocks, limits, how processes wake each other."""

from __future__ import annotations

import os
import resource
import stat
from pathlib import Path

from jobctl import __version__
from jobctl.domain.crew import AWAY
from jobctl.domain.durations import format_duration, format_span
from jobctl.domain.wording import hindrance, number, plural
from jobctl.errors import JobctlError
from jobctl.process import identity, sweep, wakeup
from jobctl.process.daemon import StartOptions
from jobctl.process.process_status import ends_with_session
from jobctl.process.space import PAUSED
from jobctl.process.watch import Watch
from jobctl.services.doctor.examination import Finding, Patient, fail, ok, warn
from jobctl.services.settings.files import Place
from jobctl.services.status.process_waits import unkillable
from jobctl.services.why.attention import SKEW_US
from jobctl.store import elsewhere
from jobctl.store.views import jobs as job_views
from jobctl.supervisor.limits import FILES_PER_SLOT, OTHER_FILES

#: A machine that believes to live before this was made has no clock that is set.
_OLDEST_NOW = 1_735_689_600_000_000  # 2025
_DETAILS = 10


def daemon(patient: Patient) -> Finding:
    """Whether somebody works the jobs off, and whether it is the same jobctl."""
    view, call = patient.daemon, patient.program
    if view.state == "not_responding":
        silent = format_span(view.heartbeat_at or patient.now, patient.now)
        return fail(
            f"process {view.pid} has said nothing for {silent}", f"{call} daemon stop --now && {call} daemon start"
        )
    if view.state == "down":
        return _down(patient)
    facts = [f"{view.state.replace('_', ' ')}, process {view.pid}"]
    if view.started_at is not None:
        facts.append(f"for {format_span(view.started_at, patient.now)}")
    said = ", ".join(facts)
    if view.version not in (None, __version__):
        return warn(
            f"{said}, is jobctl {view.version}; this is {__version__}", f"{call} daemon stop && {call} daemon start"
        )
    if view.pid and ends_with_session(view.pid):
        return warn(
            f"{said}; it is part of a login session, and this system ends those at logout",
            f"{call} daemon stop && {call} daemon install, or loginctl enable-linger",
        )
    if view.pressure:
        ours = view.pressure.startswith(PAUSED) or view.is_away
        what = f"nothing new starts: {view.pressure.removeprefix(AWAY)}" if ours else hindrance(view.pressure)
        return warn(f"{said}; {what}", f"{call} daemon status")
    return ok(said)


def _down(patient: Patient) -> Finding:
    waiting = job_views.load(patient.database).jobs if patient.database is not None else 0
    if patient.database is not None:
        try:
            elsewhere.check(patient.database)
        except elsewhere.Elsewhere as error:
            return warn(f"down; {error.message}", error.hint or "")
    if waiting:
        return warn(f"down, and {plural(waiting, 'job')} not done", f"{patient.program} daemon start")
    return ok("down, and nothing waits for it")


def leftovers(patient: Patient) -> Finding:
    """Processes of items whose daemon died."""
    if patient.holder is not None:
        return _unending(patient)
    found = _leftovers(patient)
    if not found:
        return ok("no process of a daemon that died")
    shown = [f"{pid} {identity.command(pid)}".rstrip() for pid in found[:_DETAILS]]
    return fail(
        f"left behind by a daemon that died: {plural(len(found), 'process', 'processes')}, such as {shown[0]}",
        f"{patient.program} doctor --repair ends them, and so does {patient.program} daemon start",
        tuple(shown),
    )


def _unending(patient: Patient) -> Finding:
    found = unkillable(patient.home)
    if not found:
        return ok("every process of an item belongs to the daemon")
    action = "end these processes as root or as their user; until then their items wait, others run"
    return warn(found[0], action, tuple(found[:_DETAILS]))


def _leftovers(patient: Patient) -> list[int]:
    if not patient.home.root.is_dir():
        return []
    return sweep.leftovers(StartOptions(patient.home, 1).store_id, place=str(patient.home.root))


def end_leftovers(patient: Patient) -> str:
    """TERM, grace, KILL; only while we hold the daemon lock."""
    found = _leftovers(patient)
    left = sweep.sweep(StartOptions(patient.home, 1).store_id, place=str(patient.home.root))
    ended = plural(len(found) - len(left), "process", "processes")
    return f"ended {ended}" if len(left) < len(found) else ""


def clock(patient: Patient) -> Finding:
    """The wall clock, against what was written under it."""
    if patient.now < _OLDEST_NOW:
        return fail("the clock of this machine is not set", "set it: timedatectl, or date -s")
    database = patient.database
    latest = 0
    if database is not None:
        latest = max(job_views.latest_time(database), patient.daemon.heartbeat_at or 0)
    ahead = latest - patient.now
    if ahead > SKEW_US:
        return warn(
            f"the store has times {format_duration(ahead / 1e6)} in the future: the clock went back, or was wrong",
            "date -u; retries and deadlines follow the clock again by themselves",
        )
    if not identity.boot_id() and os.path.exists("/proc"):
        return warn("the system does not name its boot: after one, running items are known by their mark alone")
    return ok("no times of the future in the store" if latest else "set")


def limits(patient: Patient) -> Finding:
    """Room for open files and processes."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = FILES_PER_SLOT * patient.slots + OTHER_FILES
    if hard != resource.RLIM_INFINITY and hard < needed:
        return warn(
            f"only {number(hard)} open files are allowed, {plural(patient.slots, 'slot')} may take {number(needed)}",
            "ulimit -Hn, /etc/security/limits.conf, or LimitNOFILE= of the unit",
        )
    free = _processes_left()
    if free is not None and free < 4 * patient.slots:
        return warn(
            f"only {plural(max(0, free), 'more process', 'more processes')} allowed for this user,"
            f" for {plural(patient.slots, 'slot')}",
            "ulimit -u, /etc/security/limits.conf, or TasksMax= of the unit",
        )
    files = "any number of" if hard == resource.RLIM_INFINITY else number(hard)
    processes = "any number of" if free is None else number(free)
    return ok(f"{files} open files, {processes} more processes, for {plural(patient.slots, 'slot')}")


def _processes_left() -> int | None:
    """How many more processes the user may have; None if there is no limit, or the system does not hold us to it."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NPROC)
    if soft == resource.RLIM_INFINITY or os.geteuid() == 0:
        return None
    own = sum(path.name.isdigit() and path.stat().st_uid == os.geteuid() for path in Path("/proc").iterdir())
    return soft - own


def wake_up(patient: Patient) -> Finding:
    """How commands reach the daemon at once, and how live views learn of changes."""
    root, pipe = patient.home.root, patient.home.wake
    if not root.is_dir():
        return ok("made with the store")
    try:
        info = pipe.lstat()
    except OSError:
        info = None
    if info is not None and not stat.S_ISFIFO(info.st_mode):
        return fail(f"{pipe} is not a FIFO, so no daemon can start", f"see what it is, then: rm {pipe}")
    if patient.daemon.state == "up" and not wakeup.wake(pipe):
        return warn(
            "commands cannot wake the daemon; it looks by itself every few seconds",
            f"{patient.program} daemon stop && {patient.program} daemon start",
        )
    try:
        with Watch(root) as watch:
            watches = watch.fileno() >= 0
    except OSError as error:
        return warn(f"{root} cannot be watched: {error.strerror}")
    if not watches:
        return warn(
            "the system lets us watch nothing more, so live views look twice a second",
            "sysctl fs.inotify.max_user_instances fs.inotify.max_user_watches",
        )
    return ok("commands and live views learn of changes at once")


def configuration(_patient: Patient) -> Finding:
    """The files with settings."""
    from jobctl.services.settings.settings import load_settings, untrusted

    try:
        settings = load_settings(os.environ, os.getcwd())
    except JobctlError as error:
        return fail(error.message, error.hint or "", error.details)
    except OSError as error:
        return fail(f"{error.filename}: {error.strerror}", "jobctl config path")
    if settings.distrusted:
        return warn(*_passed_by(settings.distrusted[0]))
    layer = settings.untrusted
    if layer is not None and (layer.held or layer.held_recipes):
        return warn(
            f"{layer.where} {untrusted(layer)}; its settings that run, connect or read are ignored",
            "read it, then: jobctl config trust",
        )
    layers = [f"{each.where} ({each.trust})" if each.trust else each.where for each in settings.layers if each.where]
    return ok(", ".join(layers) if layers else "none; everything is at its default")


def _passed_by(place: Place) -> tuple[str, str]:
    return f"{place.path} is not read: {place.ignored}", "jobctl config path"
