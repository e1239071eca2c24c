"""The reasons that can keep the items of a job from starting: a row for each, with its sentence and its remedy.

``services.why.blockers`` alone decides which of them apply to a job. Screens, messages and documents take their words
from here, so that one thing has one wording.
"""

from __future__ import annotations

from typing import NamedTuple


class BlockerKind(NamedTuple):
    """One thing that keeps items from starting. The facts of a case fill the braces in its texts."""

    code: str  # in the list of an explanation; codes do not change
    sentence: str
    remedy: str = ""  # the command to type, "{jobctl}" is how jobctl is called; empty where only time helps
    notice: str = ""  # the code in an attention list; empty for a blocker that is usual in the life of a job
    brief: str = ""  # for the reason of a state, if the sentence would repeat the state or is long
    halts: bool = True  # nothing of the job starts; otherwise items start, but fewer of them or later

    def words(self, **facts: object) -> str:
        """The sentence for these facts."""
        return self.sentence.format_map(facts)

    def brief_words(self, **facts: object) -> str:
        """The brief sentence for these facts; the sentence itself if it has no brief form."""
        return (self.brief or self.sentence).format_map(facts)

    def command(self, **facts: object) -> str:
        """The command to type for these facts; empty where only time helps."""
        return self.remedy.format_map(facts)


DAMAGED = BlockerKind("damaged", "its row in the database is damaged: {damage}", "{jobctl} {verb} {job}", "damaged")
STOPPED = BlockerKind("stopped", "no more of its items start: {reason}", "{jobctl} wait {job}", brief="{reason}")
PAUSED = BlockerKind("paused", "paused {ago} ago{why}", "{jobctl} resume {job}", "paused", "{brief}")
NEVER_STARTS = BlockerKind(
    "after",
    "job {other} ended {state}, and this one was to run only after its success, so it ends as cancelled",
    "{retry}",
)
DISK_FULL = BlockerKind("disk_low", "the disk is nearly full: {short}", "{jobctl} prune --dry-run", "disk_low")
DAEMON_DOWN = BlockerKind("daemon_down", "no daemon is running", "{jobctl} daemon start", "daemon_down")
DAEMON_SILENT = BlockerKind(
    "daemon_not_responding",
    "the daemon (process {pid}) has not responded for {silence}",
    "{jobctl} daemon stop --now && {jobctl} daemon start",
    "daemon_not_responding",
)
#: ``daemon start`` alone is refused until the daemon has stopped, and ``daemon stop`` waits for that.
DAEMON_STOPS = BlockerKind(
    "daemon_draining",
    "the daemon (process {pid}) is stopping: running items finish, and no new ones start",
    "{jobctl} daemon stop && {jobctl} daemon start",
    "daemon_down",
    "the daemon is stopping",
)
DAEMON_ELSEWHERE = BlockerKind(
    "daemon_busy",
    "process {pid} runs only job {scope}, and the other jobs have no daemon",
    "{jobctl} wait {scope}; {jobctl} daemon start",
    "daemon_down",
    "process {pid} runs only job {scope}",
)
#: The blockers of a job that no daemon runs.
OF_THE_DAEMON = (DAEMON_DOWN, DAEMON_SILENT, DAEMON_STOPS, DAEMON_ELSEWHERE)
CLUSTER_AWAY = BlockerKind("cluster_away", "{words}; jobctl keeps trying", "{jobctl} daemon status", "cluster_away")
PRESSURE = BlockerKind("spawn_pressure", "{hindrance}; jobctl keeps trying", "{jobctl} daemon status", "spawn_pressure")
QUEUE_PAUSED = BlockerKind(
    "queue_paused", "queue {queue} was paused {ago} ago{why}", "{jobctl} resume --queue {queue}", "paused"
)
NOT_BEFORE = BlockerKind("not_before", "starts in {wait}, not before {time}", brief="starts in {wait}")
#: ``{rows}`` comes from ``wording.open_elsewhere``, which also says it in the answer to a submission.
OPEN_ELSEWHERE = BlockerKind("open_elsewhere", "{rows}", "{jobctl} status {others}", halts=False)
AFTER = BlockerKind("after", "waits until job {other} ({state}) {ends}", "{jobctl} status {other}")
NO_WORKERS = BlockerKind("no_workers", "no worker is there{more}", "{join}", "no_workers")
RESOURCES_MISSING = BlockerKind(
    "resources_missing", "an item needs {needs}, and of {workers} {have}", "{join}{wanted}", "resources_missing"
)
NO_ROOM = BlockerKind(
    "resources", "the workers have room for {items} at a time, of which each needs {needs}", halts=False
)
RATE = BlockerKind(
    "rate", "{whose} of {rate} lets the next item start in {wait}", "{jobctl} {change} rate=none", halts=False
)
OWN_SLOTS = BlockerKind("slots", "its own {slots} {are} in use", "{jobctl} set {job} slots={twice}", halts=False)
QUEUE_SLOTS = BlockerKind(
    "queue_slots",
    "the {slots} of queue {queue} {are} in use by {users}",
    "{jobctl} queue set {queue} slots={twice}",
    halts=False,
)
SLOTS = BlockerKind("slots", "{all}{slots} of the daemon {are} in use by {users}{more}", halts=False)
RETRY_WAIT = BlockerKind(
    "retry_wait",
    "{items} for another attempt, the next in {wait}, at {time}",
    "{jobctl} items {job} --state retrying",
    "retry_wait",
    "{items} for another attempt, the next in {wait}",
    halts=False,
)
ITEM_RETRY_WAIT = BlockerKind(
    "retry_wait",
    "attempt {attempt} failed ({message}); the next is due in {wait}, at {time}",
    "{jobctl} cancel {job}.{item}",
    halts=False,
)
