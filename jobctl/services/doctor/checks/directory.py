"""Checks of the place of a store: the directory, its permissions, files that do not belong there, the disk."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from jobctl.domain.wording import percent, plural, size
from jobctl.process import mounts, space
from jobctl.services.doctor.examination import Examined, Finding, fail, ok, warn

_DETAILS = 10
#: A warning comes below this many times the free space at which the daemon stops.
_COMFORT = 4

#: The kinds of files that these names must have.
_KINDS = {
    "wake": stat.S_IFIFO,
    "logs": stat.S_IFDIR,
    "results": stat.S_IFDIR,
    "backups": stat.S_IFDIR,
    "jobctl.db": stat.S_IFREG,
    "jobctl.db-wal": stat.S_IFREG,
    "jobctl.db-shm": stat.S_IFREG,
    "daemon.lock": stat.S_IFREG,
    "daemon.log": stat.S_IFREG,
    "starts": stat.S_IFREG,
    "outcomes": stat.S_IFREG,
    "leaders": stat.S_IFREG,
}


def home(examined: Examined) -> Finding:
    """The state directory itself, and whether other users could replace it."""
    root = examined.home.root
    try:
        info = root.lstat()
    except FileNotFoundError:
        return ok(f"{root} does not exist yet; the first submit makes it")
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


def permissions(examined: Examined) -> Finding:
    """Everything in the store is private, owned by us, and no link to somewhere else."""
    planted: list[str] = []
    open_to_others: list[str] = []
    count = 0
    for path, info in _everything(examined.home.root):
        count += 1
        if info.st_uid != os.geteuid() or not _is_expected(path, info):
            planted.append(f"{path}: {_what(info)}")
        elif info.st_mode & 0o077:
            open_to_others.append(f"{path}: mode {stat.S_IMODE(info.st_mode):04o}")
    if planted:
        message = (
            f"{plural(len(planted), 'file')} that belong to other users or have a wrong type, such as {planted[0]}"
        )
        return fail(message, "see what it is; if you do not need it, remove it", tuple(planted[:_DETAILS]))
    if open_to_others:
        message = f"open to others: {plural(len(open_to_others), 'file')}, such as {open_to_others[0]}"
        return fail(message, f"{examined.program} doctor --repair", tuple(open_to_others[:_DETAILS]))
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
            with contextlib.suppress(OSError):  # gone meanwhile
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
        return f"of user {info.st_uid}"
    if stat.S_ISREG(info.st_mode) and info.st_nlink > 1:
        return f"has {info.st_nlink} names (hard links)"
    return kinds.get(stat.S_IFMT(info.st_mode), "no plain file")


def close_to_others(examined: Examined) -> str:
    """Remove all permissions of other users on the files of the store."""
    changed = 0
    for path, info in _everything(examined.home.root):
        if info.st_uid == os.geteuid() and info.st_mode & 0o077 and _is_expected(path, info):
            path.chmod(stat.S_IMODE(info.st_mode) & 0o700)
            changed += 1
    return f"closed {plural(changed, 'file')} to others" if changed else ""


def stray_files(examined: Examined) -> Finding:
    """Files that were being written when their writer died."""
    found = _strays(examined)
    if not found or examined.holder is not None:
        return ok("no unfinished files of a writer that died")
    total = size(sum(path.lstat().st_size for path in found))
    message = f"unfinished files of a writer that died: {len(found)}, {total}"
    return warn(message, f"{examined.program} doctor --repair", tuple(map(str, found[:_DETAILS])))


def _strays(examined: Examined) -> list[Path]:
    root = examined.home.root
    found = [*examined.home.results.glob("*/*.tmp"), *(root / "backups").glob(".*.tmp"), *root.glob(".*.tmp")]
    return sorted(path for path in found if not path.is_symlink() and path.is_file())


def remove_strays(examined: Examined) -> str:
    """Remove them; no other process writes while this one holds the lock."""
    found = _strays(examined)
    for path in found:
        path.unlink(missing_ok=True)
    return f"removed {plural(len(found), 'unfinished file')}" if found else ""


def filesystem(examined: Examined) -> Finding:
    """SQLite needs locks and shared memory that work, which those of a network do not."""
    kind = mounts.kind(examined.home.root)
    if not kind:
        return ok("this system does not say what kind of file system it is")
    if mounts.is_network(kind):
        return fail(
            f"{kind} is a network file system, where SQLite loses data", "move the store to a local disk: --home DIR"
        )
    return ok(f"{kind}, local")


def disk(examined: Examined) -> Finding:
    """Room for outputs, results and the database."""
    place = next((p for p in (examined.home.root, *examined.home.root.parents) if p.exists()), Path("/"))
    action = f"{examined.program} prune --dry-run"
    if found := space.shortage(place):
        return fail(f"nothing new starts until there is room: {found}", action)
    info = os.statvfs(place)
    free, total = info.f_bavail * info.f_frsize, info.f_blocks * info.f_frsize
    text = f"{size(free)} of {size(total)} free"
    if info.f_files and info.f_favail < 10_000 and info.f_favail < 0.01 * info.f_files:
        return fail(f"only {plural(info.f_favail, 'more file')} can be made on this disk ({text})", action)
    if total and free < _COMFORT * min(space.FLOOR_BYTES, space.FLOOR_SHARE * total):
        return warn(f"{text} ({percent(free, total)}); the daemon starts nothing new when it gets less", action)
    return ok(text)
