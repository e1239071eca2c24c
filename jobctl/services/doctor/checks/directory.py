"""Checks of the state directory: owner and permissions, files that do not belong there, file system and disk."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from jobctl.domain.wording import percent, plural, size
from jobctl.process import mounts, space
from jobctl.services.doctor.check_types import CheckedStore, CheckResult, fail, ok, warn

_DETAILS = 10
#: The check warns when less is free than this many times the space below which the daemon starts nothing.
_COMFORT = 4

#: The type that each of these files must have. Another type means that the file was planted.
_KINDS = {
    "wake": stat.S_IFIFO,
    "logs": stat.S_IFDIR,
    "results": stat.S_IFDIR,
    "backups": stat.S_IFDIR,
    "jobctl.db": stat.S_IFREG,
    "jobctl.db-wal": stat.S_IFREG,
    "jobctl.db-shm": stat.S_IFREG,
    "daemon.lock": stat.S_IFREG,
    "serve.lock": stat.S_IFREG,
    "serve.sock": stat.S_IFSOCK,
    "daemon.log": stat.S_IFREG,
    "starts": stat.S_IFREG,
    "outcomes": stat.S_IFREG,
    "leaders": stat.S_IFREG,
}


def home(checked: CheckedStore) -> CheckResult:
    """Check that the state directory is a directory of this user, which other users cannot replace."""
    root = checked.home.root
    try:
        info = root.lstat()
    except FileNotFoundError:
        return ok(f"{root} does not exist yet; the first submit creates it")
    except OSError as error:
        return fail(f"{root} cannot be used: {error.strerror}", "give another with --home DIR")
    if stat.S_ISLNK(info.st_mode):
        with contextlib.suppress(OSError):
            info = root.stat()
    if not stat.S_ISDIR(info.st_mode):
        return fail(f"{root} is not a directory", "give another with --home DIR, or move it away")
    if info.st_uid != os.geteuid():
        return fail(f"{root} belongs to user {info.st_uid}, you are {os.geteuid()}", "run jobctl as its owner")
    exposed = _exposed_parent(root)
    if exposed is not None:
        return warn(
            f"other users may rename files in {exposed}, and so replace your store",
            f"chmod go-w {exposed}, or keep the store elsewhere",
        )
    return ok(str(root))


def _exposed_parent(root: Path) -> Path | None:
    for parent in root.resolve().parents:
        info = parent.stat()
        if info.st_mode & 0o022 and not info.st_mode & stat.S_ISVTX:
            return parent
        if info.st_uid not in (0, os.geteuid()):
            return parent
    return None


def permissions(checked: CheckedStore) -> CheckResult:
    """Check that every file of the store belongs to this user, is closed to others, and is not a link."""
    planted: list[str] = []
    open_to_others: list[str] = []
    count = 0
    for path, info in _everything(checked.home.root):
        count += 1
        if info.st_uid != os.geteuid() or not _is_expected(path, info):
            planted.append(f"{path}: {_what(info)}")
        elif info.st_mode & 0o077:
            open_to_others.append(f"{path}: mode {stat.S_IMODE(info.st_mode):04o}")
    if planted:
        found = f"{plural(len(planted), 'file')} of another user or of a wrong type"
        message = f"{found}, such as {planted[0]}"
        return fail(message, "see what it is; if you do not need it, remove it", tuple(planted[:_DETAILS]))
    if open_to_others:
        message = f"open to others: {plural(len(open_to_others), 'file')}, such as {open_to_others[0]}"
        return fail(message, f"{checked.program} doctor --repair", tuple(open_to_others[:_DETAILS]))
    return ok(f"other users cannot read {plural(count, 'file')}" if count else "there is nothing to read yet")


def _everything(root: Path) -> Iterator[tuple[Path, os.stat_result]]:
    """The store and everything in it, a folder before its content; links are not followed."""
    with contextlib.suppress(OSError):
        info = root.stat()
        if stat.S_ISDIR(info.st_mode):
            yield root, info
    for folder, folders, names in os.walk(root):
        for name in (*folders, *names):
            path = Path(folder, name)
            with contextlib.suppress(OSError):  # it was removed meanwhile
                yield path, path.lstat()


def _is_expected(path: Path, info: os.stat_result) -> bool:
    kind = _KINDS.get(path.name)
    if kind is not None and stat.S_IFMT(info.st_mode) != kind:
        return False
    return kind == stat.S_IFIFO or stat.S_ISDIR(info.st_mode) or (stat.S_ISREG(info.st_mode) and info.st_nlink == 1)


def _what(info: os.stat_result) -> str:
    kinds = {
        stat.S_IFLNK: "a symbolic link",
        stat.S_IFIFO: "a FIFO",
        stat.S_IFSOCK: "a socket",
        stat.S_IFREG: "a plain file",
        stat.S_IFDIR: "a directory",
    }
    if info.st_uid != os.geteuid():
        return f"belongs to user {info.st_uid}"
    if stat.S_ISREG(info.st_mode) and info.st_nlink > 1:
        return f"has {info.st_nlink} names (hard links)"
    return kinds.get(stat.S_IFMT(info.st_mode), "not a plain file")


def close_to_others(checked: CheckedStore) -> str:
    """Remove all permissions of other users on the files of the store."""
    changed = 0
    for path, info in _everything(checked.home.root):
        if info.st_uid == os.geteuid() and info.st_mode & 0o077 and _is_expected(path, info):
            path.chmod(stat.S_IMODE(info.st_mode) & 0o700)
            changed += 1
    return f"closed {plural(changed, 'file')} to others" if changed else ""


def stray_files(checked: CheckedStore) -> CheckResult:
    """Check for unfinished files of a process that died."""
    found = _strays(checked)
    if not found or checked.holder is not None:
        return ok("no unfinished files of a process that died")
    total = size(sum(path.lstat().st_size for path in found))
    message = f"{plural(len(found), 'unfinished file')} of a process that died, {total}"
    return warn(message, f"{checked.program} doctor --repair", tuple(map(str, found[:_DETAILS])))


def _strays(checked: CheckedStore) -> list[Path]:
    root = checked.home.root
    found = [*checked.home.results.glob("*/*.tmp"), *(root / "backups").glob(".*.tmp"), *root.glob(".*.tmp")]
    return sorted(path for path in found if not path.is_symlink() and path.is_file())


def remove_strays(checked: CheckedStore) -> str:
    """Remove unfinished files. No other process writes such files while this one holds the daemon lock."""
    found = _strays(checked)
    for path in found:
        path.unlink(missing_ok=True)
    return f"removed {plural(len(found), 'unfinished file')}" if found else ""


def filesystem(checked: CheckedStore) -> CheckResult:
    """Check that the file system is local: SQLite loses data where locks and shared memory go over a network."""
    kind = mounts.kind_of(checked.home.root)
    if not kind:
        return ok("this system does not say what kind of file system it is")
    if mounts.is_network(kind):
        return fail(
            f"{kind} is a network file system, where SQLite loses data", "move the store to a local disk: --home DIR"
        )
    return ok(f"{kind}, local")


def disk(checked: CheckedStore) -> CheckResult:
    """Check that the disk has room for outputs, results and the database."""
    place = next((p for p in (checked.home.root, *checked.home.root.parents) if p.exists()), Path("/"))
    action = f"{checked.program} prune --dry-run"
    if found := space.shortage(place):
        return fail(f"no item starts until there is room: {found}", action)
    info = os.statvfs(place)
    free, total = info.f_bavail * info.f_frsize, info.f_blocks * info.f_frsize
    text = f"{size(free)} of {size(total)} free"
    if info.f_files and info.f_favail < 10_000 and info.f_favail < 0.01 * info.f_files:
        return fail(f"only {plural(info.f_favail, 'more file')} can be made on this disk ({text})", action)
    floor_bytes = min(space.FLOOR_BYTES, space.FLOOR_SHARE * total)
    floor = size(int(floor_bytes))
    if total and free < _COMFORT * floor_bytes:
        return warn(
            f"{text} ({percent(free, total)}); the daemon starts no item when less than {floor} are free",
            action,
        )
    return ok(text)
