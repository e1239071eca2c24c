"""The kind of file system that a path is on. SQLite's shared memory and locks do not work on network file systems."""

from __future__ import annotations

import os

# fmt: off
_NETWORK = frozenset((
    "9p", "afs", "beegfs", "ceph", "cifs", "coda", "davfs", "gfs2", "glusterfs", "gpfs", "lustre", "ncpfs",
    "nfs", "nfs4", "ocfs2", "orangefs", "pvfs2", "smb3", "smbfs", "virtiofs", "fuse.cephfs", "fuse.curlftpfs",
    "fuse.davfs2", "fuse.gcsfuse", "fuse.glusterfs", "fuse.rclone", "fuse.s3fs", "fuse.sshfs",
))
# fmt: on


def kind_of(path: str | os.PathLike[str], table: str = "/proc/self/mountinfo") -> str:
    """Name of the file system that holds a path, such as ``ext4``; empty where the system does not report it.

    The path need not exist: the result is for the place where it would be made.
    """
    return mount_of(path, table)[1]


def mount_of(path: str | os.PathLike[str], table: str = "/proc/self/mountinfo") -> tuple[str, str]:
    """(mount point, kind) of the file system that holds a path; empty where the system does not report them."""
    wanted = os.path.realpath(path)
    best, found = "", ""
    try:
        with open(table, encoding="utf-8", errors="surrogateescape") as file:
            lines = file.read().splitlines()
    except OSError:
        return "", ""
    for line in lines:
        place, name = _parse_line(line)
        # A later mount at the same place hides the earlier one.
        if len(place) >= len(best) and _is_below(wanted, place):
            best, found = place, name
    return best, found


def is_network(name: str) -> bool:
    """True if other machines may change files on this kind of file system."""
    return name in _NETWORK


def _parse_line(line: str) -> tuple[str, str]:
    """Mount point and type of a line of proc_pid_mountinfo(5)."""
    front, _, back = line.partition(" - ")
    place = front.split(" ")[4]
    for code, letter in (("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")):
        place = place.replace(code, letter)
    return place, back.split(" ")[0]


def _is_below(path: str, place: str) -> bool:
    return place == "/" or path == place or path.startswith(f"{place}/")
