"""The facts on the page of a job that do not change while it runs: input, policy, times, results, retry."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from jobctl.domain.durations import format_duration, format_given
from jobctl.domain.handler_kinds import kind_of
from jobctl.domain.wording import number, plural, size
from jobctl.render.clock import local, to_come
from jobctl.render.look import Look

if TYPE_CHECKING:
    from jobctl.domain.documents.daemon import DaemonBlock
    from jobctl.domain.documents.policy import PolicyBlock
    from jobctl.domain.documents.results import ResultFileBlock, ResultsBlock
    from jobctl.domain.documents.status import StatusDocument
    from jobctl.domain.documents.status_blocks import UndoBlock

_LEFTOVERS = {"end": "ends processes that an item leaves behind", "fail": "fails items that leave processes behind"}


def fact_lines(document: StatusDocument, look: Look) -> Iterator[tuple[str, str]]:
    """The name and the text of each fact; only the first line of a fact has a name."""
    yield "retry", retry_text(document)
    yield from results_lines(document)
    if undo := undo_text(document):
        yield "undo", undo
    yield "time", _joined(times(document), look)
    yield kind_of(document["handler"]).noun, work_text(document)
    yield "input", input_text(document, look)
    yield "policy", _joined(policy_facts(document["policy"], document["daemon"].get("slots")), look)
    yield "queue", document["queue"] + (f"{look.dash}priority {document['priority']}" if document["priority"] else "")
    if document.get("after"):
        yield "after", after_text(document)
    if document["labels"]:
        yield "labels", " ".join(f"{name}={value}" for name, value in document["labels"].items())
    if document["idempotency"]["key"]:
        yield "key", document["idempotency"]["key"]
    if document["notify"]:
        yield from notify_lines(document, look)
    yield "daemon", daemon_text(document["daemon"])
    for position, command in enumerate(document["next"]):
        yield "" if position else "next", command


def _joined(facts: Iterable[str], look: Look) -> str:
    """Facts in a row, in which a line can only be broken between two facts."""
    space = "\u00a0" if look.unicode and look.terminal else " "
    return look.dash.join(fact.replace(" ", space) for fact in facts)


def retry_text(document: StatusDocument) -> str:
    """Return the command for a retry with the items that it runs, or the reason why no retry is possible."""
    retry = document["retry"]
    if not retry["available"]:
        return f"not now: {retry['why_not']}"
    kinds = (
        (retry["failed_retryable"], "that may succeed"),
        (retry["failed_permanent"], "permanent"),
        (retry["outcome_unknown"], "with unknown outcome"),
        (retry["unprocessed"], "never tried"),
    )
    parts = [f"{number(count)} {words}" for count, words in kinds if count]
    less = ", without the rows that other jobs of this name have or have done" if retry.get("less_others") else ""
    note = f"; {retry['note']}" if retry.get("note") else ""
    return f"{retry['command']}   {plural(retry['items'], 'item')}: {', '.join(parts)}{less}{note}"


def undo_text(document: StatusDocument) -> str:
    """What was taken back of a job, what can be, or what it takes back itself; empty if there is nothing to say."""
    undo = document.get("undo")
    if undo is None:
        return ""
    if undo["of"] is not None:
        return f"takes back rows of job {undo['of']}"
    if undo["jobs"]:
        return undone_words(undo)
    if not document["done"]:
        by_itself = undo["on_failure"]
        return f"its rows {'are taken back if it ends without success' if by_itself else 'can be taken back'}"
    return undo["command"] or ""


def undone_words(undo: UndoBlock) -> str:
    """``17 of 20 rows taken back, 2 failed, 1 left (job 43)``; rows that ran again since then do not count."""
    others = ((undo["running"], "running"), (undo["left"], "left"), (undo["failed"], "failed"))
    total = undo["undone"] + sum(count for count, _ in others)
    parts = [f"{number(undo['undone'])} of {plural(total, 'row')} taken back" if total else "no row is taken back now"]
    parts += [f"{number(count)} {word}" for count, word in others if count]
    shown = ", ".join(map(str, undo["jobs"][-3:]))
    more = "..., " if len(undo["jobs"]) > 3 else ""
    return f"{', '.join(parts)} ({'job' if len(undo['jobs']) == 1 else 'jobs'} {more}{shown})"


def three_files(results: ResultsBlock) -> tuple[ResultFileBlock, ResultFileBlock, ResultFileBlock]:
    """The result files, in the order in which they are shown."""
    files = results["files"]
    return files["succeeded"], files["failed"], files["unprocessed"]


def results_lines(document: StatusDocument) -> Iterator[tuple[str, str]]:
    """The label and the text of each line about result files, rejected rows and rows that were taken back."""
    results = document["results"]
    if results["available"]:
        texts = [f"{file['path']}  {plural(file['rows'], 'row')}" for file in three_files(results)]
    else:
        when = "when the job is done, in" if not document["done"] else "missing from"
        texts = [f"{when} {results['dir']}"]
    rejected = results.get("rejected")
    if rejected:
        texts.append(f"{rejected['path']}  {plural(rejected['rows'], 'row')} not accepted")
    undo = document.get("undo")
    if undo is not None and (undone := undo["file"]) is not None:
        texts.append(f"{undone['path']}  {plural(undone['rows'], 'row')} taken back")
    for position, text in enumerate(texts):
        yield "" if position else "results", text


def times(document: StatusDocument) -> Iterator[str]:
    """Yield the times of submission, start and end, and the durations of activity and pause."""
    time = document["time"]
    yield f"submitted {local(time['submitted_at'])}"
    for name, moment in (("started", time["started_at"]), ("finished", time["finished_at"])):
        if moment:
            yield f"{name} {local(moment)}"
    if time["active_s"]:
        yield f"active {format_duration(time['active_s'])}"
    if time["paused_s"]:
        yield f"paused {format_duration(time['paused_s'])}"
    if time["deadline_at"]:
        yield f"deadline {(local if document['done'] else to_come)(time['deadline_at'])}"
    if time["not_before_at"] and not time["started_at"]:
        yield f"not before {(local if document['done'] else to_come)(time['not_before_at'])}"


def work_text(document: StatusDocument) -> str:
    """The work for each row, on one line."""
    call, command = document["call"], document["command"]
    if call is None:
        if command is None:
            return "the file's own command column"
        return command if isinstance(command, str) else shlex.join(command)
    facts = [call["target"]]
    if call["style"]:
        facts.append("gets each row as a dict" if call["style"] == "dict" else "gets columns as keyword arguments")
    if call["setup"]:
        facts.append(f"after {call['setup']}")
    if call["recycle"]:
        facts.append(f"a new worker after {plural(call['recycle'], 'call')}")
    return ", ".join(facts)


def input_text(document: StatusDocument, look: Look) -> str:
    """The file, its rows and columns."""
    given, undo = document["input"], document.get("undo")
    if undo and undo["of"]:
        return f"{plural(given['rows'], 'row')} of job {undo['of']}"
    path = "standard input" if given["path"] == "-" else given["path"]
    facts = [path, given["format"], plural(given["rows"], "row"), size(given["bytes"])]
    if given.get("not_selected"):
        facts.append(f"{number(given['not_selected'])} not selected")
    if given["columns"]:
        facts.append(f"columns {', '.join(given['columns'])}")
    if given["resubmit_of"]:
        job = given["resubmit_of_job"]
        facts.append(f"rows of job {job}" if job else "rows of a job that was removed")
    if given.get("resubmitted_as"):
        facts.append(f"rows also in job {', '.join(map(str, given['resubmitted_as']))}")
    return look.dash.join(facts)


def policy_facts(policy: PolicyBlock, daemon_slots: int | None = None) -> Iterator[str]:
    """The policy of a job in words; ``daemon_slots`` is the number of slots of the daemon, if one is up."""
    has_fewer = bool(policy["slots"] and daemon_slots and daemon_slots < policy["slots"])
    fewer = f" (the daemon has {number(daemon_slots or 0)})" if has_fewer else ""
    yield plural(policy["slots"], "slot") + fewer if policy["slots"] else "all slots"
    yield plural(policy["attempts"], "attempt")
    limits = policy.get("timeouts_s") or filter(None, [policy["timeout_s"]])
    yield f"time limit {', then '.join(map(format_given, limits))}" if policy["timeout_s"] else "no time limit"
    if policy["max_failures"]:
        noun = "failure" if policy["max_failures"] == "1" else "failures"
        yield f"stops {policy['halt']} at more than {policy['max_failures']} {noun}"
    if policy.get("rate"):
        yield f"starts at most {policy['rate']}"
    if policy.get("retry_on"):
        yield f"retries only after {_exit_codes(policy['retry_on'])}"
    if policy.get("no_retry_on"):
        yield f"never retries after {_exit_codes(policy['no_retry_on'])}"
    if policy.get("nice"):
        yield f"nice {policy['nice']}"
    if policy.get("ionice"):
        yield f"ionice {policy['ionice']}"
    if policy.get("gpus"):
        yield f"{plural(policy['gpus'], 'GPU')} an item"
    if policy.get("resources"):
        yield f"an item needs {', '.join(f'{name}={amount:g}' for name, amount in policy['resources'])}"
    if policy.get("leftovers") in _LEFTOVERS:
        yield _LEFTOVERS[policy["leftovers"]]
    yield "runs again after a crash" if policy["on_crash"] == "requeue" else "at most once"


def _exit_codes(codes: Sequence[int]) -> str:
    """``exit code 1``, ``exit codes 1, 75``."""
    return f"exit code{'' if len(codes) == 1 else 's'} {', '.join(map(str, codes))}"


def daemon_text(daemon: DaemonBlock) -> str:
    """The state of the daemon in words."""
    state = daemon["state"].replace("_", " ")
    return f"{state}, process {daemon['pid']}" if daemon["pid"] else state


def after_text(document: StatusDocument) -> str:
    """The jobs that this one comes after, with their states; empty if there are none."""
    return ", ".join(
        f"job {each['job']} ({each['state'] or 'removed'})"
        + (", however it ends" if each["condition"] == "any" else "")
        for each in document.get("after", ())
    )


def notify_lines(document: StatusDocument, look: Look) -> Iterator[tuple[str, str]]:
    """The label and the text of each line about a notification."""
    for position, each in enumerate(document["notify"]):
        facts: list[str] = ["when it is done" if each["state"] == "armed" else each["state"]]
        if each["last_result"]:
            facts.append(f"{each['last_result']} at attempt {each['attempts']}")
        if each["next_attempt_at"]:
            facts.append(f"next attempt {local(each['next_attempt_at'])}")
        yield "" if position else "notify", f"{each['target']}  {look.dash.join(facts)}"
