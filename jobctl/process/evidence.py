"""Finds the attempt of a process whose supervisor is dead, by several kinds of evidence, each sufficient alone.

An item may change its user, its limits, its environment or its session, and each change removes some evidence. PAM
resets limits, so the tag is lost with ``su``; ``env -i`` drops the cookie; ``setsid`` leaves the session; when a leader
ends, its children get another parent. Only the item itself can close the files that it holds open.

Reading the tag costs a microsecond for each process of the machine. All other evidence is examined only after a
supervisor has died, and only for processes that are younger than that supervisor.
"""

from __future__ import annotations

import os

from jobctl.process import cgroup, leaders, tree
from jobctl.process.identity import ENGINE_SERIAL, STARTED_AT, Tagger, environment, stat_fields

TYPE_CHECKING = False  # as typing's own, which costs a tenth of the supervisor's start to import
if TYPE_CHECKING:
    from jobctl.process.leaders import AttemptId, LeaderEntry

_MOST_DESCRIPTORS = 256
_WRITABLE = 0o3
_PPID, _GROUP, _SESSION, _TERMINAL = 1, 2, 3, 4


def guests_of(store_id: str) -> str:
    """The store id that marks the items of the guests of a store's engine."""
    return f"{store_id}.guests"


class FoundProcess:
    """A process of the store; ``attempt`` is None for an engine, and where the evidence names no attempt."""

    __slots__ = ("attempt", "pid", "started")

    def __init__(self, pid: int, started: int, attempt: AttemptId | None) -> None:
        self.pid = pid
        self.started = started  # ticks since boot
        self.attempt = attempt


class _ProcessFacts:
    """The kernel's facts about a process."""

    __slots__ = ("group", "has_terminal", "parent", "session", "started")

    def __init__(self, fields: list[bytes]) -> None:
        self.parent, self.group, self.session = int(fields[_PPID]), int(fields[_GROUP]), int(fields[_SESSION])
        self.has_terminal = fields[_TERMINAL] != b"0"
        self.started = int(fields[STARTED_AT])


class Evidence:
    """Tells the processes of one store from others; ``folder`` is the folder of the store, '' if it has none."""

    def __init__(self, store_id: str, folder: str = "") -> None:
        self._tagger = Tagger(store_id)
        self._store, self._guests = store_id.encode(), guests_of(store_id).encode()
        record = leaders.LeadersFile(os.path.join(folder, leaders.NAME)) if folder else None
        self._since = record.since if record is not None else 0
        self._group = record.group if record is not None and record.since else ""
        self._entries: list[LeaderEntry] = record.entries if record is not None else []
        self._serials = {entry.serial: entry.attempt for entry in self._entries}
        self._logs = os.path.realpath(os.path.join(folder, "logs")) + "/" if folder else ""
        self._known: dict[int, FoundProcess] = {}
        #: The start time, by pid, of each process whose environment and descriptors have no evidence.
        self._without_evidence: dict[int, int] = {}

    def forget_group(self) -> None:
        """Remove the control group of the dead supervisor, which is empty now."""
        cgroup.remove(self._group)

    def find(self) -> list[FoundProcess]:
        """Living processes of the store without this one, from one list of all processes."""
        table = _table(tree.all_pids())
        found: dict[int, FoundProcess] = {}
        for pid, facts in table.items():
            known = self._known.get(pid)
            if known is not None and known.started == facts.started:
                found[pid] = known
            elif (owner := self._by_tag(pid)) is not None:
                found[pid] = FoundProcess(pid, facts.started, owner[0])
        if self._since:
            self._add_suspects(table, found)
        elif not self._tagger.works:
            self._add_by_cookie(table, found)
        self._known = found
        return list(found.values())

    def _by_tag(self, pid: int) -> tuple[AttemptId | None] | None:
        serial = self._tagger.serial_of(pid)
        if serial is None:
            return None
        return (None if serial == ENGINE_SERIAL else self._serials.get(serial),)

    def _add_by_cookie(self, table: dict[int, _ProcessFacts], found: dict[int, FoundProcess]) -> None:
        for pid, facts in table.items():
            if pid not in found and (owner := self._by_environment(pid)) is not None:
                found[pid] = FoundProcess(pid, facts.started, owner[0])

    def _add_suspects(self, table: dict[int, _ProcessFacts], found: dict[int, FoundProcess]) -> None:
        """Examine all other evidence, the cheap kinds first; then add the descendants of the processes found."""
        entries = self._entries_by_pid(table)
        group = cgroup.members(self._group)
        for pid, facts in table.items():
            if pid in found or not self._is_young(facts):
                continue
            owner = self._by_leader(pid, facts, entries, table) or self._by_own_state(pid, facts.started)
            if owner is None and pid in group:
                owner = (None,)
            if owner is not None:
                found[pid] = FoundProcess(pid, facts.started, owner[0])
        self._add_descendants(table, found)

    def _is_young(self, facts: _ProcessFacts) -> bool:
        return facts.started * leaders.TICK_NS >= self._since - leaders.TICK_NS

    def _entries_by_pid(self, table: dict[int, _ProcessFacts]) -> dict[int, LeaderEntry]:
        """Entries by the pid of their leader, without those whose pid now belongs to another process."""
        return {
            entry.pid: entry
            for entry in self._entries
            if entry.pid not in table or entry.started_at(table[entry.pid].started)
        }

    @staticmethod
    def _by_leader(
        pid: int, facts: _ProcessFacts, entries: dict[int, LeaderEntry], table: dict[int, _ProcessFacts]
    ) -> tuple[AttemptId] | None:
        """The attempt of a leader, or of a process in the session or group of a leader.

        A session or group keeps the number of its leader in use. But the number of a dead leader could have been free
        for a while, and another process with that number could lead a session now. Such a session usually has a
        terminal, so it does not count.
        """
        for number in (pid, facts.session, facts.group):
            entry = entries.get(number)
            if entry is None or not entry.is_before(facts.started):
                continue
            if number in table or not facts.has_terminal:
                return (entry.attempt,)
        return None

    def _by_own_state(self, pid: int, started: int) -> tuple[AttemptId | None] | None:
        """The attempt that the environment or the descriptors of a process name."""
        if self._without_evidence.get(pid) == started:
            return None
        owner = self._by_environment(pid) or self._by_descriptors(pid)
        if owner is None:
            self._without_evidence[pid] = started
        return owner

    def _by_environment(self, pid: int) -> tuple[AttemptId | None] | None:
        values = environment(pid, (b"JOBCTL_COOKIE", b"JOBCTL_ENGINE"))
        store, attempt = _parse_cookie(values.get(b"JOBCTL_COOKIE", b""))
        if store in (self._store, self._guests):
            return (attempt,)
        return (None,) if values.get(b"JOBCTL_ENGINE") == self._store else None

    def _by_descriptors(self, pid: int) -> tuple[AttemptId | None] | None:
        """The attempt whose output file a process can write to, with a descriptor that only a supervisor opens so."""
        folder = f"/proc/{pid}/fd"
        try:
            names = os.listdir(folder)
        except OSError:
            return None
        for name in names[:_MOST_DESCRIPTORS]:
            try:
                target = os.readlink(f"{folder}/{name}")
            except OSError:
                continue
            if target.startswith(self._logs) and _is_output_descriptor(pid, name):
                return (self._only_attempt_of(target[len(self._logs) :].partition("/")[0]),)
        return None

    def _only_attempt_of(self, job: str) -> AttemptId | None:
        attempts = [entry.attempt for entry in self._entries if str(entry.attempt[0]) == job]
        return attempts[0] if len(attempts) == 1 else None

    def _add_descendants(self, table: dict[int, _ProcessFacts], found: dict[int, FoundProcess]) -> None:
        children: dict[int, list[int]] = {}
        for pid, facts in table.items():
            children.setdefault(facts.parent, []).append(pid)
        queue = list(found)
        for parent in queue:  # grows during the loop
            for pid in children.get(parent, ()):
                if pid not in found:
                    found[pid] = FoundProcess(pid, table[pid].started, found[parent].attempt)
                    queue.append(pid)


def _table(pids: list[int]) -> dict[int, _ProcessFacts]:
    """The kernel's facts about each living process except this one."""
    table = {}
    for pid in pids:
        fields = stat_fields(pid)
        if pid == os.getpid() or fields is None or fields[0] in (b"Z", b"X"):
            continue
        table[pid] = _ProcessFacts(fields)
    return table


def _parse_cookie(cookie: bytes) -> tuple[bytes, AttemptId | None]:
    store, *numbers = cookie.rsplit(b".", 3)
    if len(numbers) != 3 or not all(number.isdigit() and len(number) < 20 for number in numbers):
        return b"", None
    job, item, attempt = map(int, numbers)
    return store, (job, item, attempt)


def _is_output_descriptor(pid: int, name: str) -> bool:
    """True if a descriptor is writable and was opened with a supervisor's flags, unlike those of pagers and editors."""
    try:
        with open(f"/proc/{pid}/fdinfo/{name}", "rb") as file:
            lines = file.read(512).split(b"\n")
        flags = next(int(line.split()[1], 8) for line in lines if line.startswith(b"flags:"))
    except (OSError, StopIteration, ValueError, IndexError):
        return False
    return bool(flags & _WRITABLE and flags & os.O_NOFOLLOW)
