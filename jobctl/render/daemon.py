"""The lines of ``jobctl daemon status``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from jobctl import __version__
from jobctl.domain.blocker_kinds import NO_WORKERS
from jobctl.domain.cluster_workers import AWAY, worded
from jobctl.domain.durations import format_duration
from jobctl.domain.wording import hindrance, number, plural, rate, size
from jobctl.render.inert import inert

if TYPE_CHECKING:
    from jobctl.domain.documents.daemon import ClusterBlock, DaemonDocument, MemoryBlock
    from jobctl.domain.documents.queues import QueueDocument


def lines(document: DaemonDocument, program: str) -> Iterator[str]:
    """Yield the lines about a daemon; ``program`` is the command line of jobctl in hints."""
    yield from _state(document, program)
    if document["cluster"] is not None:
        yield from _cluster(document["cluster"], is_away=document["pressure"].startswith(AWAY))
    if document["slots"] is not None:
        speed = "" if document["rate_per_s"] is None else f", {rate(document['rate_per_s'])}"
        yield f"  slots   {document['running']} of {number(document['slots'])} in use{speed}"
    yield f"  work    {plural(document['jobs'], 'job')} not done, {plural(document['queued'], 'item')} waiting"
    yield from _queues(document)
    yield f"  store   {inert(document['home'])}"
    yield _disk(document)
    yield from _memory(document["memory"])
    if document["version"]:
        other = "" if document["version"] == __version__ else f" (this is {__version__}: stop it and start it again)"
        yield f"  version {document['version']}{other}"


def _state(document: DaemonDocument, program: str) -> Iterator[str]:
    """The state of the daemon, and the reason if no item starts."""
    facts = [f"the daemon is {document['state'].replace('_', ' ')}"]
    if document["pid"]:
        facts.append(f"process {document['pid']}")
    if document["uptime_s"] is not None:
        facts.append(f"for {format_duration(document['uptime_s'])}")
    yield ", ".join(facts)
    if document["state"] == "down":
        yield f"  start it with: {program} daemon start"
    if document["scope"] not in (None, "all"):
        yield f"  it runs only job {document['scope']}"
    if document["pressure"]:
        why = inert(document["pressure"])
        is_sentence = why.startswith(("paused: ", AWAY))
        yield f"  no item starts: {why.removeprefix(AWAY)}" if is_sentence else f"  {hindrance(why)}"


def _disk(document: DaemonDocument) -> str:
    sizes = (
        ("database", document["database_bytes"]),
        ("output of items", document["output_bytes"]),
        ("results", document["results_bytes"]),
        ("log", document["log_bytes"]),
    )
    return "  disk    " + ", ".join(f"{words} {size(count)}" for words, count in sizes)


def _cluster(cluster: ClusterBlock, *, is_away: bool) -> Iterator[str]:
    """The workers of the cluster; without workers, the command that starts one."""
    has = worded(sorted(cluster["resources"].items()))
    workers = plural(cluster["workers"], "worker")
    yield f"  cluster {inert(cluster['scheduler'])}, {workers}{f' with {inert(has)} together' if has else ''}"
    if cluster["left"]:
        host, when = inert(cluster["last_left_host"] or ""), cluster["last_left_at"]
        yield f"          {plural(cluster['left'], 'worker')} left, the last on {host} at {when}"
    for words in cluster["unfit"]:
        yield f"          not used: {inert(words)}"
    if not cluster["workers"] and not is_away:
        yield f"  nothing runs: {NO_WORKERS.words(more='')}; to start one: {inert(cluster['join'])}"


def _queues(document: DaemonDocument) -> Iterator[str]:
    """A line for each queue, unless there is only the default one without limits."""
    queues = [queue for queue in document["queues"] if queue["jobs"] or _has_rules(queue)]
    if [queue["name"] for queue in queues] == ["default"] and not _has_rules(queues[0]):
        return
    for queue in queues:
        limits = [plural(queue["slots"], "slot") if queue["slots"] else "", queue["rate"] or ""]
        state = "paused" if queue["paused_at"] else ""
        facts = [plural(queue["jobs"], "job"), f"{queue['queued']} waiting", f"{queue['running']} running", *limits]
        yield f"  queue   {inert(queue['name'])}: {', '.join(filter(None, [*facts, state]))}"


def _has_rules(queue: QueueDocument) -> bool:
    return bool(queue["paused_at"] or queue["slots"] or queue["rate"])


def _memory(memory: MemoryBlock) -> Iterator[str]:
    known = (("supervisor", memory["supervisor_bytes"]), ("engine", memory["engine_bytes"]))
    parts = [(name, count) for name, count in known if count is not None]
    if parts:
        total = size(sum(count for _, count in parts))
        yield f"  memory  {total} ({', '.join(f'{name} {size(count)}' for name, count in parts)})"
