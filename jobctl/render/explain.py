"""The lines of ``jobctl explain``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from jobctl.domain.durations import format_duration
from jobctl.domain.event_types import ENDS, event_type, sentence
from jobctl.domain.option_texts import rule_words
from jobctl.domain.wording import number, plural
from jobctl.render.causes import cause_text, hidden_causes
from jobctl.render.clock import local
from jobctl.render.inert import inert
from jobctl.render.job.facts import policy_facts, undone_words
from jobctl.render.look import Look, wrap_hanging

if TYPE_CHECKING:
    from jobctl.domain.documents.explain import AttemptBlock, ExplainDocument, HoldBlock, JournalBlock, RoundBlock
    from jobctl.domain.documents.policy import PolicyBlock
    from jobctl.domain.documents.status_blocks import AttentionBlock


#: The beginning of a line with the command that helps.
_COMMAND = "    -> "


def explain_lines(document: ExplainDocument, look: Look) -> Iterator[str]:
    """Yield the sections of a ``jobctl.explain/1`` document; only commands, which people copy, may be too wide."""
    for line in _sections(document):
        yield from [line] if line.startswith(_COMMAND) else wrap_hanging(line, look)
    yield ""
    yield "next:"
    yield from (f"  {command}" for command in document["next"])


def _sections(document: ExplainDocument) -> Iterator[str]:
    yield f"job {document['job']} ({inert(document['name'])}): {document['state']}: {inert(document['state_reason'])}"
    if document["resubmit_of"] is not None:
        yield _lineage(document)
    if document["item"] is not None:
        why = inert(document["item_reason"] or "")
        yield f"item {document['job']}.{document['item']}: {document['item_state']}: {why}"
        yield from _item_undo(document)
        yield from _attempts(document["attempts"])
    else:
        yield from _undo(document)
        yield from _failures(document)
    yield from _holds(document)
    yield from _rounds(document)
    yield from _journal(document)


def _lineage(document: ExplainDocument) -> str:
    job = document["resubmit_of_job"]
    if job is None:
        return f"its rows come from a job that was removed ({inert(document['resubmit_of'] or '')})"
    return f"its rows come from job {job}: jobctl explain {job}"


def _undo(document: ExplainDocument) -> Iterator[str]:
    """What the undo jobs of a job have done, and what it takes back itself."""
    undo = document.get("undo")
    if undo is None:
        return
    if undo["of"] is not None:
        yield f"it takes back rows of job {undo['of']}: jobctl explain {undo['of']}"
    if undo["jobs"]:
        yield f"undo: {undone_words(undo)}"
    if undo["command"]:
        yield f"{_COMMAND}{undo['command']}"


def _item_undo(document: ExplainDocument) -> Iterator[str]:
    undo, of = document.get("item_undo"), document.get("item_undo_of")
    if undo:
        name = f"{undo['job']}.{undo['item']}"
        done = "it was taken back by" if undo["state"] == "succeeded" else f"its undo is {undo['state']}:"
        yield f"{done} item {name}: jobctl explain {name}"
    if of:
        yield f"it takes back item {of['job']}.{of['item']}: jobctl explain {of['job']}.{of['item']}"


def _attempts(attempts: list[AttemptBlock]) -> Iterator[str]:
    if not attempts:
        return
    yield ""
    yield "attempts:"
    for attempt in attempts:
        ended = attempt["outcome"] or "running"
        took = "" if attempt["duration_s"] is None else f" after {format_duration(attempt['duration_s'])}"
        message = f": {inert(attempt['message'])}" if attempt["message"] else ""
        place = f"round {attempt['round']}, slot {attempt['slot']}"
        yield f"  {attempt['attempt']}  {local(attempt['started_at'])}  {place}  {ended}{took}{message}"
        left = attempt.get("left_behind")
        if left and attempt["outcome"] != "leftovers":  # where the message of the attempt says it
            named = f": {inert(left['names'])}" if left["names"] else ""
            were = "was" if left["processes"] == 1 else "were"
            yield f"     left {plural(left['processes'], 'process', 'processes')} behind, which {were} ended{named}"


def _failures(document: ExplainDocument) -> Iterator[str]:
    """The causes, and whether another round may help."""
    groups, retry = document["failures"]["groups"], document["retry"]
    if not groups:
        return
    yield ""
    yield "causes of failure:"
    for group in groups:
        kind = "" if group["retryable"] else ", permanent"
        unknown = ", outcome unknown" if group["outcome"] == "unknown" else ""
        samples = ", ".join(str(item) for item in group["sample_items"][:3])
        cause = f"{inert(group['code'])}: {inert(cause_text(group))}"
        # No item failed for good: those that met this cause wait for another attempt.
        times = f"{number(group['count'])}x" if group["count"] else f"retrying, {plural(group['attempts'], 'attempt')}:"
        yield f"  {times} {cause} (item {samples}{kind}{unknown})"
    if hidden := hidden_causes(document, len(groups)):
        yield f"  and {hidden}"
    if retry["available"]:
        note = f"; {retry['note']}" if retry.get("note") else ""
        yield f"{_COMMAND}{retry['command']}   {plural(retry['items'], 'item')}{note}"


def _holds(document: ExplainDocument) -> Iterator[str]:
    holds = document["holds"]
    known = {hold["message"] for hold in holds}
    notices = [found for found in document["attention"] if found["message"] not in known]
    if holds:
        yield ""
        yield "what keeps it from starting:"
        yield from _notices(holds)
    if notices:
        yield ""
        yield "attention:"
        yield from _notices(notices)


def _notices(notices: Sequence[AttentionBlock | HoldBlock]) -> Iterator[str]:
    for notice in notices:
        yield f"  {notice['code']}: {inert(notice['message'])}"
        if notice["action"]:
            yield f"{_COMMAND}{notice['action']}"


def _rounds(document: ExplainDocument) -> Iterator[str]:
    """The rounds with their rules, if there is more than one round, or if a rule was changed."""
    rounds = document.get("rounds", [])
    if len(rounds) < 2 and not any(each["changes"] for each in rounds):
        return
    yield ""
    yield "rounds:"
    shown: object = ()
    for each in rounds:
        facts = [] if each["items"] is None else [f"{plural(each['items'], 'item')} queued again"]
        facts += [inert(rule_words(change)) for change in each["changes"] if change["at"] == each["began_at"]]
        yield ": ".join(filter(None, (_begun(each), ", ".join(facts))))
        if each["policy"] != shown:
            shown = each["policy"]
            yield f"     {'its rules are not known' if each['policy'] is None else inert(_policy(each['policy']))}"
        for change in each["changes"]:
            if change["at"] != each["began_at"]:
                yield f"     {local(change['at'])}  {inert(rule_words(change))}"


def _begun(each: RoundBlock) -> str:
    return f"  {each['round']}  {local(each['began_at'])}  {inert(each['actor'])}"


def _policy(policy: PolicyBlock) -> str:
    return ", ".join(policy_facts(policy))


def _journal(document: ExplainDocument) -> Iterator[str]:
    yield ""
    yield "journal:"
    hidden = document["journal_total"] - len(document["journal"])
    if hidden:
        yield f"  ... {hidden} earlier lines"
    for entry in document["journal"]:
        yield f"  {local(entry['at'])}  {inert(entry['actor'])}  {inert(journal_text(entry))}"


def journal_text(entry: JournalBlock) -> str:
    """What a line of the journal says, in the words of ``jobctl events``: what happened, and the reason."""
    word, reason, data = entry["event"], entry["reason"], entry.get("data", {})
    name = event_type(word, reason, data)
    why = "" if name in ENDS else reason  # it is the state in which the job ended, which the words say
    return sentence(name, "", why, {**data, "item": entry["item"], "word": word})
